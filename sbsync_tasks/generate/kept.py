"""What stays itself under a change: rows, values and positions that a script loses although the schemas are equal.

Two moments of one copy are told apart by oids: a table, a column or a sequence that was dropped and made again has the
same name and another oid.

Nothing in two databases says that two names are one object. A table is taken for the same where it has all columns at
their places and either its own name, in another schema, or an index (that of its primary key, mostly) that is called as
before: an index keeps its name when its table is renamed. Where columns have other names, too, all indexes have to be
called as before. A partition is known by its bound in place of that; what all partitions inherit tells nothing. A type
is taken for the same where it is defined alike: it makes no difference.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..sqltext import literal
from .facts import Both, Rows, read
from .script import SPARE, Part, added

if TYPE_CHECKING:
    import psycopg

_KEPT = (
    "select oid::int8, name from relation where relkind in ('r', 'p', 'f')",
    """
select a.attrelid::int8, a.attnum, a.attname from relation c join pg_attribute a on a.attrelid = c.oid
where c.relkind in ('r', 'p', 'f') and a.attnum > 0 and not a.attisdropped
""",
    "select oid::int8 from pg_class where relkind = 'S'",
    # The sequences that columns take their values from: identities, and those that a default names.
    """
select a.attrelid::int8, a.attnum, s.oid::int8, c.name, format('%I', a.attname), s.oid::regclass::text, q.seqincrement,
  q.seqstart
from pg_depend d
  join pg_class s on s.relkind = 'S'
    and s.oid = case when d.classid = 'pg_class'::regclass then d.objid else d.refobjid end
  join pg_sequence q on q.seqrelid = s.oid
  left join pg_attrdef f on d.classid = 'pg_attrdef'::regclass and f.oid = d.objid
  join pg_attribute a on a.attrelid = coalesce(f.adrelid, d.refobjid) and a.attnum = coalesce(f.adnum, d.refobjsubid)
  join relation c on c.oid = a.attrelid and c.relkind in ('r', 'p')
where (d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass and d.deptype = 'i'
    or d.classid = 'pg_attrdef'::regclass and d.refclassid = 'pg_class'::regclass)
  and a.atttypid in ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'numeric'::regtype)
order by 4, 5
""",
)
# Types go without their schema: they may have moved along.
_TABLES = """
select 'table', format('%I', c.nspname), format('%I', c.relname),
  case c.relkind when 'p' then 'partitioned' else '' end, (
    select array_agg(array[format('%s %I %s', a.attnum, t.typname, a.atttypmod), format('%I', a.attname)])
    from pg_attribute a join pg_type t on t.oid = a.atttypid
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped),
  array(select i.relname::text from pg_index x join pg_class i on i.oid = x.indexrelid
      where x.indrelid = c.oid and not i.relispartition
    union select pg_get_expr(c.relpartbound, c.oid) || ' of ' || inhparent::regclass from pg_inherits
      where inhrelid = c.oid and c.relispartition)
from relation c where c.relkind in ('r', 'p', 'f')
"""
_TYPES = """
select t.word, format('%I', t.nspname), format('%I', t.typname),
  concat_ws(' ', t.typtype, format_type(nullif(t.typbasetype, 0), t.typtypmod), t.typdefault, t.typnotnull,
    (select string_agg(quote_literal(enumlabel), ', ' order by enumsortorder) from pg_enum where enumtypid = t.oid),
    (select string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' order by a.attnum)
      from pg_attribute a where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped),
    (select string_agg(k.conname || ' ' || pg_get_constraintdef(k.oid), ', ' order by k.conname)
      from pg_constraint k where k.contypid = t.oid and k.contype = 'c')),
  '{}'::text[], '{}'::text[]
