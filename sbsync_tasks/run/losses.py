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

from ..checks import Finding, Met, Review, Severity, review_together
from ..checks.finding import by_gravity
from ..checks.names import dotted
from ..console import counted
from ..databases.catalog import Difference, told
from ..platform import MANAGED_SCHEMAS
from ..state.migrations import Migration
from .session import Run

if TYPE_CHECKING:
    import psycopg

KIND = re.compile(r"([a-z]+(?: [a-z]+)*) ")  # in front of the names of all but tables and columns
COUNTED = 1_000_000  # rows are counted up to here
SMALL = 10_000  # rows, which are read or indexed in some hundredths of a second
TAKES_TIME = frozenset(["blocking-index", "table-rewrite", "widen-column-type", "cluster", "reindex"])
"""Rules about locks that last the longer the more rows there are, and do nothing else."""

OBJECTS = """
select '', n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
union all select case t.typtype when 'd' then 'domain' else 'type' end, n.nspname, t.typname
from pg_type t join pg_namespace n on n.oid = t.typnamespace
union all select case p.prokind when 'p' then 'procedure' else 'function' end, n.nspname, p.proname
from pg_proc p join pg_namespace n on n.oid = p.pronamespace
union all select 'schema', nspname, null from pg_namespace
union all select 'extension', extname, null from pg_extension
"""
ALL_COLUMNS = """
select n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod) from pg_attribute a
join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p', 'v', 'm', 'f', 'c')
"""
# Of functions of one name, what all of them allow.
RIGHTS = """
with objects (kind, schema, name, acl) as (
  select '', n.nspname, c.relname, c.relacl from pg_class c
  join pg_namespace n on n.oid = c.relnamespace where c.relkind not in ('i', 'I', 'c', 't')
  union all select case p.prokind when 'p' then 'procedure' else 'function' end, n.nspname, p.proname,
    coalesce(p.proacl, acldefault('f', p.proowner)) from pg_proc p join pg_namespace n on n.oid = p.pronamespace
  where n.nspname not in ('pg_catalog', 'information_schema')
  union all select 'schema', nspname, null, nspacl from pg_namespace
  union all select 'default privileges in', n.nspname, null, d.defaclacl from pg_default_acl d
  join pg_namespace n on n.oid = d.defaclnamespace
  where d.defaclobjtype = 'r' and pg_get_userbyid(d.defaclrole) in (current_user, 'postgres')
)
select kind, schema, name, role, array_agg(privilege) from (
  select o.kind, o.schema, o.name, coalesce(r.rolname, 'public') as role, lower(a.privilege_type) as privilege
  from (select *, count(*) over (partition by kind, schema, name) as alike from objects) o
  cross join aclexplode(o.acl) a left join pg_roles r on r.oid = a.grantee
  where a.grantee = 0 or r.rolname in ('anon', 'authenticated')
  group by 1, 2, 3, 4, 5, o.alike having count(*) = o.alike
) held group by 1, 2, 3, 4
"""
FUNCTIONS = """
select n.nspname, p.proname, array_agg(pg_get_functiondef(p.oid) order by p.oid)
from pg_proc p join pg_namespace n on n.oid = p.pronamespace join pg_language l on l.oid = p.prolang
where l.lanname in ('sql', 'plpgsql') and p.prokind in ('f', 'p') and n.nspname !~ %s
and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
group by 1, 2
"""
TRIGGERS = """
select n.nspname, c.relname, array_agg(pg_get_triggerdef(t.oid) order by t.oid)
from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
where not t.tgisinternal and t.tgenabled <> 'D' group by 1, 2
"""
RESTRICTIVE = """
select p.polname, n.nspname, c.relname from pg_policy p join pg_class c on c.oid = p.polrelid
join pg_namespace n on n.oid = c.relnamespace where not p.polpermissive
"""
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
# Tables (without a column) and columns that CASCADE takes along. A composite type without one of its attributes takes
# what the attribute held in every column of it.
GONE = """
with recursive gone (classid, objid, objsubid) as (
  select {found}, 0
  union select further.* from gone g cross join lateral (
    select d.classid, d.objid, d.objsubid from pg_depend d
    where (d.refclassid, d.refobjid) = (g.classid, g.objid) and g.objsubid in (0, d.refobjsubid)
    union all select 'pg_type'::regclass, c.reltype, 0 from pg_class c
    where g.classid = 'pg_class'::regclass and c.oid = g.objid and c.relkind = 'c'
  ) further
)
select n.nspname, c.relname, a.attname from gone g join pg_class c on c.oid = g.objid and c.relkind in ('r', 'p')
join pg_namespace n on n.oid = c.relnamespace
left join pg_attribute a on a.attrelid = g.objid and a.attnum = g.objsubid and g.objsubid > 0
where g.classid = 'pg_class'::regclass and coalesce(a.attgenerated, '') = ''
"""


