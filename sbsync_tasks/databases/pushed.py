"""A push by the CLI: its errors in the words of the file that failed, its success as the history has it.

And what a database holds that makes a file fail there: sessions that hold locks, rows that a constraint forbids.
"""

# ruff: noqa: S608 - names are quoted, and what is run only reads

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Unpack

from ..checks.finding import mask
from ..checks.names import dotted, parts, quoted
from ..console import counted
from ..endpoint import Endpoint
from ..sqltext import Node, UnparsableSql, condition, parse, walk
from ..state import histories
from ..state.migrations import Migration
from ..supabase_cli import RECORDED, CliError, Pushed, PushOptions, SupabaseCli
from .connection import connection_to
from .failures import LOCK_TIMEOUT, ROW_STATES, Failure, explained

if TYPE_CHECKING:
    import psycopg


def push(
    cli: SupabaseCli,
    endpoint: Endpoint,
    label: str,
    migrations: Sequence[Migration],
    expected: Sequence[Migration],
    *,
    fresh: bool = False,
    **options: Unpack[PushOptions],
) -> Pushed:
    """Push, and read the history back: the CLI also says that all is well where it has recorded nothing.

    Args:
        cli: The CLI.
        endpoint: The database.
        label: What it is called on screen.
        migrations: All the migrations that the CLI is to know of.
        expected: Those of them that the database has not had; of the others the CLI gets the names alone.
        fresh: It holds nothing but what the files make: whatever fails there is the files' fault.
        options: What `SupabaseCli.push` takes besides.

    Raises:
        FileFailedError: a file failed: which, where in it, on what, and the way out.
        CliError: the push failed otherwise, or did not do what it says.
    """
    wanted = {m.version for m in expected}
    seen = [m if m.version in wanted else replace(m, sql=RECORDED) for m in migrations]
    with explained(migrations, label, fresh=fresh):
        done = cli.push(endpoint, seen, **options)
    done.refuse_left_out(expected)
    read_back(endpoint, label, expected, migrations)
    return done


def read_back(
    endpoint: Endpoint, label: str, expected: Sequence[Migration], migrations: Iterable[Migration] = ()
) -> None:
    """See that a database has recorded what was to be pushed to it.

    Of a file that ends inside of a transaction of its own, the CLI reports it and all later ones as applied
    (supabase/cli#5047, measured with 2.122.1 and 3.1.0), and none of them is.

    Args:
        endpoint: The database.
        label: What it is called on screen.
        expected: What was to be pushed.
        migrations: What is to be recorded after that, in whatever words.

    Raises:
        CliError: a migration is not recorded, no longer, or with other statements than its file has.
        NoConnectionError: the database does not answer any more.
    """
    with connection_to(endpoint, label) as connection:
        history = histories.read(connection)
    lacking = [m for m in expected if m.version not in history or not history[m.version].matches(m)]
    if lacking:
        names = ", ".join(m.file_name for m in lacking)
        raise CliError(
            f"The CLI gave no error, and {label} has not recorded {names} as it was sent.",
            f"A statement in {lacking[0].file_name}, or in what it calls, opens or ends a transaction (BEGIN, COMMIT, "
            "ROLLBACK) or changes the history: take it out, then run again.",
        )
    gone = [m.file_name for m in migrations if m.version not in history]
    if gone:
        culprit = " or ".join(m.file_name for m in expected) or "a seed file"
        raise CliError(
            f"{label} no longer has {', '.join(gone)} in its history.",
            f"A statement in {culprit}, or in what it calls, changes the history: take it out, then run again.",
        )


SHOWN = 5  # sessions
READ_ONLY = "25006"
PATIENCE = "5s"  # for a look at the rows of a table of any size
KEY = re.compile(r"Key \((.+)\)=\(")
COLUMN = re.compile(r'column "(.+?)"')
CONSTRAINT = re.compile(r'constraint "(.+?)"')

HOLDERS = """
select distinct a.pid, coalesce(nullif(a.application_name, ''), '?'), a.usename, a.state,
  to_char(coalesce(a.query_start, a.xact_start) at time zone 'utc', 'HH24:MI:SS "UTC"'),
  regexp_replace(a.query, '\\s+', ' ', 'g')
from pg_locks l join pg_stat_activity a on a.pid = l.pid
where l.granted and a.pid <> pg_backend_pid() and a.datname = current_database()
  and (l.relation = any(%(relations)s::oid[]) or (%(relations)s::oid[] = '{}' and l.relation >= 16384))
order by 1
"""


