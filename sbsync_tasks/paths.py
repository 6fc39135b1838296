"""Where this tool keeps what it makes: the project's `.sbsync/`, a per-user cache, private temporary folders."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from .errors import ConfigError

PRIVATE = 0o700
STATE = ".sbsync"  # at the project's root
PREFIX = "sbsync-call-"
# A program may still read the folder of a run that was killed meanwhile: it gets this many seconds.
ABANDONED = 3600


def state_dir(root: Path, *parts: str) -> Path:
    """A folder below the project's `.sbsync/`, made on the way.

    `.sbsync/` is private (0700) and ignores itself in git: backups and databases never get committed.

    Raises:
        ConfigError: something else has its name.
    """
    top = root / STATE
    if not top.is_dir():
        try:
            top.mkdir(mode=PRIVATE)
        except FileExistsError:
            raise ConfigError(f"{top} is no folder.", "Move it away: backups and databases are kept there.") from None
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


@contextmanager
def private_tempdir() -> Iterator[Path]:
    """A folder that nobody else can look into (0700), removed at the end of the block.

    It can hold a password file, so a killed run must not leave it lying about: the folder is locked as long as the
    process lives, and the first call of every later process removes old ones whose lock is free.
    """
    _remove_abandoned()
    place = Path(tempfile.mkdtemp(prefix=PREFIX))
    handle = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)
        os.close(handle)


@cache
def _remove_abandoned() -> None:
    for place in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if _is_abandoned(place):
            shutil.rmtree(place, ignore_errors=True)


def _is_abandoned(place: Path) -> bool:
    """Whether this is a folder of ours, old, and of a process that has ended."""
    try:
        found = place.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            return False
        if time.time() - found.st_mtime < ABANDONED:
            return False
        handle = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(handle)
    return True
