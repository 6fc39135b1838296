"""What will be done, and why not: actions, goals, conflicts and their remedies, as data. Pure."""
