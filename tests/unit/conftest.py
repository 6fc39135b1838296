"""The same examples every time, so that a failure is the change's at hand; how long one takes says nothing."""

from hypothesis import settings

settings.register_profile("unit", deadline=None, derandomize=True)
settings.load_profile("unit")
