"""Taking a backup: everything from one snapshot, under a hidden name until it is complete."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sbsync_tasks.errors import SbsyncError
from sbsync_tasks.platform import MANAGED_SCHEMAS

from . import manifest as layout
from .folders import new_folder, publish, slug, touch, write_text
from .manifest import Backup, Manifest, TableRows, check
from .programs import LOCK_WAIT, checked_version, hint_for, program, started

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import psycopg

    from sbsync_tasks.endpoint import Endpoint

    Connection = psycopg.Connection[tuple[Any, ...]]

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
# Managed schemas that hold a user's things: accounts, files, policies, the history.
KEPT = ("auth", "storage", "realtime", "extensions", "supabase_migrations")
# Of these, the ones whose rows are worth keeping.
KEPT_DATA = ("auth", "storage", "supabase_migrations")
NAMED_LIMIT = 5

SCHEMAS = """
select nspname, quote_ident(nspname), nspname ~ %(managed)s
from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema' order by 1
"""
# A member of an extension comes back with its extension. A partition counts as its own table.
TABLES = """
select n.nspname, c.relname, format('%%I.%%I', n.nspname, c.relname), n.nspname ~ %(managed)s,
  has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select'),
  c.relkind = 'p', array(
    with recursive child(oid) as (
      select c.oid union select i.inhrelid from pg_inherits i join child on child.oid = i.inhparent
    ) select oid::int8 from child
  ), c.oid::int8
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (
    select from pg_depend d
    where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e'
  )
order by 1, 2
"""


@dataclass(frozen=True)
class Table:
    """A table as the catalogs have it.

    Attributes:
        schema: The schema's name.
        name: The table's name.
        quoted: Both, quoted where needed: what SQL and pg_dump's patterns take.
        managed: Whether the schema is one of Supabase's or an extension's.
        readable: Whether the role that connects may read it.
        partitioned: Whether it holds no rows itself.
        family: The object ids of itself and all below it: partitions, inheriting tables.
        oid: Its object id.
    """

    schema: str
    name: str
    quoted: str
    managed: bool
    readable: bool
    partitioned: bool
    family: tuple[int, ...]
    oid: int


@dataclass(frozen=True)
class Scope:
    """What goes into a backup.

    Attributes:
        whole: Whether everything is to be kept.
        data: Tables whose rows are kept.
        excluded_schemas: Quoted names of schemas of which nothing is kept.
        excluded_data_schemas: The same for rows.
        excluded_tables: Quoted names of tables that cannot be read, in managed schemas.
    """

    whole: bool
    data: tuple[Table, ...]
    excluded_schemas: tuple[str, ...]
    excluded_data_schemas: tuple[str, ...]
    excluded_tables: tuple[str, ...]

    @property
    def left_out(self) -> tuple[str, ...]:
        """What is not in the backup, for the manifest."""
        return (
            "passwords of roles, files in storage, secrets in the vault",
            "rows of materialized views, which a restore makes anew",
            *(f"schema {name}" for name in self.excluded_schemas),
            *(f"table {name} (may not be read)" for name in self.excluded_tables),
        )


def scope(connection: Connection, tables: Sequence[str] | None) -> Scope:
    """Decide what a backup holds.

    Args:
        connection: To the database, in the transaction whose snapshot the backup has.
        tables: `schema.table`, quoted or not, whose rows are to be kept; None for all.

    Raises:
        SbsyncError: a table of the user's may not be read, or a named one is not there.
    """
    given = {"managed": MANAGED_SCHEMAS}
    schemas = connection.execute(SCHEMAS, given).fetchall()
    found = [_table(row) for row in connection.execute(TABLES, given)]
    _refuse_unreadable([t for t in found if not t.managed and not t.readable])
    without = {quoted for name, quoted, managed in schemas if managed and name not in KEPT}
    without_data = {q for name, q, managed in schemas if managed and name not in KEPT_DATA}
    return Scope(
        whole=tables is None,
        data=_all_data(found) if tables is None else _named(found, tables),
        excluded_schemas=tuple(sorted(without)),
        excluded_data_schemas=tuple(sorted(without_data)),
        excluded_tables=tuple(t.quoted for t in found if t.schema in KEPT and not t.readable),
    )


def _table(row: tuple[Any, ...]) -> Table:
    schema, name, quoted, managed, readable, partitioned, family, oid = row
    return Table(schema, name, quoted, managed, readable, partitioned, tuple(family), oid)


def _all_data(found: list[Table]) -> tuple[Table, ...]:
    kept = [t for t in found if not t.managed or t.schema in KEPT_DATA]
    return tuple(t for t in kept if t.readable and not t.partitioned)


def _named(found: list[Table], names: Sequence[str]) -> tuple[Table, ...]:
    roots = []
    for name in names:
        matches = [t for t in found if name in (t.quoted, f"{t.schema}.{t.name}")]
        if not matches:
            raise SbsyncError(f"There is no table {name}.", "Check the name; it is schema.table.")
        roots += matches
    family = {oid for root in roots for oid in root.family}
    chosen = [t for t in found if t.oid in family]
    _refuse_unreadable([t for t in chosen if not t.readable])
    return tuple(t for t in chosen if not t.partitioned)


def _refuse_unreadable(tables: list[Table]) -> None:
    if tables:
        names = ", ".join(t.quoted for t in tables[:NAMED_LIMIT])
        more = f" and {len(tables) - NAMED_LIMIT} more" if len(tables) > NAMED_LIMIT else ""
        raise SbsyncError(
            f"The backup failed: permission denied to read {names}{more}.",
            "Grant the role that connects SELECT on it, or connect as its owner.",
        )


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
    connection: Connection,
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
def _moment(connection: Connection, tables: Sequence[str] | None) -> Iterator[Source]:
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


def _one(connection: Connection, query: str) -> tuple[Any, ...]:
    row = connection.execute(query.encode()).fetchone()
    return row or ()


def _system_identifier(connection: Connection) -> str:
    (may,) = _one(connection, "select has_function_privilege('pg_control_system()', 'execute')")
    if not may:
        return ""
    (found,) = _one(connection, "select system_identifier::text from pg_control_system()")
    return str(found)


def _count(connection: Connection, chosen: Scope) -> tuple[TableRows, ...]:
    with connection.pipeline():
        cursors = [
            connection.execute(f"select count(*) from only {t.quoted}".encode())  # noqa: S608 - quoted by the server
            for t in chosen.data
        ]
    counts = [row[0] for cursor in cursors for row in cursor]
    return tuple(TableRows(t.schema, t.name, rows) for t, rows in zip(chosen.data, counts, strict=True))


def _history(connection: Connection) -> list[Any]:
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
