"""Bringing a backup back, in one transaction: PostgreSQL's own script, and only what the rows need around it."""

from __future__ import annotations

import re
from contextlib import contextmanager
from functools import cache
from threading import Thread
from typing import TYPE_CHECKING, Any

from sbsync_tasks import process
from sbsync_tasks.errors import RefusedError, SbsyncError
from sbsync_tasks.platform import MANAGED_SCHEMAS, SERVICE_ROLES

from . import DATA, ROLES, SCHEMA, Backup, TableRows, programs
from .programs import ROWS, Entry, one_line, sql
from .take import KEPT_DATA, Table, scope

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    import psycopg

    Connection = psycopg.Connection[tuple[Any, ...]]

# Managed schemas that are made anew where the role may do that; else only the user's part, as always in the last one.
CLEARED = (*KEPT_DATA, "realtime")
TIDIED = (*CLEARED, "extensions")
# What a user makes on the tables of others.
ON_OTHERS = ("POLICY", "TRIGGER")
OF_SCHEMA = "SCHEMA "  # how the list names one that is commented on or granted
PREPARED = (
    "set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0;"
    " set local lock_timeout = '30s'; set local search_path = ''"
)
REPLICA = "session_replication_role"
HINTS = {
    "23503": " Bring the other table back too (--table), or look at the rows (--to-scratch).",
    "42703": " The table has other columns than it had then: look at the rows (--to-scratch).",
    "55P03": " Somebody holds a table locked: end that session, and run the command again.",
}
COPY, COPY_END, END_OF_ROWS = b"COPY ", b" FROM stdin;\n", b"\\.\n"
# What a script says for psql, or for a newer server than this one may be; and the transaction is ours.
NOT_FOR_US = re.compile(rb"\\(un)?restrict .*\n|SET transaction_timeout = 0;\n|BEGIN;\n|COMMIT;\n")
RESTRICTED = re.compile(rb"\\restrict (\S+)\n")
EVERY_ROLE = "select rolname, pg_has_role(oid, 'usage') from pg_roles"
SCHEMAS = "select nspname from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'"
ON_TABLES = """
select n.nspname, c.relname || ' ' || o.name from pg_class c join pg_namespace n on n.oid = c.relnamespace
join (select polrelid, polname from pg_policy union all select tgrelid, tgname from pg_trigger) o (oid, name)
on o.oid = c.oid
"""
OWNED_SEQUENCES = """
select n.nspname, s.relname, s.oid::regclass::text from pg_depend d
join pg_class s on d.classid = 'pg_class'::regclass and s.oid = d.objid and s.relkind = 'S'
join pg_namespace n on n.oid = s.relnamespace
where d.refobjid = any(%s::oid[]) and d.deptype in ('a', 'i')
"""
OWNERS = "select oid::regclass::text, pg_has_role(relowner, 'usage') from pg_class where oid = any(%s::oid[])"
EMPTY_VIEWS = """
select oid::regclass::text from pg_class
where relkind = 'm' and not relispopulated and pg_has_role(relowner, 'usage') order by pg_class.oid
"""
NUMBERS = """
select c.oid::int8 from unnest(%s::text[], %s::text[]) t (schema, name)
join pg_namespace n on n.nspname = t.schema join pg_class c on c.relnamespace = n.oid and c.relname = t.name
"""


def missing_roles(connection: Connection, backup: Backup) -> tuple[str, ...]:
    """The roles that the backup has, and the server has not: a whole restore makes them, without passwords."""
    there = {row[0] for row in connection.execute(EVERY_ROLE)}
    return tuple(name for name in _roles(backup) if name not in there)


def whole(connection: Connection, backup: Backup, only: Sequence[str] = ()) -> tuple[str, ...]:
    """Make the database what the backup has: schema, history and rows.

    Tables are filled before keys, triggers and policies are made, so that none of these is in the way. What the role
    may not make anew, such as the services' tables on a server where it is no superuser, keeps its form; its rows come
    back all the same. Where rows of a table are missing, there are no foreign keys.

    Args:
        connection: To the database, with no transaction open.
        backup: The backup, checked.
        only: `schema.table` names, quoted or not, of the tables that get their rows; none for all.

    Returns:
        The materialized views that could not be filled, each with the reason.

    Raises:
        SbsyncError: it could not be done; the database is as it was.
    """
    partial = only or backup.manifest.partial
    with _one_transaction(connection):
        roles, kept, there = _clear(connection)
        made = [text for name in missing_roles(connection, backup) for text in _roles(backup)[name]]
        for statement in sorted(made, key=lambda text: text.startswith("GRANT")):  # once all are there
            connection.execute(statement.encode())
        listed = _entries(backup, SCHEMA)
        if partial:
            listed = programs.without_foreign_keys(listed)
        schema = [entry for entry in listed if is_made_anew(entry, roles, kept, there)]
        _run(connection, backup, schema, "pre-data")
        filled = had(backup, scope(connection, only).data) if only else backup.manifest.tables
        data = [e for e in _rows_of(backup, filled) if e.kind == ROWS or e.schema not in kept]
        others = [t for t in filled if t.schema in kept]
        numbers = connection.execute(NUMBERS, ([t.schema for t in others], [t.name for t in others])).fetchall()
        with _unguarded(connection, [number for (number,) in numbers]):
            _load(connection, backup, data)
            _count(connection, filled)
        _run(connection, backup, schema, "post-data")
        return tuple(_unfilled(connection))


