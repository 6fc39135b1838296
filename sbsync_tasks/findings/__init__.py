"""SQL text to findings: what a migration can lose, expose, lock or hide. Pure."""

from .credentials import mask
from .engine import joined, review, review_together, unallowed
from .model import Finding, Review, Severity
from .notes import PROBABLE_RENAME
from .rows import Rows, changed_rows
from .scope import Met
from .secrets import has_secret

__all__ = [
    "PROBABLE_RENAME",
    "Finding",
    "Met",
    "Review",
    "Rows",
    "Severity",
    "changed_rows",
    "has_secret",
    "joined",
    "mask",
    "review",
    "review_together",
    "unallowed",
]