def reviewed(
    migrations: Sequence[Migration],
    connection: psycopg.Connection[Any] | None = None,
    run: Collection[Migration] | None = None,
) -> tuple[Review, ...]:
    """The reviews of files that are applied one after the other.

    Args:
        migrations: The files.
        connection: To the database that they meet, in autocommit mode; None where none is known.
        run: Those that are going to be run on it; all where it is None. Of the others it has the effect already, or it
            is built anew with them: there nobody waits for a lock.
    """
    texts = [m.sql for m in migrations]
    weigh = Weigher(connection) if connection else None
    found = review_together(texts, weigh.met if weigh else None)
    return tuple(_weighed(r, weigh, waits=run is None or m in run) for m, r in zip(migrations, found, strict=True))


def _weighed(review: Review, weigh: Weigher | None, *, waits: bool) -> Review:
    kept = (f for f in review.findings if waits or f.severity is not Severity.LOCKING)
    return replace(review, findings=by_gravity(w for f in kept if (w := weigh(f) if weigh else f)))


class Weigher:
    """Weighs findings against one database; only reads.

    Args:
        connection: To it, in autocommit mode.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        # Where policies would hide rows from us, a count is an error rather than too small.
        connection.execute("set row_security = off")
        self._tables: dict[str, int] = {
            dotted((schema, name)): oid for schema, name, oid in connection.execute(RELATIONS)
        }
        self._rows: dict[tuple[str, str, int], int] = {}

    @cached_property
    def met(self) -> Met:
        """What the database has."""
        queries = (OBJECTS, ALL_COLUMNS, RIGHTS, RESTRICTIVE, TRIGGERS)
        objects, columns, rights, restrictive, triggers = (self._connection.execute(q).fetchall() for q in queries)
        functions = self._connection.execute(FUNCTIONS, (MANAGED_SCHEMAS,)).fetchall()
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
        rows = self._connection.execute(GONE.format(found=found), (name,)).fetchall()
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
            self._rows[key] = _one(self._connection, counted)
        return self._rows[key]

    def _position(self, name: str) -> int | None:
        there = self._connection.execute("select to_regclass(%s) is not null", (name,)).fetchone()
        if not (there and there[0]):
            return None
        owned = "select count(*) from pg_depend where objid = %s::regclass and deptype in ('a', 'i')"
        row = self._connection.execute(owned, (name,)).fetchone()
        return 0 if row and row[0] else None


def _label(kind: str, *parts: str | None) -> str:
    return f"{kind} {dotted([p for p in parts if p is not None])}".strip()


def _one(connection: psycopg.Connection[Any], statement: str) -> int:
    row = connection.execute(statement).fetchone()
    return int(row[0]) if row else 0


def _told(number: int, noun: str) -> str:
    held = f"more than {COUNTED:,} {noun}s" if number > COUNTED else counted(number, noun)
    return f"It holds {held} now."


HOLDS = re.compile(r"(table|column) (.+?)(?=: only on )")


def left_out(run: Run, differences: Iterable[Difference]) -> tuple[str, ...]:
    """What the local database is going to lose, each thing in a line, tables and columns with what they hold.

    Args:
        run: The run.
        differences: Between a shadow of the files and the local database.
    """
    lines = told(d for d in differences if d.right is not None)
    with run.local.connection() as connection:
        weigher = Weigher(connection)
        return tuple(HOLDS.sub(lambda m: _counted(weigher, m), line, count=1) for line in lines)


def _counted(weigher: Weigher, found: re.Match[str]) -> str:
    held = weigher.held(found[2])
    noun = "row" if found[1] == "table" else "value"
    return found[0] if held is None else f"{found[0]}, {counted(held, noun)}"
