"""What of the data losses that a text announces the database that it meets can really have.

A table that the database does not have, or that is empty there, is no loss; a loss says how many rows it takes.
Where the database cannot tell, the finding stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..findings import Finding, Severity
from ..findings.names import dotted
from ..migrations import Migration
from ..sqltext import UnparsableSql, parse

if TYPE_CHECKING:
    import psycopg

Weigh = Callable[[Finding], "Finding | None"]
KIND = re.compile(r"([a-z]+(?: [a-z]+)*) ")  # in front of the names of all but tables and columns
COUNTED = 1_000_000  # rows are counted up to here
# A new name for something that is there: what is dropped under it is not new.
IN_A_BLOCK = re.compile(r"\brename\b|\bset\s+schema\b", re.IGNORECASE)
RENAMING = frozenset(("alter_object_schema_stmt", "rename_stmt"))

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


def unweighed(finding: Finding) -> Finding:
    """For a text that meets no database that is known."""
    return finding


class Weigher:
    """Weighs findings against one database; only reads.

    Args:
        connection: To it, in autocommit mode.
        migrations: The files that the findings are of, all of them.
    """

    def __init__(self, connection: psycopg.Connection[Any], migrations: Iterable[Migration]) -> None:
        self._connection = connection
        self._renames = any(_renames(m.sql) for m in migrations)
        self._tables: dict[str, tuple[int, str]] = {
            dotted((schema, name)): (oid, extension) for schema, name, oid, extension in connection.execute(RELATIONS)
        }
        self._rows: dict[tuple[str, str], int] = {}

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
                return self._count(table, column) if self._has(table, column) else self._absent()
        return self._absent()

    def _absent(self) -> int | None:
        """Nothing of that name is there; under a new name, given above, something may be."""
        return None if self._renames else 0

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
            return self._absent()
        owned = "select count(*) from pg_depend where objid = %s::regclass and deptype in ('a', 'i')"
        row = self._connection.execute(owned, (name,)).fetchone()
        return 0 if row and row[0] else None


def _one(connection: psycopg.Connection[Any], statement: str) -> int:
    row = connection.execute(statement).fetchone()
    return int(row[0]) if row else 0


def _told(rows: int) -> str:
    counted = f"more than {COUNTED:,}" if rows > COUNTED else f"{rows:,}"
    return f"It holds {counted} {'row' if rows == 1 else 'rows'} now."


def _renames(sql: str) -> bool:
    try:
        parsed = parse(sql)
    except UnparsableSql:
        return True
    return any(p.name in RENAMING or (p.name == "do_stmt" and IN_A_BLOCK.search(p.statement.text)) for p in parsed)


def weighed(findings: Iterable[Finding], weigh: Weigh) -> Iterator[Finding]:
    """The findings that are left."""
    for finding in findings:
        kept = weigh(finding)
        if kept is not None:
            yield kept
