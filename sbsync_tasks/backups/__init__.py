"""Backups, each a folder: hidden until it is complete, listed, and removed when newer ones stand for it.

What is in one stands in its `manifest.json`; `check` tells whether that is so.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sbsync_tasks.console import counted
from sbsync_tasks.errors import ConfigError, SbsyncError
from sbsync_tasks.folders import PRIVATE, opened

from .programs import one_line, run

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

FORMAT = 1
MANIFEST = "manifest.json"
SCHEMA = "schema.dump"
DATA = "data.dump"
HISTORY = "history.json"
ROLES = "roles.sql"
# What stands in every answer of PostgreSQL's programs that is whole (15 to 18).
ROLES_END = "PostgreSQL database cluster dump complete"
LISTED = "; Archive created at "
REQUIRED = (SCHEMA, HISTORY, ROLES)
PRIVATE_FILE = 0o600
PARTIAL = ".partial-"
ABANDONED = 24 * 3600  # seconds after which a half-made backup is one that was cut off


@dataclass(frozen=True)
class BackupFile:
    """One file of a backup: its name, its SHA-256 in hex, its size in bytes."""

    name: str
    sha256: str
    bytes: int


@dataclass(frozen=True)
class TableRows:
    """A table whose rows are in the backup, and how many there were."""

    schema: str
    name: str
    rows: int


@dataclass(frozen=True)
class Manifest:
    """What is in a backup.

    Attributes:
        format: The version of this layout.
        created_at: When the backup's snapshot was taken, UTC, ISO 8601.
        label: The environment's name, or `local`.
        reason: Why it was taken.
        server_version: As the server says it, such as `17.10`.
        system_identifier: The cluster's own number; empty where the role may not read it.
        database: The database's name.
        tools: What wrote it, as `pg_dump --version` says it.
        whole: Whether the rows of every table were asked for.
        tables: The tables whose rows are in `data.dump`.
        left_out: What of the database is not in the backup, in plain words.
        files: All files but the manifest.
    """

    format: int
    created_at: str
    label: str
    reason: str
    server_version: str
    system_identifier: str
    database: str
    tools: str
    whole: bool
    tables: tuple[TableRows, ...]
    left_out: tuple[str, ...]
    files: tuple[BackupFile, ...]

    @property
    def partial(self) -> bool:
        """Whether it has the rows of some tables, and not of others."""
        return bool(self.tables) and not self.whole

    @property
    def bytes(self) -> int:
        """What the backup takes on disk."""
        return sum(file.bytes for file in self.files)

    @property
    def size(self) -> str:
        """The same as people read it, such as `1.2 MB`."""
        from rich.filesize import decimal

        return decimal(self.bytes)

    @property
    def holds(self) -> str:
        """What is in it, in a few words: of how many tables it has the rows, and how many these are."""
        if not self.tables:
            return "schema alone"
        rows = sum(table.rows for table in self.tables)
        return f"{rows:,} rows of {'every table' if self.whole else counted(len(self.tables), 'table')}"


@dataclass(frozen=True)
class Backup:
    """A backup on disk: its folder, what is in it, and the folder of the PostgreSQL programs that can read it."""

    path: Path
    manifest: Manifest
    tools: Path


# --- its folder ---


@contextmanager
def new_folder(directory: Path, name: str) -> Iterator[tuple[Path, Path]]:
    """A new hidden folder, and the path that it is to get: UTC time and name. It is gone when the work in it fails."""
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


def write_json(path: Path, content: object) -> None:
    """Write a file that only its owner may read."""
    path.touch(mode=PRIVATE_FILE)
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def complete(partial: Path, final: Path, about: Manifest, tools: Path) -> Backup:
    """Give a folder that has all files but the manifest its name, once it is checked and all of it is on the disk.

    Raises:
        SbsyncError: as `check`.
    """
    made = replace(about, files=tuple(describe(path) for path in sorted(partial.iterdir())))
    write_json(partial / MANIFEST, asdict(made))
    check(Backup(partial, made, tools))
    for path in (*partial.iterdir(), partial):
        _sync(path)
    partial.rename(final)
    _sync(final.parent)
    return Backup(final, made, tools)


def _sync(path: Path) -> None:
    with opened(path) as handle:
        os.fsync(handle)


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
    folders = [p for p in made.parent.iterdir() if p.is_dir()]
    kind = {p.name: re.sub(r"-\d+$", "", p.name.partition("-")[2]) for p in folders}  # `-2`: of the same second
    alike = (p for p in folders if kind[p.name] == kind[made.name] and p.name < made.name)
    behind = sorted(alike, reverse=True)[max(keep, 1) - 1 :]
    in_use = {p.resolve() for p in spared}
    older = [p for p in behind if p.resolve() not in in_use]
    left = [p for p in made.parent.glob(f"{PARTIAL}*") if p.stat().st_mtime < time.time() - ABANDONED]
    for path in (*older, *left):
        shutil.rmtree(path, ignore_errors=True)
    return tuple(older)


# --- which there are ---


def listed(directory: Path) -> dict[Path, Manifest | SbsyncError]:
    """What each backup in a folder holds, oldest first, or why it is none; one that is being written is left out."""
    if not directory.is_dir():
        return {}
    folders = (p for p in directory.iterdir() if p.is_dir() and not p.name.startswith(PARTIAL))
    return {path: _read(path) for path in sorted(folders)}


def _read(path: Path) -> Manifest | SbsyncError:
    try:
        return read(path)
    except SbsyncError as error:
        return error


def chosen(directory: Path, named: str) -> tuple[Path, Manifest]:
    """The backup that a folder, its name or the beginning of its name means.

    Raises:
        ConfigError: none is meant, or more than one.
        SbsyncError: it is not complete.
    """
    there = listed(directory)
    hint = "`invoke backup --list` lists them."
    if not named:
        whole = [path.name for path, found in there.items() if isinstance(found, Manifest)]
        newest = f" The newest is {whole[-1]}." if whole else ""
        raise ConfigError("Which backup? Name it with --backup.", f"{hint}{newest}")
    meant = [path for path in there if path.name == named] or [path for path in there if path.name.startswith(named)]
    if not meant and Path(named).is_dir():
        meant = [Path(named).absolute()]
    if len(meant) != 1:
        what = f"{len(meant)} backups begin with it" if meant else f"there is no such folder, nor one in {directory}"
        raise ConfigError(f"--backup {named}: {what}.", hint)
    found = _read(meant[0])
    if isinstance(found, SbsyncError):
        raise SbsyncError(found.message, f"Choose another one: {hint}")
    return meant[0], found


# --- what is in it ---


def describe(path: Path) -> BackupFile:
    """Read a file and say what it holds; OSError where it cannot be read."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return BackupFile(path.name, digest, path.stat().st_size)