from type t where t.typtype in ('c', 'd', 'e')
"""
_SCHEMAS = "select name from space"
# What may not have the name of a table or a type.
_TAKEN = "select oid::regclass::text from pg_class union select oid::regtype::text from pg_type"
_WHY = "the same {} under another name: what is in it stays"


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
    tables, columns, sequences, fed = read(connection, _KEPT)
    named = {(row[0], row[1]): row[2] for row in columns}
    return Identities(dict(tables), named, frozenset(row[0] for row in sequences), tuple(fed))


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


@dataclass(frozen=True)
class Named:
    """A table or a type.

    Attributes:
        word: What ALTER calls it.
        schema: Where it stands, quoted where needed.
        name: Its own name, quoted where needed.
        definition: Of a type, all that it is; of a table, whether it is partitioned: none becomes so, or ceases to be.
        columns: Of a table, the places and types of its columns, each with the name.
        marks: Of a table, the names of its own indexes; of a partition, its bound as well.
    """

    word: str
    schema: str
    name: str
    definition: str
    columns: frozenset[tuple[str, str]]
    marks: frozenset[str]

    def same_table(self, other: Named) -> bool:
        """Whether the other one, in another database, is taken for this table."""
        ours, theirs = ({shape for shape, _ in each.columns} for each in (self, other))
        if self.definition != other.definition or not ours <= theirs:
            return False
        if self.columns <= other.columns:
            return self.name == other.name or bool(self.marks & other.marks)
        return bool(self.marks) and self.marks <= other.marks

    def same_type(self, other: Named) -> bool:
        """Whether the other one, in another database, is defined as this type is."""
        return (self.word, self.definition) == (other.word, other.definition)


Pairs = list[tuple[Named, Named]]


def moves(both: Both) -> Generator[Part, None, set[str]]:
    """What gives schemas, types and tables of the scratch copy their new names.

    What has its new name already tells more: a type that another one is made of, a partition's parent. So twice.
    Returned are all these names: what has them now is the same, whatever its columns are called.
    """
    known = {f"{new.schema}.{new.name}" for _, new in moved(both)}
    yield from _schemas(both)
    for query, same in 2 * ((_TYPES, Named.same_type), (_TABLES, Named.same_table)):
        schemas = {name for (name,) in both.read(_SCHEMAS)[0]}
        here, there = map(_named, both.read(query))
        for old, new in _pairs(here, there, same):
            if new.schema not in schemas:
                schemas.add(new.schema)
                yield added(f"CREATE SCHEMA {new.schema}", "something moves there")
            known.add(f"{new.schema}.{new.name}")
            yield _moved(old, new, {name for (name,) in read(both.scratch, [_TAKEN])[0]})
    return known


def moved(both: Both) -> Pairs:
    """Types and tables with another name, or in another schema, as they were and as they are.

    A table with columns of a moved type is known only once that type has its new name.
    """
    found: Pairs = []
    for query, same in ((_TYPES, Named.same_type), (_TABLES, Named.same_table)):
        here, there = map(_named, both.read(query))
        found += _pairs(here, there, same)
    return found


def _schemas(both: Both) -> Iterator[Part]:
    """A schema all of whose tables are in one new schema has that name now."""
    here, there = map(_named, both.read(_TABLES))
    old_ones, new_ones = ({name for (name,) in rows} for rows in both.read(_SCHEMAS))
    for schema in sorted(old_ones - new_ones):
        tables = {table for table in here.values() if table.schema == schema}
        to = {(new.schema, old) for old, new in _pairs(here, there, Named.same_table) if old in tables}
        names = {name for name, _ in to}
        if tables and len(to) == len(tables) and len(names) == 1 and names <= new_ones - old_ones:
            yield added(f"ALTER SCHEMA {schema} RENAME TO {names.pop()}", _WHY.format("schema"))


def _pairs(here: Mapping[str, Named], there: Mapping[str, Named], same: Callable[[Named, Named], bool]) -> Pairs:
    """What is gone here and is the same as something new there; of several the one that kept its name, or none."""
    gone = [here[key] for key in sorted(here.keys() - there.keys())]
    come = [there[key] for key in sorted(there.keys() - here.keys())]
    found = [(old, new) for old in gone for new in come if same(old, new)]
    named = _alone([(old, new) for old, new in found if old.name == new.name])
    taken = {each for pair in named for each in pair}
    return named + _alone([pair for pair in found if not taken.intersection(pair)])


def _alone(pairs: Pairs) -> Pairs:
    """Those whose both ends are in no other pair."""
    ends = Counter(each for pair in pairs for each in pair)
    return [pair for pair in pairs if ends[pair[0]] == ends[pair[1]] == 1]


def _moved(old: Named, new: Named, taken: set[str]) -> Part:
    """All in one, and over a name that is not `taken` in either schema: half of it could rename another table."""
    over = new.name
    if old.schema != new.schema and old.name != new.name:
        others = taken - {f"{old.schema}.{old.name}"}
        free = (n for n in (new.name, old.name) if not others & {f"{old.schema}.{n}", f"{new.schema}.{n}"})
        over = next(free, SPARE)
    steps = [
        f"{old.schema}.{old.name} RENAME TO {over}" if old.name != over else "",
        f"{old.schema}.{over} SET SCHEMA {new.schema}" if old.schema != new.schema else "",
        f"{new.schema}.{over} RENAME TO {new.name}" if over != new.name else "",
    ]
    return added(";\n".join(f"ALTER {old.word.upper()} {step}" for step in steps if step), _WHY.format(old.word))


def _named(rows: Rows) -> dict[str, Named]:
    return {
        f"{schema}.{name}{f' {definition}' if word == 'table' else ''}": Named(
            word, schema, name, definition, frozenset(map(tuple, columns or ())), frozenset(marks)
        )
        for word, schema, name, definition, columns, marks in rows
    }
