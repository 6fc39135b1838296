"""SQL text to findings: what a migration can lose, expose, lock or hide. Pure."""

from .engine import review, unallowed
from .model import Finding, Review, Severity

__all__ = ["Finding", "Review", "Severity", "review", "unallowed"]
