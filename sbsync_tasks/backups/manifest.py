"""What a backup says of itself: `manifest.json`."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sbsync_tasks.errors import SbsyncError

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = 1
MANIFEST = "manifest.json"
SCHEMA = "schema.dump"
DATA = "data.dump"
HISTORY = "history.json"
ROLES = "roles.sql"
CHUNK = 1 << 20


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
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return BackupFile(path.name, digest.hexdigest(), size)


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
