"""Taking a backup: everything from one snapshot, under a hidden name until it is complete."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sbsync_tasks import backups
from sbsync_tasks.errors import SbsyncError
from sbsync_tasks.platform import MANAGED_SCHEMAS

from . import Backup, Manifest, TableRows
from .programs import LOCK_WAIT, hint_for, run, run_on, sql

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import psycopg

    from sbsync_tasks.endpoint import Endpoint

    Connection = psycopg.Connection[tuple[Any, ...]]

# A dump may take long; the snapshot has to live as long. With row security off, a table that would
# hide rows from this role is an error and not a smaller backup.
SNAPSHOT = (
    "set transaction isolation level repeatable read, read only; set local row_security = off;"
    " set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0;"
    " set local lock_timeout = '{}'"
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


@dataclass(frozen=True)
class Table:
    """A table as the catalogs have it.

    Attributes:
        quoted: Schema and name, quoted where needed: what SQL and pg_dump's patterns take.
        managed: Whether the schema is one of Supabase's or an extension's.
        readable: Whether the role that connects may read it.
        partitioned: Whether it holds no rows itself.
        family: The object ids of itself and all below it: partitions, inheriting tables.
    """

    schema: str
    name: str
    quoted: str
    managed: bool
    readable: bool
    partitioned: bool
    family: Sequence[int]
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
    found = [Table(*row) for row in connection.execute(sql("tables"), given)]
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
        reason: Why, as a part of the folder's name, such as `before-push`.
        tables: `schema.table` names whose rows are kept, partitions included; None for the whole
            database, `()` for no rows.
        connection: To the same database, with no transaction open.

    Returns:
        The backup, already checked.

    Raises:
        SbsyncError: it could not be taken whole; nothing is left under a backup's name.
    """
    import psycopg

    version = run([str(tools / "pg_dump"), "--version"]).strip()
    try:
        with backups.new_folder(directory, f"{label}-{reason}".lower()) as (partial, final):
            with _moment(connection):
                chosen = scope(connection, tables)
                snapshot, about = _identity(connection, chosen, label, reason, version)
                _write(partial, snapshot, about.database, chosen, endpoint, tools)
                backups.write_json(partial / backups.HISTORY, _history(connection))
            return backups.complete(partial, final, about, tools)
    except psycopg.Error as error:
        told = next(iter(str(error).splitlines()), type(error).__name__)
        raise SbsyncError(f"The backup failed: {told}", hint_for(told)) from None
    except OSError as error:
        raise SbsyncError(
            f"The backup could not be written to {directory}: {error.strerror}.",
            "Free space there, or set SBSYNC_BACKUP_DIR to another place.",
        ) from None


@contextmanager
def _moment(connection: Connection) -> Iterator[None]:
    """All that is read inside is of one moment."""
    with connection.transaction(force_rollback=True):
        connection.execute(SNAPSHOT.format(LOCK_WAIT).encode())
        yield


def _identity(connection: Connection, chosen: Scope, label: str, reason: str, tools: str) -> tuple[str, Manifest]:
    """The snapshot's name, and the manifest without the files."""
    snapshot, version, database = _one(connection, IDENTITY)
    (may,) = _one(connection, "select has_function_privilege('pg_control_system()', 'execute')")
    (system,) = _one(connection, "select system_identifier::text from pg_control_system()") if may else ("",)
    return snapshot, Manifest(
        format=backups.FORMAT,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        label=label,
        reason=reason,
        server_version=version,
        system_identifier=system,
        database=database,
        tools=tools,
        whole=chosen.whole,
        tables=_count(connection, chosen),
        left_out=chosen.left_out,
        files=(),
    )


def _one(connection: Connection, query: str) -> tuple[Any, ...]:
    return connection.execute(query.encode()).fetchone() or ()


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


def _write(folder: Path, snapshot: str, database: str, chosen: Scope, endpoint: Endpoint, tools: Path) -> None:
    dump = [
        str(tools / "pg_dump"), "--format=custom", f"--snapshot={snapshot}", f"--lock-wait-timeout={LOCK_WAIT}"
    ]  # fmt: skip
    commands = {
        backups.SCHEMA: [*dump, "--schema-only", *_without(chosen.excluded_schemas, chosen.excluded_tables)],
        backups.ROLES: [str(tools / "pg_dumpall"), "--roles-only", "--no-role-passwords", f"--database={database}"],
    }
    if chosen.whole:  # without --table sequences of their own and large objects are kept too
        commands[backups.DATA] = [*dump, "--data-only", *_without(chosen.excluded_data_schemas, chosen.excluded_tables)]
    elif chosen.data:
        tables = (f"--table={table.quoted}" for table in chosen.data)
        commands[backups.DATA] = [*dump, "--data-only", "--strict-names", *tables]
    for name in commands:
        (folder / name).touch(mode=backups.PRIVATE_FILE)
    run_on(endpoint, *([*command, f"--file={folder / name}"] for name, command in commands.items()))


def _without(schemas: Sequence[str], tables: Sequence[str]) -> list[str]:
    return [*(f"--exclude-schema={name}" for name in schemas), *(f"--exclude-table={name}" for name in tables)]
