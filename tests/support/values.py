"""What rows hold before a change and after it: whether any of it was lost on the way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import psycopg

from sbsync_tasks.platform import MANAGED_SCHEMAS

# A value of one of these is the same text in any other of its set.
SAME_TEXT = (
    {"smallint", "integer", "bigint", "numeric", "text", "character varying(20)"},
    {"boolean", "text", "character varying(20)"}, {"date", "text", "character varying(20)"},
)  # fmt: skip
COLUMNS = f"""
select c.oid::regclass::text, format('%I', a.attname), format_type(a.atttypid, a.atttypmod), a.attgenerated <> '',
  t.typtype in ('c', 'e') or e.typtype in ('c', 'e')
from pg_class c join pg_namespace n on n.oid = c.relnamespace
  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  join pg_type t on t.oid = a.atttypid left join pg_type e on e.oid = t.typelem
where c.relkind = 'r' and n.nspname !~ '{MANAGED_SCHEMAS}'
order by 1, 2
"""


@dataclass(frozen=True)
class Column:
    """What one column of a table holds.

    Attributes:
        kind: Its type.
        generated: Whether its values are worked out.
        named: Whether its type has labels or attributes, which may get other names.
        values: All of them, as text.
    """

    kind: str
    generated: bool
    named: bool
    values: tuple[str | None, ...]

    @property
    def there(self) -> int:
        """How many are not null."""
        return sum(value is not None for value in self.values)


Values = Mapping[tuple[str, str], Column]


def values(connection: psycopg.Connection[tuple[object, ...]]) -> Values:
    """What the tables hold by themselves: rows of children and partitions are theirs."""
    connection.execute("set search_path = ''")
    found = {}
    for table, column, kind, generated, named in connection.execute(COLUMNS.encode()).fetchall():
        query = f"select ({column})::text from only {table} order by 1"
        texts = tuple(row[0] for row in connection.execute(query.encode()).fetchall())
        found[str(table), str(column)] = Column(str(kind), bool(generated), bool(named), texts)  # type: ignore[arg-type]
    return found


def lost(before: Values, after: Values, wanted: Values) -> Iterator[str]:
    """What columns held that the changed database has as well, under whatever name, and no longer hold."""
    for key in sorted(key for key, column in wanted.items() if not column.generated):
        new = after[key]
        old = before.get(key, wanted[key])
        kept = new.values == old.values if key in before and _comparable(old, new) else new.there >= old.there
        if not kept or len(new.values) < len(old.values):
            yield f"{'.'.join(key)}: {old.values} became {new.values}"


def _comparable(old: Column, new: Column) -> bool:
    same = old.kind == new.kind and not old.named
    return same or any({old.kind, new.kind} <= kinds for kinds in SAME_TEXT)
