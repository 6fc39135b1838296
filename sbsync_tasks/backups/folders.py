"""The folders of backups: hidden until they are complete, listed, and removed when newer ones stand for them."""

from __future__ import annotations

import os
import re
import shutil
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from sbsync_tasks.console import counted
from sbsync_tasks.errors import ConfigError, SbsyncError
from sbsync_tasks.paths import PRIVATE

from .manifest import Manifest, read

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

PRIVATE_FILE = 0o600
PARTIAL = ".partial-"
SLUG_LIMIT = 60
ABANDONED = 24 * 3600  # seconds after which a half-made backup is one that was cut off


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


@dataclass(frozen=True)
class Listed:
    """A folder among the backups.

    Attributes:
        path: The folder.
        manifest: What is in it; None where it is no whole backup.
        problem: Why it is none; empty where it is one.
    """

    path: Path
    manifest: Manifest | None
    problem: str = ""

    @property
    def bytes(self) -> int:
        """What it takes on disk, as its manifest has it."""
        return sum(file.bytes for file in self.manifest.files) if self.manifest else 0


def listed(directory: Path) -> tuple[Listed, ...]:
    """The backups in a folder, oldest first; what a run is writing at this moment is none yet."""
    if not directory.is_dir():
        return ()
    folders = (p for p in directory.iterdir() if p.is_dir() and not p.name.startswith(PARTIAL))
    return tuple(_listed(path) for path in sorted(folders))


def _listed(path: Path) -> Listed:
    try:
        return Listed(path, read(path))
    except SbsyncError as error:
        return Listed(path, None, error.message)


def chosen(directory: Path, named: str) -> Listed:
    """The backup that a folder, its name or the beginning of its name means.

    Raises:
        ConfigError: none is meant, or more than one.
        SbsyncError: it is not complete.
    """
    there = listed(directory)
    hint = "`invoke backup --list` lists them."
    if not named:
        whole = [one.path.name for one in there if one.manifest]
        newest = f" The newest is {whole[-1]}." if whole else ""
        raise ConfigError("Which backup? Name it with --backup.", f"{hint}{newest}")
    path = Path(named)
    meant = [one for one in there if one.path.name == named] or [
        one for one in there if one.path.name.startswith(named)
    ]
    if not meant and path.is_dir():
        meant = [_listed(path.absolute())]
    if len(meant) != 1:
        what = f"{len(meant)} backups begin with it" if meant else f"there is no such folder, nor one in {directory}"
        raise ConfigError(f"--backup {named}: {what}.", hint)
    if meant[0].manifest is None:
        raise SbsyncError(meant[0].problem, f"Choose another one: {hint}")
    return meant[0]


def holds(manifest: Manifest) -> str:
    """What is in a backup, in a few words: of how many tables it has the rows, and how many these are."""
    if not manifest.tables:
        return "schema alone"
    rows = sum(table.rows for table in manifest.tables)
    return f"{rows:,} rows of {'every table' if manifest.whole else counted(len(manifest.tables), 'table')}"


def size(number: int) -> str:
    """Bytes as people read them, such as `1.2 MB`."""
    value = float(number)
    for unit in ("bytes", "kB", "MB", "GB"):
        if value < 1000:  # noqa: PLR2004
            return f"{value:.0f} {unit}" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def prune(made: Path, keep: int, spared: Collection[Path] = ()) -> tuple[Path, ...]:
    """Remove what stands behind a new backup: older ones of its kind, and half-made ones of long ago.

    Backups of another database or for another reason are never touched, so a copy from before a push does not
    give way to those from before local resets.

    Args:
        made: The new backup's folder, `<time>-<database>-<reason>`.
        keep: How many of its kind stay, itself included; at least 1.
        spared: Backups that stay besides, since they are in use.

    Returns:
        The backups that were removed.
    """
    kind = made.name.partition("-")[2]
    alike = [p for p in made.parent.iterdir() if p.is_dir() and p.name.partition("-")[2] == kind]
    behind = sorted((p for p in alike if p.name < made.name), reverse=True)[max(keep, 1) - 1 :]
    in_use = {p.resolve() for p in spared}
    older = [p for p in behind if p.resolve() not in in_use]
    left = [p for p in made.parent.glob(f"{PARTIAL}*") if p.stat().st_mtime < time.time() - ABANDONED]
    for path in (*older, *left):
        shutil.rmtree(path, ignore_errors=True)
    return tuple(older)
