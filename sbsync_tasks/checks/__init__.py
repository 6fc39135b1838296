"""SQL text to findings: what a migration can lose, expose, lock or hide. Pure."""

from .changes import PROBABLE_RENAME
from .engine import joined, review, review_together, unallowed
from .finding import Finding, Met, Review, Severity, has_secret, mask
from .rows import Rows, changed_rows

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
