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
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import SPARE, Part, added
from .facts import Both, Rows, query, read

if TYPE_CHECKING:
    import psycopg

_KINDS = ("types", "tables")
_WHY = "the same {} under another name: what is in it stays"


@dataclass(frozen=True)
class Identities:
    """What of one moment can hold rows, values or a position.

    Attributes:
        tables: Tables by their oids.
        places: The oid of a table and the number of a column; the oid of a sequence and 0.
        fed: For each column that takes its values from a sequence: the oids of both, the column's number, and the
            statement that sets the sequence behind the values of the column.
    """

    tables: dict[int, str]
    places: frozenset[tuple[int, int]]
    fed: Rows


def identities(connection: psycopg.Connection[Any]) -> Identities:
    """Who is who in a database at this moment."""
    tables, places, fed = read(connection, map(query, ("held_tables", "held_places", "fed")))
    return Identities(dict(tables), frozenset(places), fed)


def replaced_tables(before: Identities, after: Identities) -> tuple[str, ...]:
    """Tables that a script drops and makes again: empty ones in the end."""
    gone = {name for oid, name in before.tables.items() if oid not in after.tables}
    return tuple(sorted(gone & set(after.tables.values())))


def positions(before: Identities, after: Identities) -> tuple[Part, ...]:
    """New sequences of columns that were there before are set behind the values that their rows hold.

    A new sequence starts at its beginning, and would give the numbers out once more that the rows have.
    """
    why = "the sequence is new and the rows are not: it goes on behind them"
    return tuple(
        added(statement, why)
        for sequence, table, column, statement in after.fed
        if (sequence, 0) not in before.places and (table, column) in before.places
    )


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

    def same(self, other: Named) -> bool:
        """Whether the other one, in another database, is taken for this one: a type that is defined as it is."""
        if self.word != "table":
            return (self.word, self.definition) == (other.word, other.definition)
        ours, theirs = ({shape for shape, _ in each.columns} for each in (self, other))
        if self.definition != other.definition or not ours <= theirs:
            return False
        if self.columns <= other.columns:
            return self.name == other.name or bool(self.marks & other.marks)
        return bool(self.marks) and self.marks <= other.marks


Pairs = list[tuple[Named, Named]]


def moves(both: Both) -> Generator[Part, None, set[str]]:
    """What gives schemas, types and tables of the scratch copy their new names.

    What has its new name already tells more: a type that another one is made of, a partition's parent. So twice.
    Returned are all these names: what has them now is the same, whatever its columns are called.
    """
    known = {f"{new.schema}.{new.name}" for _, new in moved(both)}
    yield from _schemas(both)
    for kind in 2 * _KINDS:
        schemas = {name for (name,) in both.read("schemas")[0]}
        for old, new in _pairs(*_named(both, kind)):
            if new.schema not in schemas:
                schemas.add(new.schema)
                yield added(f"CREATE SCHEMA {new.schema}", "something moves there")
            known.add(f"{new.schema}.{new.name}")
            yield _moved(old, new, {name for (name,) in read(both.scratch, [query("taken")])[0]})
    return known


def moved(both: Both) -> Pairs:
    """Types and tables with another name, or in another schema, as they were and as they are.

    A table with columns of a moved type is known only once that type has its new name.
    """
    return [pair for kind in _KINDS for pair in _pairs(*_named(both, kind))]


def _schemas(both: Both) -> Iterator[Part]:
    """A schema all of whose tables are in one new schema has that name now."""
    here, there = _named(both, "tables")
    old_ones, new_ones = ({name for (name,) in rows} for rows in both.read("schemas"))
    for schema in sorted(old_ones - new_ones):
        tables = {table for table in here.values() if table.schema == schema}
        to = {(new.schema, old) for old, new in _pairs(here, there) if old in tables}
        names = {name for name, _ in to}
        if tables and len(to) == len(tables) and len(names) == 1 and names <= new_ones - old_ones:
            yield added(f"ALTER SCHEMA {schema} RENAME TO {names.pop()}", _WHY.format("schema"))


def _pairs(here: Mapping[str, Named], there: Mapping[str, Named]) -> Pairs:
    """What is gone here and is the same as something new there; of several the one that kept its name, or none."""
    gone = [here[key] for key in sorted(here.keys() - there.keys())]
    come = [there[key] for key in sorted(there.keys() - here.keys())]
    found = [(old, new) for old in gone for new in come if old.same(new)]
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


def _named(both: Both, kind: str) -> list[dict[str, Named]]:
    """The tables or types of the copy and of the changed database."""
    return [
        {
            f"{schema}.{name}{f' {definition}' if word == 'table' else ''}": Named(
                word, schema, name, definition, frozenset(map(tuple, columns or ())), frozenset(marks)
            )
            for word, schema, name, definition, columns, marks in rows
        }
        for rows in both.read(kind)
    ]
