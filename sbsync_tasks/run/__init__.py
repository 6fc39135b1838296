"""Doing it: look, generate, plan, ask, carry out, look again."""
