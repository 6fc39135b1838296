"""What of the losses and locks that a text announces the database that it meets can really have, and of an edit.

What it does not have is no loss (`met`), and neither is what is empty there; a loss says how many rows it takes.
Where the database cannot tell, the finding stays as it is. What an edit leaves out, the rebuild loses.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..checks import Finding, Met, Review, Severity, changed_rows, review_together
from ..checks.finding import by_gravity
from ..checks.names import dotted
from ..console import counted
from ..databases.catalog import Difference, told
from ..platform import MANAGED_SCHEMAS
from ..state import Risk, State
from ..state.migrations import Migration
from .look import answers, sql
from .session import Run

if TYPE_CHECKING:
    import psycopg

KIND = re.compile(r"([a-z]+(?: [a-z]+)*) ")  # in front of the names of all but tables and columns
COUNTED = 1_000_000  # rows are counted up to here
SMALL = 10_000  # rows, which are read or indexed in some hundredths of a second
TAKES_TIME = frozenset(["blocking-index", "table-rewrite", "widen-column-type", "cluster", "reindex"])
"""Rules about locks that last the longer the more rows there are, and do nothing else."""

RELATIONS = """
select n.nspname, c.relname, c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p')
"""
COLUMNS = "select attname from pg_attribute where attrelid = %s and attnum > 0 and not attisdropped"
# By kind: the object of a name, as pg_depend has it.
FOUND = {
    **dict.fromkeys(["type", "domain"], "'pg_type'::regclass::oid, to_regtype(%s)::oid"),
    **dict.fromkeys(["function", "procedure"], "'pg_proc'::regclass::oid, to_regprocedure(%s)::oid"),
    **dict.fromkeys(["view", "materialized view", "foreign table"], "'pg_class'::regclass::oid, to_regclass(%s)::oid"),
    "schema": "'pg_namespace'::regclass::oid, to_regnamespace(%s)::oid",
    "extension": "'pg_extension'::regclass::oid, (select oid from pg_extension where quote_ident(extname) = %s)",
}


def reviewed(
    migrations: Sequence[Migration],
    connection: psycopg.Connection[Any] | None = None,
    run: Collection[Migration] | None = None,
) -> tuple[Review, ...]:
    """The reviews of files that are applied one after the other, to the database of the connection where there is one.

    Of what is not to be `run` on it, it has the effect already, or it is built anew with it: there nobody waits for a
    lock. None for all.
    """
    texts = [m.sql for m in migrations]
    weigh = Weigher(connection) if connection else None
    found = review_together(texts, weigh.met if weigh else None)
    return tuple(_weighed(r, weigh, waits=run is None or m in run) for m, r in zip(migrations, found, strict=True))


def _weighed(review: Review, weigh: Weigher | None, *, waits: bool) -> Review:
    kept = (f for f in review.findings if waits or f.severity is not Severity.LOCKING)
    return replace(review, findings=by_gravity(w for f in kept if (w := weigh(f) if weigh else f)))


def _tables(connection: psycopg.Connection[Any]) -> dict[str, int]:
    """Every table by its name, as findings write it, with its number in the catalogs."""
    return {dotted((schema, name)): oid for schema, name, oid in connection.execute(RELATIONS)}


class Weigher:
    """Weighs findings against one database; only reads.

    Args:
        connection: To it, in autocommit mode.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        # Where policies would hide rows from us, a count is an error rather than too small.
        connection.execute("set row_security = off")
        self._tables = _tables(connection)
        self._rows: dict[tuple[str, str, int], int] = {}

    @cached_property
    def met(self) -> Met:
        """What the database has."""
        objects, columns, rights, restrictive, functions, triggers = answers(
            self._connection, "met", managed=MANAGED_SCHEMAS
        )
        return Met(
            frozenset(_label(*parts) for parts in objects),
            {dotted(parts): written for *parts, written in columns},
            {(_label(*parts), role): frozenset(held) for *parts, role, held in rights},
            frozenset(f"policy {dotted((name,))} on {dotted(table)}" for name, *table in restrictive),
            {dotted(name): made for *name, made in functions},
            {dotted(table): made for *table, made in triggers},
        )

    def __call__(self, finding: Finding) -> Finding | None:
        """The finding with the number of rows that are lost; None where there is nothing to lose or to lock."""
        import psycopg

        try:
            if finding.severity is Severity.LOCKING:
                return finding if self._is_felt(finding) else None
            lost = self._lost(finding.object) if finding.severity is Severity.DATA_LOSS else None
        except psycopg.Error:
            return finding
        if lost is None:
            return finding
        if not lost and finding.rule.removeprefix("drop-").replace("-", " ") in FOUND:
            return replace(finding, severity=Severity.NOTE, why=f"{finding.why} No rows go with it now.")
        noun = "row" if self._table_of(finding.object) in ("", finding.object) else "value"
        return replace(finding, why=f"{finding.why} {_told(lost, noun)}") if lost else None

    def held(self, label: str) -> int | None:
        """How many rows a table holds, or values a column; None where that cannot be told."""
        import psycopg

        try:
            return self._of_relation(label)
        except psycopg.Error:
            return None

    def _is_felt(self, finding: Finding) -> bool:
        """Whether anybody notices the lock, or rows can make the statement fail; also where that cannot be told."""
        table = self._table_of(finding.object)
        rows = self._count(table, most=SMALL + 1) if table else SMALL + 1
        return rows > SMALL or (rows > 0 and finding.rule not in TAKES_TIME)

    def _table_of(self, label: str) -> str:
        """The table that a table's or a column's name is about; empty where the database has none such."""
        if label in self._tables:
            return label
        return next((t for t in self._tables if label.startswith(f"{t}.")), "")

    def _lost(self, label: str) -> int | None:
        """How many rows or values; None where that cannot be told."""
        words = KIND.match(label)
        kind, name = (words[1], label[words.end() :]) if words else ("", label)
        if not kind:
            return self._of_relation(label) if " on " not in label else None
        if kind == "sequence":
            return self._position(name)
        return self._with(FOUND[kind], name) if kind in FOUND else None

    def _with(self, found: str, name: str) -> int | None:
        """What goes with an object and all that depends on it."""
        there = self._connection.execute(f"select {found}", (name,)).fetchone()
        if not (there and there[1]):
            return None  # it got this name in the files
        rows = self._connection.execute(sql("gone").format(found=found), (name,)).fetchall()
        whole = {dotted(table) for *table, column in rows if column is None}
        parts = {(dotted(table), dotted((column,))) for *table, column in rows if column is not None}
        # Partitions and heirs stand there by themselves.
        return sum(self._count(f"only {t}") for t in whole) + sum(
            self._count(f"only {t}", column) for t, column in parts if t not in whole
        )

    def _of_relation(self, label: str) -> int | None:
        table = self._table_of(label)
        column = label.removeprefix(table).removeprefix(".")
        if not table or (column and not self._has(table, column)):
            return None  # it got this name in the files
        return self._count(table, column)

    def _has(self, table: str, column: str) -> bool:
        found = self._connection.execute(COLUMNS, (self._tables[table],))
        return any(dotted((name,)) == column for (name,) in found)

    def _count(self, table: str, column: str = "", most: int = COUNTED + 1) -> int:
        key = (table, column, most)
        if key not in self._rows:
            where = f" where {column} is not null" if column else ""
            # Both names come from the catalogs, quoted.
            counted = f"select count(*) from (select from {table}{where} limit {most}) r"  # noqa: S608
            row = self._connection.execute(counted).fetchone()
            self._rows[key] = int(row[0]) if row else 0
        return self._rows[key]

    def _position(self, name: str) -> int | None:
        owned = "select count(*) from pg_depend where objid = to_regclass(%s) and deptype in ('a', 'i')"
        row = self._connection.execute(owned, (name,)).fetchone()
        return 0 if row and row[0] else None


