"""Backups: taken before anything is destroyed or written, complete and readable or not there."""

from .folders import Listed, chosen, holds, listed, prune, size
from .manifest import Backup, BackupFile, Manifest, TableRows, check
from .take import take

__all__ = [
    "Backup", "BackupFile", "Listed", "Manifest", "TableRows", "check", "chosen", "holds", "listed", "prune", "size",
    "take",
]  # fmt: skip