def told(connection: psycopg.Connection[Any], failure: Failure) -> str:
    """Who or what is in the way, with a statement that shows it; empty where that cannot be told.

    Args:
        connection: To the database on which the file failed, in autocommit mode.
        failure: What is known of it.
    """
    import psycopg

    try:
        if failure.sqlstate == LOCK_TIMEOUT:
            return _sessions(connection, failure)
        if failure.sqlstate == READ_ONLY:
            return _why_read_only(connection)
        if failure.sqlstate.startswith(ROW_STATES[:-1]):
            return _rows(connection, failure)
    except psycopg.Error:
        return ""
    return ""


def _sessions(connection: psycopg.Connection[Any], failure: Failure) -> str:
    named = [_oid(connection, dotted(parts(node))) for node in _relations(failure)]
    relations = [oid for oid in named if oid]
    found = connection.execute(HOLDERS, {"relations": relations}).fetchall()
    if not found:
        return "Nobody holds it any more."
    each = [
        f"  - pid {pid}, application {application}, user {user}, {state} since {start}: {mask(query)[:80]}"
        for pid, application, user, state, start, query in found[:SHOWN]
    ]
    return "\n".join(["Held by:", *each, f"To end one of them: `select pg_terminate_backend({found[0][0]});`"])


def _why_read_only(connection: psycopg.Connection[Any]) -> str:
    row = connection.execute(
        "select pg_is_in_recovery(), setting, source from pg_settings where name = 'default_transaction_read_only'"
    ).fetchone()
    if row and row[0]:
        return "That server is a replica."
    return f"default_transaction_read_only is on (by {row[2]})." if row and row[1] == "on" else ""


def _oid(connection: psycopg.Connection[Any], name: str) -> int:
    row = connection.execute("select coalesce(to_regclass(%s)::oid::int8, 0)", (name,)).fetchone()
    return int(row[0]) if row else 0


def _rows(connection: psycopg.Connection[Any], failure: Failure) -> str:
    query = offending(failure)
    if not query:
        return ""
    connection.execute(f"set statement_timeout = '{PATIENCE}'; set default_transaction_read_only = on")
    row = connection.execute(f"select count(*) from ({query}) as q".encode()).fetchone()
    if not row or not row[0]:
        return ""
    twice = failure.sqlstate == "23505"
    what = f"There more than once: {counted(row[0], 'value')}" if twice else f"In the way: {counted(row[0], 'row')}"
    return f"{what}. To see them: `{query};`"


def offending(failure: Failure) -> str:
    """A query for the rows that forbid it; empty where the statement does not tell."""
    node = next(_relations(failure), None)
    if node is None:
        return ""
    table = dotted(parts(node))
    match failure.sqlstate:
        case "23502":
            column = COLUMN.search(failure.said)
            return f"select * from {table} where {quoted(column[1])} is null" if column else ""
        case "23505":
            key = KEY.search(failure.said)
            return f"select {key[1]}, count(*) from {table} group by {key[1]} having count(*) > 1" if key else ""
    name = CONSTRAINT.search(failure.said)
    constraint = next((c for c in _nodes(failure, "Constraint") if name and c.conname in (name[1], "")), None)
    if constraint is None:
        return ""
    if failure.sqlstate == "23514":
        return f"select * from {table} where not ({condition(constraint.raw_expr)})"
    return _orphans(table, constraint)


def _orphans(table: str, constraint: Node) -> str:
    own, other = ([quoted(n.string.sval) for n in names] for names in (constraint.fk_attrs, constraint.pk_attrs))
    if not own or len(own) != len(other):
        return ""
    met = " and ".join(f"p.{there} = c.{here}" for here, there in zip(own, other, strict=True))
    there = " and ".join(f"c.{here} is not null" for here in own)
    parent = dotted(parts(constraint.pktable))
    return f"select * from {table} c where {there} and not exists (select from {parent} p where {met})"


def _relations(failure: Failure) -> Any:  # noqa: ANN401 - nodes of the parse tree
    return _nodes(failure, "RangeVar")


def _nodes(failure: Failure, kind: str) -> Any:  # noqa: ANN401 - nodes of the parse tree
    try:
        trees = [p.node for p in parse(failure.statement) if p.node is not None]
    except UnparsableSql:
        return iter(())
    return (node for tree in trees for name, node in walk(tree) if name == kind)
