"""The folder of a backup: private, hidden until it is complete."""

from __future__ import annotations

import os
import re
import shutil
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING

from sbsync_tasks.paths import PRIVATE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PRIVATE_FILE = 0o600
PARTIAL = ".partial-"
SLUG_LIMIT = 60


def slug(text: str) -> str:
    """Text as part of a folder's name: lower case, digits, `_` and `-`."""
    return re.sub(r"[^a-z0-9_]+", "-", text.lower()).strip("-")[:SLUG_LIMIT] or "backup"


@contextmanager
def new_folder(directory: Path, name: str) -> Iterator[tuple[Path, Path]]:
    """A new hidden folder and the path that it is to get; removed when the work in it fails.

    Args:
        directory: Where backups are kept; made if need be.
        name: What follows the UTC time in the folder's name.
    """
    directory.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
    partial, final = _claimed(directory, f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{name}")
    try:
        yield partial, final
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def _claimed(directory: Path, stem: str) -> tuple[Path, Path]:
    for number in count(1):
        name = stem if number == 1 else f"{stem}-{number}"
        partial, final = directory / f"{PARTIAL}{name}", directory / name
        if not final.exists():
            try:
                partial.mkdir(mode=PRIVATE)
            except FileExistsError:
                continue
            break
    return partial, final


def touch(path: Path) -> None:
    """Make an empty file that only its owner may read; a program that writes to it keeps the mode."""
    path.touch(mode=PRIVATE_FILE)


def write_text(path: Path, text: str) -> None:
    """Write a file that only its owner may read."""
    touch(path)
    path.write_text(text, encoding="utf-8")


def publish(partial: Path, final: Path) -> None:
    """Give a complete folder its name, once all of it is on the disk."""
    for path in (*partial.iterdir(), partial):
        _sync(path)
    partial.rename(final)
    _sync(final.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
