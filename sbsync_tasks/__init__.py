"""Invoke tasks that keep a local and a remote Supabase database in step, and prove it."""

__version__ = "0.1.0"
