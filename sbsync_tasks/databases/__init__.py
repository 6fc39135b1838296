"""The databases a run works on: one small type, whatever their kind."""

from .database import Database, Identity
from .failures import FileFailedError, explained
from .open import open_local, open_remote
from .pushed import push, read_back
from .shadows import NextLocal, Shadows
from .stack import Stack

__all__ = [
    "Database",
    "FileFailedError",
    "Identity",
    "NextLocal",
    "Shadows",
    "Stack",
    "explained",
    "open_local",
    "open_remote",
    "push",
    "read_back",
]
