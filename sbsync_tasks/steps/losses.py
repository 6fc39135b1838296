"""What of the data losses that a text announces the database that it meets can really have.

What it does not have is no loss (`met`), and neither is what is empty there; a loss says how many rows it takes.
Where the database cannot tell, the finding stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..findings import Finding, Met, Review, Severity, review_together
from ..findings.names import dotted
from ..migrations import Migration

if TYPE_CHECKING:
    import psycopg

KIND = re.compile(r"([a-z]+(?: [a-z]+)*) ")  # in front of the names of all but tables and columns
COUNTED = 1_000_000  # rows are counted up to here

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
select n.nspname, c.relname, a.attname from pg_attribute a
join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p', 'v', 'm', 'f', 'c')
"""
RELATIONS = """
select n.nspname, c.relname, c.oid, coalesce(e.extname, '')
from pg_class c join pg_namespace n on n.oid = c.relnamespace
left join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e'
left join pg_extension e on d.refclassid = 'pg_extension'::regclass and e.oid = d.refobjid
where c.relkind in ('r', 'p')
"""
COLUMNS = """
select attname, atttypid, (select oid from pg_type a where a.typarray = atttypid) from pg_attribute
where attrelid = %s and attnum > 0 and not attisdropped
"""
OF_TYPE = """
select n.nspname, c.relname, a.attname from pg_attribute a join pg_class c on c.oid = a.attrelid
join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and not a.attisdropped and a.atttypid in (
  select unnest(array[t.oid, t.typarray]) from pg_type t where t.oid = to_regtype(%s))
"""


def reviewed(migrations: Sequence[Migration], connection: psycopg.Connection[Any] | None = None) -> tuple[Review, ...]:
    """The reviews of files that are applied one after the other.

    Args:
        migrations: The files.
        connection: To the database that they meet, in autocommit mode; None where none is known.
    """
    texts = [m.sql for m in migrations]
    if connection is None:
        return review_together(texts)
    weigh = Weigher(connection)
    found = review_together(texts, weigh.met)
    return tuple(replace(r, findings=tuple(w for f in r.findings if (w := weigh(f)))) for r in found)


class Weigher:
    """Weighs findings against one database; only reads.

    Args:
        connection: To it, in autocommit mode.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._tables: dict[str, tuple[int, str]] = {
            dotted((schema, name)): (oid, extension) for schema, name, oid, extension in connection.execute(RELATIONS)
        }
        self._rows: dict[tuple[str, str], int] = {}

    @cached_property
    def met(self) -> Met:
        """What the database has."""
        rows = self._connection.execute(OBJECTS).fetchall()
        objects = (" ".join(filter(None, (kind, dotted([p for p in parts if p is not None])))) for kind, *parts in rows)
        return Met(frozenset(objects), frozenset(map(dotted, self._connection.execute(ALL_COLUMNS))))

    def __call__(self, finding: Finding) -> Finding | None:
        """The finding with the number of rows that are lost; None where there is nothing to lose."""
        import psycopg

        if finding.severity is not Severity.DATA_LOSS:
            return finding
        try:
            lost = self._lost(finding.object)
        except psycopg.Error:
            return finding
        if lost is None:
            return finding
        return replace(finding, why=f"{finding.why} {_told(lost)}") if lost else None

    def _lost(self, label: str) -> int | None:
        """How many rows or values; None where that cannot be told."""
        words = KIND.match(label)
        kind, name = (words[1], label[words.end() :]) if words else ("", label)
        match kind:
            case "":
                return self._of_relation(label) if " on " not in label else None
            case "schema":
                return sum(self._count(t) for t in self._tables if t.startswith(f"{name}."))
            case "extension":
                return sum(self._count(t) for t, (_, owner) in self._tables.items() if owner == name.strip('"'))
            case "type" | "domain":
                rows = self._connection.execute(OF_TYPE, (name,)).fetchall()
                return sum(self._count(dotted(row[:2]), dotted(row[2:])) for row in rows)
            case "sequence":
                return self._position(name)
        return None

    def _of_relation(self, label: str) -> int | None:
        if label in self._tables:
            return self._count(label)
        for table in self._tables:
            if label.startswith(f"{table}."):
                column = label.removeprefix(f"{table}.")
                return self._count(table, column) if self._has(table, column) else None
        return None  # it got this name in the files

    def _has(self, table: str, column: str) -> bool:
        oid, _ = self._tables[table]
        return any(dotted((name,)) == column for name, *_ in self._connection.execute(COLUMNS, (oid,)))

    def _count(self, table: str, column: str = "") -> int:
        key = (table, column)
        if key not in self._rows:
            where = f" where {column} is not null" if column else ""
            # Both names come from the catalogs, quoted.
            counted = f"select count(*) from (select from {table}{where} limit {COUNTED + 1}) r"  # noqa: S608
            self._rows[key] = _one(self._connection, counted)
        return self._rows[key]

    def _position(self, name: str) -> int | None:
        there = self._connection.execute("select to_regclass(%s) is not null", (name,)).fetchone()
        if not (there and there[0]):
            return None
        owned = "select count(*) from pg_depend where objid = %s::regclass and deptype in ('a', 'i')"
        row = self._connection.execute(owned, (name,)).fetchone()
        return 0 if row and row[0] else None


def _one(connection: psycopg.Connection[Any], statement: str) -> int:
    row = connection.execute(statement).fetchone()
    return int(row[0]) if row else 0


def _told(rows: int) -> str:
    counted = f"more than {COUNTED:,}" if rows > COUNTED else f"{rows:,}"
    return f"It holds {counted} {'row' if rows == 1 else 'rows'} now."
