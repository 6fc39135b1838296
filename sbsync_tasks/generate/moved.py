"""Tables and types that have another name, or stand in another schema: the engine drops them, and makes them anew.

Nothing in two databases says that two names are one object. A table is taken for the same where it has all columns at
their places and either its own name, in another schema, or an index (that of its primary key, mostly) that is called as
before: an index keeps its name when its table is renamed. A partition is known by its bound in place of that; what all
partitions inherit tells nothing. A type is taken for the same where it is defined alike: it makes no difference.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from .both import Both, Rows
from .script import Part, added

# Types go without their schema: they may have moved along.
_TABLES = """
select 'table', format('%I', n.nspname), format('%I', c.relname),
  case c.relkind when 'p' then 'partitioned' else '' end, (
    select array_agg(format('%s %I %I %s', a.attnum, a.attname, t.typname, a.atttypmod))
    from pg_attribute a join pg_type t on t.oid = a.atttypid
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped),
  array(select i.relname::text from pg_index x join pg_class i on i.oid = x.indexrelid
      where x.indrelid = c.oid and not i.relispartition
    union select pg_get_expr(c.relpartbound, c.oid) || ' of ' || inhparent::regclass from pg_inherits
      where inhrelid = c.oid and c.relispartition)
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'f') and n.nspname !~ current_setting('sbsync.managed')
  and c.oid not in (select objid from pg_depend where deptype = 'e')
"""
_TYPES = """
select case t.typtype when 'd' then 'domain' else 'type' end, format('%I', n.nspname), format('%I', t.typname),
  concat_ws(' ', t.typtype, format_type(nullif(t.typbasetype, 0), t.typtypmod), t.typdefault, t.typnotnull,
    (select string_agg(quote_literal(enumlabel), ', ' order by enumsortorder) from pg_enum where enumtypid = t.oid),
    (select string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' order by a.attnum)
      from pg_attribute a where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped),
    (select string_agg(k.conname || ' ' || pg_get_constraintdef(k.oid), ', ' order by k.conname)
      from pg_constraint k where k.contypid = t.oid and k.contype = 'c')),
  '{}'::text[], '{}'::text[]
from pg_type t join pg_namespace n on n.oid = t.typnamespace left join pg_class c on c.oid = t.typrelid
where t.typtype in ('c', 'd', 'e') and coalesce(c.relkind, 'c') = 'c' and n.nspname !~ current_setting('sbsync.managed')
  and t.oid not in (select objid from pg_depend where deptype = 'e')
"""
_SCHEMAS = "select format('%I', nspname) from pg_namespace where nspname !~ current_setting('sbsync.managed')"
_WHY = "the same {} under another name: what is in it stays"


@dataclass(frozen=True)
class Named:
    """A table or a type.

    Attributes:
        word: What ALTER calls it.
        schema: Where it stands, quoted where needed.
        name: Its own name, quoted where needed.
        definition: Of a type, all that it is; of a table, whether it is partitioned: none becomes so, or ceases to be.
        columns: Of a table, its columns with their places and types.
        marks: Of a table, the names of its own indexes; of a partition, its bound as well.
    """

    word: str
    schema: str
    name: str
    definition: str
    columns: frozenset[str]
    marks: frozenset[str]

    def same_table(self, other: Named) -> bool:
        """Whether the other one, in another database, is taken for this table."""
        known = self.name == other.name or bool(self.marks & other.marks)
        return known and self.columns <= other.columns and self.definition == other.definition

    def same_type(self, other: Named) -> bool:
        """Whether the other one, in another database, is defined as this type is."""
        return (self.word, self.definition) == (other.word, other.definition)


Pairs = list[tuple[Named, Named]]


def moves(both: Both) -> Iterator[Part]:
    """What gives schemas, types and tables of the scratch copy their new names.

    What has its new name already tells more: a type that another one is made of, a partition's parent. So twice.
    """
    yield from _schemas(both)
    for query, same in 2 * ((_TYPES, Named.same_type), (_TABLES, Named.same_table)):
        schemas = {name for (name,) in both.read(_SCHEMAS)[0]}
        here, there = map(_named, both.read(query))
        for old, new in _pairs(here, there, same):
            if new.schema not in schemas:
                schemas.add(new.schema)
                yield added(f"CREATE SCHEMA {new.schema}", "something moves there")
            yield from _moved(old, new)


def moved_tables(both: Both) -> Pairs:
    """Tables with another name, or in another schema, as they were and as they are."""
    here, there = map(_named, both.read(_TABLES))
    return _pairs(here, there, Named.same_table)


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


def _moved(old: Named, new: Named) -> Iterator[Part]:
    why = _WHY.format(old.word)
    if old.schema != new.schema:
        yield added(f"ALTER {old.word.upper()} {old.schema}.{old.name} SET SCHEMA {new.schema}", why)
    if old.name != new.name:
        yield added(f"ALTER {old.word.upper()} {new.schema}.{old.name} RENAME TO {new.name}", why)


def _named(rows: Rows) -> dict[str, Named]:
    return {
        f"{schema}.{name}{f' {definition}' if word == 'table' else ''}": Named(
            word, schema, name, definition, frozenset(columns or ()), frozenset(marks)
        )
        for word, schema, name, definition, columns, marks in rows
    }
