"""Where this tool keeps what it makes: the project's `.sbsync/`, a per-user cache, private temporary folders.

What several processes share is locked while one works on it, copied whole, made once. A whole folder is told from a
damaged one by a manifest of its files.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import stat
import struct
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from . import process
from .errors import ConfigError, SbsyncError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PRIVATE = 0o700
STATE = ".sbsync"  # at the project's root
PREFIX = "sbsync-call-"
# A program may still read the folder of a run that was killed meanwhile: it gets this many seconds.
ABANDONED = 3600
WAIT_SECONDS = 120.0
POLL_SECONDS = 0.02
MANIFEST = "manifest.json"
# linux/fs.h; what `chattr +T` sets
GET_FLAGS, SET_FLAGS, TOP_OF_HIERARCHY = 0x80086601, 0x40086602, 0x00020000


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
def opened(path: Path, flags: int = os.O_RDONLY) -> Iterator[int]:
    """The number of an open file or folder, for what only numbers are taken for; one that is made is private."""
    handle = os.open(path, flags | os.O_CLOEXEC, 0o600)
    try:
        yield handle
    finally:
        os.close(handle)


@contextmanager
def private_tempdir() -> Iterator[Path]:
    """A folder that nobody else can look into (0700), removed at the end of the block.

    It can hold a password file, so a killed run must not leave it lying about: the folder is locked as long as the
    process lives, and the first call of every later process removes old ones whose lock is free.
    """
    _remove_abandoned()
    with tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as name, opened(Path(name)) as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield Path(name)


@cache
def _remove_abandoned() -> None:
    for place in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if _is_abandoned(place):
            shutil.rmtree(place, ignore_errors=True)


def _is_abandoned(place: Path) -> bool:
    """Whether this is a folder of ours, old, and of a process that has ended."""
    try:
        found = place.lstat()
        ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
        if not ours or time.time() - found.st_mtime < ABANDONED:
            return False
        with opened(place) as handle:
            return _taken(handle)
    except OSError:
        return False


@contextmanager
def locked(*paths: Path, wait: float = WAIT_SECONDS) -> Iterator[None]:
    """Hold lock files, always taken in the same order, waiting for whoever holds one now; a killed process holds none.

    Raises:
        SbsyncError: one was still held after `wait` seconds.
    """
    deadline = time.monotonic() + wait
    with ExitStack() as held:
        for path in sorted(set(paths)):
            path.parent.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
            handle = held.enter_context(opened(path, os.O_RDWR | os.O_CREAT))
            while not _taken(handle):
                if time.monotonic() > deadline:
                    raise SbsyncError(
                        f"Another process has worked on this embedded database too long ({path}).",
                        "Wait for it, or end it, and run the command again.",
                    )
                time.sleep(POLL_SECONDS)
        yield


def _taken(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def make_once(
    target: Path,
    fill: Callable[[Path], None],
    *,
    whole: Callable[[Path], bool] | None = None,
    given_up: Callable[[Path], None] = lambda _: None,
) -> Path:
    """A folder that is made by whoever needs it first, whole or not at all; the others wait meanwhile.

    Args:
        target: The folder; its lock stands beside it.
        fill: Fills a new folder, which then takes the name.
        whole: Tells whether what is there will do; `is_whole` where it is not given.
        given_up: Ends what a killed process has left running in the half-made folder.
    """
    with locked(target.with_name(f"{target.name}.lock")):
        if not (whole or is_whole)(target):
            half, old = target.with_name(f"{target.name}.new"), target.with_name(f"{target.name}.old")
            given_up(half)
            shutil.rmtree(half, ignore_errors=True)
            half.mkdir(mode=PRIVATE)
            fill(half)
            seal(half)
            shutil.rmtree(old, ignore_errors=True)
            if target.exists():
                target.rename(old)
            half.rename(target)
            shutil.rmtree(old, ignore_errors=True)
    return target


def copy_tree(source: Path, target: Path) -> None:
    """Copy a folder with owners and times, sharing blocks where the file system can.

    `cp` is asked because it can do that; Python's `shutil` cannot. It does not look for holes: in files that were just
    written, looking takes longer than copying.

    Raises:
        SbsyncError: it could not be copied whole, such as on a full disk. Nothing is left then.
    """
    ways = (["-cpR"], ["-pR"]) if sys.platform == "darwin" else (["-a", "--reflink=auto", "--sparse=never"], ["-pR"])
    said = ""
    for flags in ways:
        argv = ["cp", *flags, str(source), str(target)]
        done = process.run(argv)
        if done.ok and _is_copied(source, target):
            return
        said = done.stderr.strip().rsplit("\n", 1)[-1] or "cp gave no reason"
        shutil.rmtree(target, ignore_errors=True)
    raise SbsyncError(f"{source} could not be copied: {said}", "Look at the free disk space and the owner.")


def _is_copied(source: Path, target: Path) -> bool:
    """Whether the copy is there, and whole where the folder was sealed."""
    return target.is_dir() and (is_whole(target) or not (source / MANIFEST).exists())


def spread(folder: Path) -> None:
    """Let ext4 place each new folder in this one, by its name, apart from the others; elsewhere nothing happens.

    ext4 does not take the inodes of files that were deleted in the last minutes, and looks past each of them for every
    file that it creates nearby: a database beside one just removed was copied in up to ten times the time.
    """
    if sys.platform != "linux":
        return
    with opened(folder) as handle, suppress(OSError):
        (flags,) = struct.unpack("l", fcntl.ioctl(handle, GET_FLAGS, bytes(struct.calcsize("l"))))
        fcntl.ioctl(handle, SET_FLAGS, struct.pack("l", flags | TOP_OF_HIERARCHY))


def seal(folder: Path) -> None:
    """Write down which files `folder` holds, and how big they are."""
    (folder / MANIFEST).write_text(json.dumps(_sizes(folder)), encoding="utf-8")


def is_whole(folder: Path) -> bool:
    """Whether `folder` was sealed and still holds every file, unchanged in size."""
    try:
        sealed = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(sealed == _sizes(folder))


def _sizes(folder: Path) -> dict[str, int]:
    """Sizes in bytes by path, the manifest itself left out."""
    return {
        str(path.relative_to(folder)): path.lstat().st_size
        for path in folder.rglob("*")
        if path.name != MANIFEST and not path.is_dir()
    }
