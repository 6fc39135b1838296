"""Checking a backup: whole, unchanged, and readable by PostgreSQL's own program."""

from __future__ import annotations

import json

from sbsync_tasks.errors import SbsyncError

from . import manifest as layout
from .contents import one_line
from .manifest import Backup, BackupFile
from .programs import program, run

# What stands in every answer of PostgreSQL's programs that is whole (15 to 18).
ROLES_END = "PostgreSQL database cluster dump complete"
LISTED = "; Archive created at "
REQUIRED = (layout.SCHEMA, layout.HISTORY, layout.ROLES)


def check(backup: Backup) -> None:
    """Make sure that a backup is complete and readable.

    Every file has the size and the SHA-256 that the manifest names; pg_restore reads both archives
    from the first byte to the last, and they hold every table that the manifest names.

    Raises:
        SbsyncError: something is missing, changed or unreadable.
        MissingToolError: pg_restore is not there.
    """
    if layout.read(backup.path) != backup.manifest:
        raise _broken(backup, f"{layout.MANIFEST} was changed")
    names = {file.name for file in backup.manifest.files}
    has_data = backup.manifest.whole or bool(backup.manifest.tables)
    required = (*REQUIRED, layout.DATA) if has_data else REQUIRED
    for name in required:
        if name not in names:
            raise _broken(backup, f"{name} is missing")
    for file in backup.manifest.files:
        _check_file(backup, file)
    _check_history(backup)
    _check_roles(backup)
    _check_archive(backup, layout.SCHEMA, "TABLE")
    if has_data:
        _check_archive(backup, layout.DATA, "TABLE DATA")


def _check_file(backup: Backup, file: BackupFile) -> None:
    try:
        found = layout.describe(backup.path / file.name)
    except OSError as error:
        raise _broken(backup, f"{file.name} cannot be read ({error.strerror})") from None
    if found != file:
        raise _broken(backup, f"{file.name} is not what was written")


def _check_history(backup: Backup) -> None:
    try:
        rows = json.loads((backup.path / layout.HISTORY).read_text(encoding="utf-8"))
    except ValueError:
        raise _broken(backup, f"{layout.HISTORY} is no JSON") from None
    if not isinstance(rows, list):
        raise _broken(backup, f"{layout.HISTORY} is no list of rows")


def _check_roles(backup: Backup) -> None:
    """pg_dumpall ends its script with a line that says so."""
    if ROLES_END not in (backup.path / layout.ROLES).read_text(encoding="utf-8", errors="replace"):
        raise _broken(backup, f"{layout.ROLES} is cut off: its last line is missing")


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
