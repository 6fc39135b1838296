"""The databases a run works on: one small type, whatever their kind."""
