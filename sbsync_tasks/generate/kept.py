"""Rows and positions that a script loses although the schemas are equal afterwards, found by what kept its identity.

A shadow with a script applied is a copy of the shadow before it: a table, a column or a sequence that was dropped and
made again has the same name and another oid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..platform import MANAGED_SCHEMAS
from ..sqltext import literal
from .script import Part, added

if TYPE_CHECKING:
    import psycopg

_TABLES = """
select c.oid::int8, format('%I.%I', n.nspname, c.relname)
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'f') and n.nspname !~ current_setting('sbsync.managed')
  and c.oid not in (select objid from pg_depend where deptype = 'e')
"""
# The sequences that columns take their values from: identities, and those that a default names.
_FED = """
select a.attrelid::int8, a.attnum, s.oid::int8, format('%I.%I', n.nspname, c.relname), format('%I', a.attname),
  format('%I.%I', sn.nspname, s.relname), q.seqincrement, q.seqstart
from pg_depend d
  join pg_class s on s.relkind = 'S'
    and s.oid = case when d.classid = 'pg_class'::regclass then d.objid else d.refobjid end
  join pg_sequence q on q.seqrelid = s.oid
  join pg_namespace sn on sn.oid = s.relnamespace
  left join pg_attrdef f on d.classid = 'pg_attrdef'::regclass and f.oid = d.objid
  join pg_attribute a on a.attrelid = coalesce(f.adrelid, d.refobjid) and a.attnum = coalesce(f.adnum, d.refobjsubid)
  join pg_class c on c.oid = a.attrelid and c.relkind in ('r', 'p')
  join pg_namespace n on n.oid = c.relnamespace
where (d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass and d.deptype = 'i'
    or d.classid = 'pg_attrdef'::regclass and d.refclassid = 'pg_class'::regclass)
  and a.atttypid in ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'numeric'::regtype)
  and n.nspname !~ current_setting('sbsync.managed')
order by 4, 5
"""


@dataclass(frozen=True)
class Identities:
    """What of one moment can hold rows, values or a position.

    Attributes:
        tables: Tables by their oids.
        columns: The oid of a table and the number of a column, with the column's name.
        sequences: The oids of all sequences.
        fed: Which sequence each column takes its values from, and how both are called.
    """

    tables: dict[int, str]
    columns: dict[tuple[int, int], str]
    sequences: frozenset[int]
    fed: tuple[tuple[Any, ...], ...]


def identities(connection: psycopg.Connection[Any]) -> Identities:
    """Who is who in a database at this moment."""
    with connection.transaction(force_rollback=True):
        for key, value in (("search_path", ""), ("sbsync.managed", MANAGED_SCHEMAS)):
            connection.execute("select set_config(%s, %s, true)", (key, value), prepare=False)
        tables = dict(connection.execute(_TABLES.encode(), prepare=False).fetchall())
        columns = connection.execute(
            "select attrelid::int8, attnum, attname from pg_attribute where attnum > 0 and not attisdropped"
            " and attrelid = any (%s::oid[])", (list(tables),)
        ).fetchall()  # fmt: skip
        sequences = connection.execute("select oid::int8 from pg_class where relkind = 'S'").fetchall()
        fed = connection.execute(_FED.encode(), prepare=False).fetchall()
    return Identities(
        tables, {(row[0], row[1]): row[2] for row in columns}, frozenset(row[0] for row in sequences), tuple(fed)
    )


def replaced_tables(before: Identities, after: Identities) -> tuple[str, ...]:
    """Tables that a script drops and makes again: empty ones in the end."""
    gone = {name for oid, name in before.tables.items() if oid not in after.tables}
    return tuple(sorted(gone & set(after.tables.values())))


def positions(before: Identities, after: Identities) -> tuple[Part, ...]:
    """New sequences of columns that were there before are set behind the values that their rows hold.

    A new sequence starts at its beginning, and would give the numbers out once more that the rows have.
    """
    made = []
    for relid, number, sequence, table, column, name, increment, start in after.fed:
        if sequence in before.sequences or (relid, number) not in before.columns:
            continue
        last, further = ("max", "greatest") if increment > 0 else ("min", "least")
        value = f"{further}({last}({column})::bigint + {increment}, {start})"  # of an empty table: the start
        made.append(added(
            f"SELECT setval({literal(name)}, {value}, false) FROM {table}",  # noqa: S608 - names as the server quotes them
            "the sequence is new and the rows are not: it goes on behind them",
        ))  # fmt: skip
    return tuple(made)
