"""Copying folders as a whole, and telling a whole one from a damaged one."""

from __future__ import annotations

import json
import os
import shutil
import struct
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from sbsync_tasks import process
from sbsync_tasks.errors import SbsyncError

if TYPE_CHECKING:
    from pathlib import Path

MANIFEST = "manifest.json"
# linux/fs.h; what `chattr +T` sets
GET_FLAGS, SET_FLAGS, TOP_OF_HIERARCHY = 0x80086601, 0x40086602, 0x00020000


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
    import fcntl

    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            (flags,) = struct.unpack("l", fcntl.ioctl(handle, GET_FLAGS, bytes(struct.calcsize("l"))))
            fcntl.ioctl(handle, SET_FLAGS, struct.pack("l", flags | TOP_OF_HIERARCHY))
    finally:
        os.close(handle)


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