def _label(kind: str, *parts: str | None) -> str:
    return f"{kind} {dotted([p for p in parts if p is not None])}".strip()


def _told(number: int, noun: str) -> str:
    held = f"more than {COUNTED:,} {noun}s" if number > COUNTED else counted(number, noun)
    return f"It holds {held} now."


HOLDS = re.compile(r"(table|column) (.+?)(?=: only on )")


def left_out(run: Run, differences: Iterable[Difference]) -> tuple[str, ...]:
    """What of the `differences` to a shadow the local database is going to lose, with what tables and columns hold."""
    lines = told(d for d in differences if d.right is not None)
    with run.local.connection() as connection:
        weigher = Weigher(connection)
        return tuple(HOLDS.sub(lambda m: _counted(weigher, m), line, count=1) for line in lines)


def _counted(weigher: Weigher, found: re.Match[str]) -> str:
    held = weigher.held(found[2])
    noun = "row" if found[1] == "table" else "value"
    return found[0] if held is None else f"{found[0]}, {counted(held, noun)}"


# --- rows that a push can damage ---


def weigh(run: Run, state: State) -> State:
    """Find out, before the plan is shown, which rows of the remote the pending migrations can damage."""
    if not state.pending:
        return replace(state, risk=Risk())
    with run.remote.connection() as connection:
        tables = None if run.settings.backup == "full" else at_risk(state.pending, connection)
        return replace(state, risk=Risk(tables, _size(connection, tables)))