def rows(connection: Connection, backup: Backup, tables: Sequence[Table]) -> None:
    """Put the backup's rows, and the values of the tables' own sequences, in the place of those that are there.

    Args:
        connection: To the database, with no transaction open.
        backup: The backup, checked.
        tables: As the database has them, partitions in place of what they are parts of.

    Raises:
        SbsyncError: it could not be done, as where rows of other tables point to some that would be gone; the
            database is as it was.
    """
    filled, numbers = had(backup, tables), [t.oid for t in tables]
    with _one_transaction(connection):
        own = connection.execute(OWNED_SEQUENCES, (numbers,)).fetchall()
        for *_, sequence in own:  # whose values no rollback brings back, unless they are in a new place
            connection.execute(f"alter sequence {sequence} restart".encode())
        names = {(schema, one_line(name)) for schema, name, _ in own}
        data = [e for e in _rows_of(backup, filled) if e.kind == ROWS or (e.schema, e.name) in names]
        with _unguarded(connection, numbers):
            _load(connection, backup, data)
            _count(connection, filled)


def had(backup: Backup, tables: Sequence[Table]) -> tuple[TableRows, ...]:
    """What a backup has of some tables.

    Raises:
        RefusedError: it does not have the rows of one of them.
    """
    kept = {(t.schema, t.name): t for t in backup.manifest.tables}
    for table in tables:
        if (table.schema, table.name) not in kept:
            raise RefusedError(
                f"The backup {backup.path.name} does not have the rows of {table.quoted}. Nothing was changed.",
                "`invoke backup --list --json` names the tables of each backup.",
            )
    return tuple(kept[table.schema, table.name] for table in tables)


@contextmanager
def _one_transaction(connection: Connection) -> Iterator[None]:
    import psycopg

    try:
        with connection.transaction():
            connection.execute(PREPARED)
            yield
    except psycopg.Error as error:
        told = error.diag.message_primary or next(iter(str(error).splitlines()), type(error).__name__)
        detail = f" {error.diag.message_detail}" if error.diag.message_detail else ""
        raise SbsyncError(f"The restore failed: {told}.{detail}", _hint(error.sqlstate or "", told)) from None


def _hint(sqlstate: str, told: str) -> str:
    if REPLICA in told:
        return (
            "The database is as it was. Rows of tables of others, such as those in auth, cannot be put back without "
            f"this right: as a superuser, `grant set on parameter {REPLICA} to` this role. Tables of your own can "
            "be brought back one by one (--table)."
        )
    return f"The database is as it was.{HINTS.get(sqlstate, '')}"


def _clear(connection: Connection) -> tuple[set[str], set[str], set[tuple[str, str]]]:
    """Take away what is made anew, and say what is left, as `is_made_anew` takes it."""
    given = {"managed": MANAGED_SCHEMAS, "service": SERVICE_ROLES, "cleared": [*CLEARED], "tidied": [*TIDIED]}
    for _, statement in connection.execute(sql("clear"), given).fetchall():
        connection.execute(statement)
    kept = {row[0] for row in connection.execute(SCHEMAS)} - {"public"}
    roles = {name for name, may in connection.execute(EVERY_ROLE) if may}
    return roles, kept, set(connection.execute(ON_TABLES).fetchall())


def is_made_anew(
    entry: Entry, roles: Collection[str], kept: Collection[str], there: Collection[tuple[str, str]]
) -> bool:
    """Whether a restore takes an entry of the schema's archive.

    Args:
        entry: The entry.
        roles: The roles whose objects we may make.
        kept: The schemas that are as they were, but for what is the user's in those of `TIDIED`.
        there: The policies and triggers in them, each as its schema and `table name`.
    """
    schema = entry.schema or (entry.name.removeprefix(OF_SCHEMA) if entry.name.startswith(OF_SCHEMA) else "")
    if entry.kind == "EXTENSION":
        return True  # it is made only where it is not there yet
    if entry.kind == "SCHEMA":
        return entry.name not in kept and entry.owner in roles
    if schema in kept and entry.kind in ON_OTHERS:
        return (schema, entry.name) not in there
    if schema in kept and schema not in TIDIED:
        return False
    if entry.kind != "DEFAULT ACL" and (not schema or schema in kept) and re.search(SERVICE_ROLES, entry.owner):
        return False  # what the platform brings outside the user's schemas: the server has its own
    return entry.owner in roles


@cache
def _roles(backup: Backup) -> Mapping[str, tuple[str, ...]]:
    return programs.roles_in((backup.path / ROLES).read_text(encoding="utf-8"))


