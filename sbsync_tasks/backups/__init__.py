"""Backups: taken before anything is destroyed or written, complete and readable or not there."""

from .check import check
from .listing import Listed, chosen, holds, listed, size
from .manifest import Backup, BackupFile, Manifest, TableRows
from .retention import prune
from .take import take

__all__ = [
    "Backup", "BackupFile", "Listed", "Manifest", "TableRows", "check", "chosen", "holds", "listed", "prune", "size",
    "take",
]  # fmt: skip
