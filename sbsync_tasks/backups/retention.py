"""Which backups are kept: the newest of each database and reason."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from .folders import PARTIAL

ABANDONED = 24 * 3600  # seconds after which a half-made backup is one that was cut off


def prune(made: Path, keep: int) -> tuple[Path, ...]:
    """Remove what stands behind a new backup: older ones of its kind, and half-made ones of long ago.

    Backups of another database or for another reason are never touched, so a copy from before a push does not
    give way to those from before local resets.

    Args:
        made: The new backup's folder, `<time>-<database>-<reason>`.
        keep: How many of its kind stay, itself included; at least 1.

    Returns:
        The backups that were removed.
    """
    kind = made.name.partition("-")[2]
    alike = [p for p in made.parent.iterdir() if p.is_dir() and p.name.partition("-")[2] == kind]
    older = sorted((p for p in alike if p.name < made.name), reverse=True)[max(keep, 1) - 1 :]
    left = [p for p in made.parent.glob(f"{PARTIAL}*") if p.stat().st_mtime < time.time() - ABANDONED]
    for path in (*older, *left):
        shutil.rmtree(path, ignore_errors=True)
    return tuple(older)