def at_risk(migrations: Iterable[Migration], connection: psycopg.Connection[Any]) -> tuple[str, ...] | None:
    """The tables whose rows these migrations can damage; None where that cannot be told.

    That is what the statements name, and what foreign keys carry a change on to (`on delete cascade` and its like;
    with `truncate … cascade` every referencing table). What triggers do besides is not followed.
    """
    texts = [m.sql for m in migrations]
    changed = changed_rows(*texts)
    tables = _tables(connection)
    losses = [_tables_of(f, tables) for r in review_together(texts) for f in r.data_loss]
    if changed.unknown or not changed.tables <= set(tables) or not all(losses):
        return None
    named = {table for found in losses for table in found} | changed.tables
    reached = _reached(connection, {tables[t] for t in named}, {tables[t] for t in changed.cascades})
    return tuple(sorted(name for name, oid in tables.items() if oid in reached))


def _reached(connection: psycopg.Connection[Any], tables: set[int], emptied: set[int]) -> set[int]:
    """These tables, and those that foreign keys carry a change of them on to."""
    keys = connection.execute(
        "select confrelid, conrelid, confdeltype in ('c', 'n', 'd') or confupdtype in ('c', 'n', 'd')"
        " from pg_constraint where contype = 'f'"
    ).fetchall()
    found, gone = set(tables), set(emptied)
    while True:
        gone |= {to for start, to, _ in keys if start in gone}
        further = (gone | {to for start, to, carries in keys if start in found and carries}) - found
        if not further:
            return found
        found |= further


def _size(connection: psycopg.Connection[Any], tables: tuple[str, ...] | None) -> str:
    """How much these tables take on the server's disk, such as `12 MB`; all of the user's for None."""
    known = _tables(connection)
    oids = [known[t] for t in (known if tables is None else tables) if not t.startswith(("pg_", "information_schema."))]
    row = connection.execute(
        "select pg_size_pretty(coalesce(sum(pg_total_relation_size(oid)), 0)::bigint) from unnest(%s::oid[]) oid",
        (oids,),
    ).fetchone()
    return str(row[0]) if row else ""


def _tables_of(finding: Finding, tables: Iterable[str]) -> list[str]:
    name = finding.object
    if name.startswith("schema "):
        return [t for t in tables if t.startswith(f"{name.removeprefix('schema ')}.")]
    return [t for t in tables if name == t or name.startswith(f"{t}.")]
