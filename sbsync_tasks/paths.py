"""Where this tool keeps what it makes: the project's `.sbsync/` and a per-user cache."""

from __future__ import annotations

import os
from pathlib import Path

PRIVATE = 0o700
STATE = ".sbsync"  # at the project's root


def state_dir(root: Path, *parts: str) -> Path:
    """A folder below the project's `.sbsync/`, made on the way.

    `.sbsync/` is private (0700) and ignores itself in git: backups and databases never get committed.
    """
    top = root / STATE
    if not top.is_dir():
        top.mkdir(mode=PRIVATE)
    ignore = top / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", encoding="utf-8")
    folder = top.joinpath(*parts)
    folder.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
    return folder


def shown(root: Path, path: Path) -> str:
    """A path as it is told: relative to the project's root where it is inside, else whole."""
    return str(path.relative_to(root) if path.is_relative_to(root) else path)


def cache_dir(*parts: str) -> Path:
    """A folder below the per-user cache (`$XDG_CACHE_HOME/sbsync`, else `~/.cache/sbsync`)."""
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = Path(home).joinpath("sbsync", *parts)
    folder.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
    return folder
