"""Backups: taken before anything is destroyed or written, complete and readable or not there."""

from .check import check, open_backup
from .manifest import Backup, BackupFile, Manifest, TableRows
from .retention import prune
from .take import take

__all__ = ["Backup", "BackupFile", "Manifest", "TableRows", "check", "open_backup", "prune", "take"]
