"""The databases a run works on: one small type, whatever their kind."""

from .database import Database, Identity
from .next_local import NextLocal
from .open import open_local, open_remote
from .pushed import read_back
from .shadows import Shadows
from .stack import Stack

__all__ = ["Database", "Identity", "NextLocal", "Shadows", "Stack", "open_local", "open_remote", "read_back"]
