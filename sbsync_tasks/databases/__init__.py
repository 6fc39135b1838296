"""The databases a run works on: one small type, whatever their kind."""

from .database import Database, Identity
from .open import open_local, open_remote
from .shadows import Shadows
from .stack import Stack

__all__ = ["Database", "Identity", "Shadows", "Stack", "open_local", "open_remote"]