def read(folder: Path) -> Manifest:
    """Read a backup's manifest.

    Raises:
        SbsyncError: there is none, it cannot be understood, or it is of a later format.
    """
    path = folder / MANIFEST
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            raise SbsyncError(
                f"The backup {folder} has format {content['format']}; this version reads {FORMAT}.",
                "Use the version of sbsync_tasks that wrote it.",
            )
        parts = {
            "tables": tuple(TableRows(**table) for table in content["tables"]),
            "files": tuple(BackupFile(**file) for file in content["files"]),
            "left_out": tuple(content["left_out"]),
        }
        return Manifest(**(content | parts))
    except (OSError, ValueError, KeyError, TypeError):
        raise SbsyncError(
            f"{path} is missing or is no manifest of a backup.",
            "The backup is not complete; use another one.",
        ) from None


def check(backup: Backup) -> None:
    """Make sure that a backup is complete and readable.

    Every file has the size and the SHA-256 that the manifest names; pg_restore reads both archives
    from the first byte to the last, and they hold every table that the manifest names.

    Raises:
        SbsyncError: something is missing, changed or unreadable.
        MissingToolError: pg_restore is not there.
    """
    it = backup.manifest
    if read(backup.path) != it:
        raise _broken(backup, f"{MANIFEST} was changed")
    archives = {SCHEMA: "TABLE"} | ({DATA: "TABLE DATA"} if it.whole or it.tables else {})
    names = {file.name for file in it.files}
    for name in (*REQUIRED, *archives):
        if name not in names:
            raise _broken(backup, f"{name} is missing")
    for file in it.files:
        _check_file(backup, file)
    try:
        rows = json.loads((backup.path / HISTORY).read_text(encoding="utf-8"))
    except ValueError:
        raise _broken(backup, f"{HISTORY} is no JSON") from None
    if not isinstance(rows, list):
        raise _broken(backup, f"{HISTORY} is no list of rows")
    # pg_dumpall ends its script with a line that says so.
    if ROLES_END not in (backup.path / ROLES).read_text(encoding="utf-8", errors="replace"):
        raise _broken(backup, f"{ROLES} is cut off: its last line is missing")
    for name, kind in archives.items():
        _check_archive(backup, name, kind)


def _check_file(backup: Backup, file: BackupFile) -> None:
    try:
        found = describe(backup.path / file.name)
    except OSError as error:
        raise _broken(backup, f"{file.name} cannot be read ({error.strerror})") from None
    if found != file:
        raise _broken(backup, f"{file.name} is not what was written")


def _check_archive(backup: Backup, name: str, kind: str) -> None:
    restore, archive = str(backup.tools / "pg_restore"), str(backup.path / name)
    try:
        contents = run([restore, "--list", archive])
        run([restore, "--file=/dev/null", archive])
    except SbsyncError as error:
        raise _broken(backup, f"{name} cannot be read ({error.message})") from None
    if LISTED not in contents:
        raise _broken(backup, f"pg_restore gave no list of {name}")
    for table in backup.manifest.tables:
        if f" {kind} {one_line(table.schema)} {one_line(table.name)} " not in contents:
            raise _broken(backup, f"{name} lacks {table.schema}.{table.name}")


def _broken(backup: Backup, what: str) -> SbsyncError:
    return SbsyncError(
        f"The backup {backup.path} is not complete: {what}.",
        "Do not rely on it; take another one before anything is changed.",
    )