@cache
def _entries(backup: Backup, archive: str) -> tuple[Entry, ...]:
    if not (backup.path / archive).exists():
        return ()
    listed = programs.run([str(backup.tools / "pg_restore"), "--list", str(backup.path / archive)])
    schemas = [] if archive == SCHEMA else [e.name for e in _entries(backup, SCHEMA) if e.kind == "SCHEMA"]
    return programs.entries(listed, _roles(backup), schemas)


def _rows_of(backup: Backup, filled: Sequence[TableRows]) -> list[Entry]:
    """What the archive of the rows has of some tables, and everything in it that belongs to no table."""
    wanted = {(t.schema, one_line(t.name)) for t in filled}
    return [e for e in _entries(backup, DATA) if e.kind != ROWS or (e.schema, e.name) in wanted]


def _run(connection: Connection, backup: Backup, chosen: Sequence[Entry], section: str) -> None:
    """Run a section of the schema's script."""
    with _script(backup, SCHEMA, chosen, f"--section={section}") as lines:
        text = programs.without_column_versions(b"".join(lines))
    head, name, rest = text.partition(b"-- Name: ")
    key = RESTRICTED.search(head)
    if key:  # for psql alone, at the beginning and at the end
        rest = rest.replace(b"\\unrestrict %b\n" % key[1], b"")
    connection.execute(NOT_FOR_US.sub(b"", head) + name + rest)


def _load(connection: Connection, backup: Backup, chosen: Sequence[Entry]) -> None:
    """Run the script of the rows: its statements as they are, what follows a COPY as rows."""
    with _script(backup, DATA, chosen) as lines:
        text = b""
        for line in lines:
            if not text and (not line.strip() or line.startswith(b"--") or NOT_FOR_US.fullmatch(line)):
                continue
            text += line
            if text.startswith(COPY) and line.endswith(COPY_END):
                _copy(connection, text, lines)
                text = b""
            elif not text.startswith(COPY) and line.endswith(b";\n"):
                connection.execute(text)
                text = b""


def _copy(connection: Connection, statement: bytes, lines: Iterator[bytes]) -> None:
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for line in lines:
            if line == END_OF_ROWS:
                return
            copy.write(line)
    raise SbsyncError("The restore failed: pg_restore ended in the middle of a table.", "The database is as it was.")


@contextmanager
def _script(backup: Backup, archive: str, chosen: Sequence[Entry], *options: str) -> Iterator[Iterator[bytes]]:
    """The lines of a script that pg_restore makes of some entries; on leaving, it has succeeded."""
    if not chosen:
        yield iter(())
        return
    argv = [
        str(backup.tools / "pg_restore"), "--use-list=/dev/stdin", "--no-subscriptions", "--file=-", *options,
        str(backup.path / archive),
    ]  # fmt: skip
    with process.started(argv, env=programs.SETTINGS, fed=True) as child:
        assert child.stdin and child.stdout and child.stderr  # noqa: S101, PT018 - pipes, as started
        told: list[bytes] = []
        listening = Thread(target=lambda pipe: told.append(pipe.read()), args=(child.stderr,), daemon=True)
        listening.start()  # a pipe that nobody empties would stop it
        child.stdin.write("".join(f"{entry.line}\n" for entry in chosen).encode())
        child.stdin.close()
        yield iter(child.stdout)
        listening.join()
        if child.wait():
            errors = b"".join(told).decode(errors="replace").strip()
            raise SbsyncError(f"The restore failed: {errors}", "The database is as it was.")


@contextmanager
def _unguarded(connection: Connection, tables: Sequence[int]) -> Iterator[None]:
    """Empty some tables, and let them be filled with nothing in the way; afterwards foreign keys are checked.

    Of tables of others nothing can be taken away: there the server is told to run no trigger, those of foreign keys
    included, which therefore are not checked.
    """
    guards = connection.execute(sql("guards"), {"tables": [*tables]}).fetchall() if tables else []
    for away, _ in guards:
        connection.execute(away)
    for name, may in connection.execute(OWNERS, ([*tables],)).fetchall():
        if may:
            connection.execute(f"truncate only {name}".encode())
        else:
            connection.execute(f"set local {REPLICA} = replica".encode())
            connection.execute(f"delete from only {name}".encode())  # noqa: S608 - quoted by the server
    yield
    for _, back in guards:
        connection.execute(back)


def _unfilled(connection: Connection) -> Iterator[str]:
    """Fill the materialized views, in the order in which they were made."""
    import psycopg

    for (name,) in connection.execute(EMPTY_VIEWS).fetchall():
        try:
            with connection.transaction():
                connection.execute(f"refresh materialized view {name}".encode())
        except psycopg.Error as error:
            yield f"{name}: {error.diag.message_primary}"


def _count(connection: Connection, filled: Sequence[TableRows]) -> None:
    """Look whether every row is there."""
    from psycopg.sql import SQL, Identifier

    for table in filled:
        query = SQL("select count(*) from only {}").format(Identifier(table.schema, table.name))
        row = connection.execute(query).fetchone()
        if row != (table.rows,):
            raise SbsyncError(
                f"The restore failed: {table.schema}.{table.name} has {row[0] if row else 'no'} rows, and the backup "
                f"{table.rows}.", "The database is as it was.",
            )  # fmt: skip
