"""The steps that tasks and scenarios are made of."""
