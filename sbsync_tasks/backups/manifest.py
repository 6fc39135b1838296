"""What a backup says of itself, `manifest.json`, and whether that is so."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sbsync_tasks.errors import SbsyncError

from .programs import one_line, program, run

if TYPE_CHECKING:
    from pathlib import Path

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


@dataclass(frozen=True)
class Backup:
    """A backup on disk.

    Attributes:
        path: Its folder.
        manifest: What is in it.
        tools: The folder of the PostgreSQL programs that can read it.
    """

    path: Path
    manifest: Manifest
    tools: Path


def describe(path: Path) -> BackupFile:
    """Read a file and say what it holds; OSError where it cannot be read."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return BackupFile(path.name, digest, path.stat().st_size)


def as_text(manifest: Manifest) -> str:
    """The manifest as the text of its file."""
    return json.dumps(asdict(manifest), indent=2, ensure_ascii=False) + "\n"


def read(folder: Path) -> Manifest:
    """Read a backup's manifest.

    Raises:
        SbsyncError: there is none, it cannot be understood, or it is of a later format.
    """
    path = folder / MANIFEST
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            raise SbsyncError(
                f"The backup {folder} has format {content['format']}; this version reads {FORMAT}.",
                "Use the version of sbsync_tasks that wrote it.",
            )
        return _manifest(content)
    except (OSError, ValueError, KeyError, TypeError):
        raise SbsyncError(
            f"{path} is missing or is no manifest of a backup.",
            "The backup is not complete; use another one.",
        ) from None


def _manifest(content: dict[str, Any]) -> Manifest:
    parts = {
        "tables": tuple(TableRows(**table) for table in content["tables"]),
        "files": tuple(BackupFile(**file) for file in content["files"]),
        "left_out": tuple(content["left_out"]),
    }
    return Manifest(**(content | parts))


def check(backup: Backup) -> None:
    """Make sure that a backup is complete and readable.

    Every file has the size and the SHA-256 that the manifest names; pg_restore reads both archives
    from the first byte to the last, and they hold every table that the manifest names.

    Raises:
        SbsyncError: something is missing, changed or unreadable.
        MissingToolError: pg_restore is not there.
    """
    if read(backup.path) != backup.manifest:
        raise _broken(backup, f"{MANIFEST} was changed")
    names = {file.name for file in backup.manifest.files}
    has_data = backup.manifest.whole or bool(backup.manifest.tables)
    required = (*REQUIRED, DATA) if has_data else REQUIRED
    for name in required:
        if name not in names:
            raise _broken(backup, f"{name} is missing")
    for file in backup.manifest.files:
        _check_file(backup, file)
    _check_history(backup)
    _check_roles(backup)
    _check_archive(backup, SCHEMA, "TABLE")
    if has_data:
        _check_archive(backup, DATA, "TABLE DATA")


def _check_file(backup: Backup, file: BackupFile) -> None:
    try:
        found = describe(backup.path / file.name)
    except OSError as error:
        raise _broken(backup, f"{file.name} cannot be read ({error.strerror})") from None
    if found != file:
        raise _broken(backup, f"{file.name} is not what was written")


def _check_history(backup: Backup) -> None:
    try:
        rows = json.loads((backup.path / HISTORY).read_text(encoding="utf-8"))
    except ValueError:
        raise _broken(backup, f"{HISTORY} is no JSON") from None
    if not isinstance(rows, list):
        raise _broken(backup, f"{HISTORY} is no list of rows")


def _check_roles(backup: Backup) -> None:
    """pg_dumpall ends its script with a line that says so."""
    if ROLES_END not in (backup.path / ROLES).read_text(encoding="utf-8", errors="replace"):
        raise _broken(backup, f"{ROLES} is cut off: its last line is missing")


def _check_archive(backup: Backup, name: str, kind: str) -> None:
    restore, archive = program(backup.tools, "pg_restore"), str(backup.path / name)
    try:
        listed = run([restore, "--list", archive])
        run([restore, "--file=/dev/null", archive])
    except SbsyncError as error:
        raise _broken(backup, f"{name} cannot be read ({error.message})") from None
    if LISTED not in listed:
        raise _broken(backup, f"pg_restore gave no list of {name}")
    for table in backup.manifest.tables:
        if f" {kind} {one_line(table.schema)} {one_line(table.name)} " not in listed:
            raise _broken(backup, f"{name} lacks {table.schema}.{table.name}")


def _broken(backup: Backup, what: str) -> SbsyncError:
    return SbsyncError(
        f"The backup {backup.path} is not complete: {what}.",
        "Do not rely on it; take another one before anything is changed.",
    )
