"""Taking a backup: everything from one snapshot, under a hidden name until it is complete."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sbsync_tasks.errors import SbsyncError

from . import manifest as layout
from .check import check
from .folders import new_folder, publish, slug, touch, write_text
from .manifest import Backup, Manifest, TableRows
from .programs import LOCK_WAIT, checked_version, hint_for, program, started
from .scope import Scope, scope

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import psycopg

    from sbsync_tasks.endpoint import Endpoint

SNAPSHOT = "set transaction isolation level repeatable read, read only"
# A dump may take long; the snapshot has to live as long. With row security off, a table that would
# hide rows from this role is an error and not a smaller backup.
SETTINGS = (
    "set local idle_in_transaction_session_timeout = 0",
    "set local statement_timeout = 0",
    "set local row_security = off",
)
IDENTITY = "select pg_export_snapshot(), current_setting('server_version'), current_database()"
HISTORY_TABLE = "supabase_migrations.schema_migrations"


@dataclass(frozen=True)
class Source:
    """The database at one moment, as the backup sees it."""

    snapshot: str
    version: str
    system_identifier: str
    database: str
    scope: Scope
    rows: tuple[TableRows, ...]
    history: list[Any]


def take(
    *,
    endpoint: Endpoint,
    tools: Path,
    directory: Path,
    label: str,
    reason: str,
    tables: Sequence[str] | None,
    connection: psycopg.Connection[tuple[Any, ...]],
) -> Backup:
    """Back up roles, schema and history of a database, and the rows of some tables or of all.

    Args:
        endpoint: The database, for pg_dump; the role needs SELECT on the user's tables, no more.
        tools: The folder of pg_dump, pg_dumpall and pg_restore, no older than the server.
        directory: Where backups are kept, such as `.sbsync/backups`.
        label: The environment's name, or `local`.
        reason: Why, in a few words.
        tables: `schema.table` names whose rows are kept, partitions included; None for the whole
            database, `()` for no rows.
        connection: To the same database, with no transaction open.

    Returns:
        The backup, already checked.

    Raises:
        SbsyncError: it could not be taken whole; nothing is left under a backup's name.
    """
    import psycopg

    version = checked_version(tools, connection.info.server_version)
    try:
        with new_folder(directory, f"{slug(label)}-{slug(reason)}") as (partial, final):
            with _moment(connection, tables) as source:
                _write(partial, source, endpoint, tools)
            made = _manifest(partial, source, version, label, reason)
            write_text(partial / layout.MANIFEST, layout.as_text(made))
            check(Backup(partial, made, tools))
            publish(partial, final)
            return Backup(final, made, tools)
    except psycopg.Error as error:
        told = next(iter(str(error).splitlines()), type(error).__name__)
        raise SbsyncError(f"The backup failed: {told}", hint_for(told)) from None
    except OSError as error:
        raise SbsyncError(
            f"The backup could not be written to {directory}: {error.strerror}.",
            "Free space there, or set SBSYNC_BACKUP_DIR to another place.",
        ) from None


@contextmanager
def _moment(connection: psycopg.Connection[tuple[Any, ...]], tables: Sequence[str] | None) -> Iterator[Source]:
    from psycopg.pq import TransactionStatus

    if connection.info.transaction_status != TransactionStatus.IDLE:
        raise SbsyncError("A backup cannot be taken inside a transaction.", "Commit it first.")
    with connection.transaction(force_rollback=True):
        connection.execute(SNAPSHOT)
        for setting in (*SETTINGS, f"set local lock_timeout = '{LOCK_WAIT}'"):
            connection.execute(setting.encode())
        chosen = scope(connection, tables)
        snapshot, version, database = _one(connection, IDENTITY)
        yield Source(
            snapshot=snapshot,
            version=version,
            system_identifier=_system_identifier(connection),
            database=database,
            scope=chosen,
            rows=_count(connection, chosen),
            history=_history(connection),
        )


def _one(connection: psycopg.Connection[tuple[Any, ...]], query: str) -> tuple[Any, ...]:
    row = connection.execute(query.encode()).fetchone()
    return row or ()


def _system_identifier(connection: psycopg.Connection[tuple[Any, ...]]) -> str:
    (may,) = _one(connection, "select has_function_privilege('pg_control_system()', 'execute')")
    if not may:
        return ""
    (found,) = _one(connection, "select system_identifier::text from pg_control_system()")
    return str(found)


def _count(connection: psycopg.Connection[tuple[Any, ...]], chosen: Scope) -> tuple[TableRows, ...]:
    with connection.pipeline():
        cursors = [
            connection.execute(f"select count(*) from only {t.quoted}".encode())  # noqa: S608 - quoted by the server
            for t in chosen.data
        ]
    counts = [row[0] for cursor in cursors for row in cursor]
    return tuple(TableRows(t.schema, t.name, rows) for t, rows in zip(chosen.data, counts, strict=True))


def _history(connection: psycopg.Connection[tuple[Any, ...]]) -> list[Any]:
    (there,) = _one(connection, f"select to_regclass('{HISTORY_TABLE}') is not null")
    if not there:
        return []
    query = f"select to_jsonb(m) from {HISTORY_TABLE} m order by m.version"  # noqa: S608 - a constant
    return [row[0] for row in connection.execute(query.encode())]


def _write(folder: Path, source: Source, endpoint: Endpoint, tools: Path) -> None:
    commands = [_schema(tools, source), _roles(tools, source)]
    files = [folder / layout.SCHEMA, folder / layout.ROLES]
    if source.scope.data or source.scope.whole:
        commands.append(_data(tools, source))
        files.append(folder / layout.DATA)
    for file in files:
        touch(file)
    with started(endpoint, [[*c, f"--file={f}"] for c, f in zip(commands, files, strict=True)]):
        text = json.dumps(source.history, indent=2, ensure_ascii=False) + "\n"
        write_text(folder / layout.HISTORY, text)


def _schema(tools: Path, source: Source) -> list[str]:
    return [
        *_dump(tools, source), "--schema-only",
        *(f"--exclude-schema={name}" for name in source.scope.excluded_schemas),
        *(f"--exclude-table={name}" for name in source.scope.excluded_tables),
    ]  # fmt: skip


def _data(tools: Path, source: Source) -> list[str]:
    it = source.scope
    if not it.whole:
        chosen = (f"--table={table.quoted}" for table in it.data)
        return [*_dump(tools, source), "--data-only", "--strict-names", *chosen]
    # Without --table sequences of their own and large objects are kept too.
    return [
        *_dump(tools, source), "--data-only",
        *(f"--exclude-schema={name}" for name in it.excluded_data_schemas),
        *(f"--exclude-table={name}" for name in it.excluded_tables),
    ]  # fmt: skip


def _dump(tools: Path, source: Source) -> list[str]:
    return [
        program(tools, "pg_dump"), "--format=custom", f"--snapshot={source.snapshot}",
        f"--lock-wait-timeout={LOCK_WAIT}",
    ]  # fmt: skip


def _roles(tools: Path, source: Source) -> list[str]:
    return [
        program(tools, "pg_dumpall"), "--roles-only", "--no-role-passwords",
        f"--database={source.database}",
    ]  # fmt: skip


def _manifest(folder: Path, source: Source, tools: str, label: str, reason: str) -> Manifest:
    return Manifest(
        format=layout.FORMAT,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        label=label,
        reason=reason,
        server_version=source.version,
        system_identifier=source.system_identifier,
        database=source.database,
        tools=tools,
        whole=source.scope.whole,
        tables=source.rows,
        left_out=source.scope.left_out,
        files=tuple(layout.describe(path) for path in sorted(folder.iterdir())),
    )
