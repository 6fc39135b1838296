"""Backups: taken before anything is destroyed or written, complete and readable or not there."""

from .check import check
from .manifest import Backup, BackupFile, Manifest, TableRows
from .retention import prune
from .take import take

__all__ = ["Backup", "BackupFile", "Manifest", "TableRows", "check", "prune", "take"]
