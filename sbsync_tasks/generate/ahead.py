"""What has to be written before the engine is asked: roles, names and parents, from which it would draw wrong ends.

It cannot name a role that is not there as an owner, takes a renamed column for another one, gives a table's column and
a composite type's attribute up with their values, makes an enum again that rows of the old label cannot be cast to,
refuses to replace a domain in use, and drops a table with its rows to give it other parents.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

from ..sqltext import literal
from . import SPARE, Part, added, drops_column, replaces
from .facts import Both, Facts, Rows
from .kept import moved

_WORDS = {"v": "VIEW", "c": "TYPE"}


def instead_of(parts: Sequence[Part]) -> list[Callable[..., Iterable[object]]]:
    """What may keep rows or values that these statements of the engine's give up; to be asked of both databases."""
    asked: list[Callable[..., Iterable[object]]] = []
    if drops_column(parts, "TYPE"):
        asked.append(partial(renames, of="c"))
    if drops_column(parts, "TABLE"):
        asked += [partial(renames, of="rpf"), plain, collated]
    if replaces(parts, "TYPE"):
        asked.append(labels)
    if replaces(parts, "TABLE"):
        asked.append(moved)
    return asked


def _by_name(rows: Rows) -> dict[Any, Any]:
    return {name: known for name, *known in rows}


def _common(
    both: Both, query: str, read: Callable[[Rows], dict[Any, Any]] = _by_name
) -> Iterator[tuple[Any, Any, Any]]:
    """What both databases have by one name: the name, and what the copy and the changed database have."""
    here, there = map(read, both.read(query))
    return ((name, here[name], there[name]) for name in sorted(here.keys() & there.keys()))


def roles(both: Both) -> Iterator[Part]:
    """Roles that the database uses and the scratch copy lacks, with their members; a password has to be set by hand."""
    known = {row[0] for row in both.scratch.execute("select format('%I', rolname) from pg_roles").fetchall()}
    for name, create, grants in both.read("roles")[1]:
        if name not in known:
            yield added(create, "something here belongs to this role or is granted to it")
            for grant in grants or ():
                yield added(grant, "its members, as in the changed database")


def renames(both: Both, *, of: Collection[str] = "vcrpf", known: Collection[str] = ()) -> Iterator[Part]:
    """Columns of tables and views, and attributes of composite types, that have another name at the same place.

    The place is the number in the catalogs, which nothing keeps that was dropped and added again.

    Args:
        both: The copy and the changed database.
        of: What has them, as `pg_class.relkind` tells.
        known: What is the same even where no column has its name any more.
    """
    for (relkind, relation), here, there in _common(both, "columns", _columns):
        if relkind in of and (relkind == "v" or _alike(here, there, known=relation in known)):
            owner = f"ALTER {_WORDS.get(relkind, 'TABLE')} {relation}"
            part, further = ("ATTRIBUTE", " CASCADE") if relkind == "c" else ("COLUMN", "")
            for name, other in _renamed(here, there):
                yield added(f"{owner} RENAME {part} {name} TO {other}{further}", "the same place and type, so renamed")


class Column(NamedTuple):
    """A column of a table or a view, or an attribute of a composite type."""

    name: str
    kind: str
    collation: str
    generated: bool


Columns = dict[int, Column]
"""What an object has at each place."""


def _alike(old: Columns, new: Columns, *, known: bool) -> bool:
    """Whether the columns that both have are at the same places, so that a place tells the same of both."""
    here, there = ({column: place for place, column in each.items()} for each in (old, new))
    common = here.keys() & there.keys()
    return (known or bool(common)) and all(here[column] == there[column] for column in common)


def _renamed(old: Columns, new: Columns) -> Iterator[tuple[str, str]]:
    here, there = ({column.name for column in each.values()} for each in (old, new))
    for place in sorted(old.keys() & new.keys()):
        (name, *kind), (other, *other_kind) = old[place], new[place]
        if kind == other_kind and name not in there and other not in here:
            yield name, other


def plain(both: Both) -> Iterator[Part]:
    """Generated columns that are ordinary ones in the changed database keep the values that they have."""
    for table, old, new in _in_both(both):
        if old.generated and not new.generated:
            yield added(f"ALTER TABLE {table} ALTER COLUMN {old.name} DROP EXPRESSION", "the column keeps its values")


def collated(both: Both) -> Iterator[Part]:
    """Columns that have another collation, and no other type, keep their values."""
    for table, old, new in _in_both(both):
        if old.kind == new.kind and old.collation != new.collation and not new.generated:
            change = f"ALTER COLUMN {old.name} TYPE {new.kind} COLLATE {new.collation}"
            yield added(f"ALTER TABLE {table} {change}", "the column keeps its values")


def _in_both(both: Both) -> Iterator[tuple[str, Column, Column]]:
    """Each column that a table has in both databases, with the table's name."""
    for (relkind, table), here, there in _common(both, "columns", _columns):
        named = {column.name: column for column in there.values()}
        for old in here.values():
            if relkind in "rpf" and old.name in named:
                yield table, old, named[old.name]


def labels(both: Both) -> Iterator[Part]:
    """Labels of enums of as many values that have another name at the same place.

    A type that is younger than a table with a column of it has been made anew: its labels may mean something else.
    """
    for name, (old, older_here), (new, older_there) in _common(both, "labels"):
        if len(old) != len(new) or not set(older_there) <= set(older_here):
            continue
        for label, other in zip(old, new, strict=True):
            if label not in new and other not in old:
                yield added(
                    f"ALTER TYPE {name} RENAME VALUE {_literal(label)} TO {_literal(other)}",
                    "the same place among as many values, so renamed: rows keep it",
                )


def partition_indexes(both: Both) -> Iterator[Part]:
    """Indexes of partitions that have another name: the engine would drop them, which their parent's forbids."""
    common = _common(both, "partition_indexes")
    new = {tuple(here): there[1] for _, here, there in common if here != there}
    exchanged = [(schema, old) for schema, old in new if (schema, new[schema, old]) in new]
    over = {each: f"{SPARE}_{number}" for number, each in enumerate(exchanged, 1)}
    together = [(*each, spare) for each, spare in over.items()]
    together += [(each[0], spare, new[each]) for each, spare in over.items()]
    for steps in (*([(*each, name)] for each, name in new.items() if each not in over), together):
        if steps:
            text = ";\n".join(f"ALTER INDEX {schema}.{old} RENAME TO {name}" for schema, old, name in steps)
            yield added(text, "the index of a partition, named as in the changed database")


def freed(both: Both) -> Iterator[tuple[str, list[Part]]]:
    """Each domain that has to be made of another type, and what takes its columns off it.

    The engine refuses to replace one in use, and then writes nothing at all.
    """
    for name, (kind, columns), (wanted, _) in _common(both, "domains"):
        if kind != wanted:
            yield name, [added(column, f"{name} is made of another type below") for column in columns]


def _literal(text: str) -> str:
    """The text as a literal in which no carriage return stands."""
    quoted = literal(text)
    return "E" + quoted.replace("\\", "\\\\").replace("\r", "\\r") if "\r" in text else quoted


def _columns(rows: Rows) -> dict[tuple[str, str], Columns]:
    found: dict[tuple[str, str], Columns] = {}
    for relkind, relation, number, *column in rows:
        found.setdefault((relkind, relation), {})[number] = Column(*column)
    return found


def new_parents(both: Both) -> set[str]:
    """Tables that others come to, and that the copy lacks."""
    entered = {parent for _, _, (parents, _) in _common(both, "parents") for parent in parents}
    return entered - {name for name, *_ in both.read("parents")[0]}


def parents(both: Both, facts_here: Facts, facts_there: Facts) -> Iterator[Part]:
    """What gives tables that are in both databases their new parents with their rows in them.

    A table that comes to a parent needs the parent's NOT NULL and CHECK constraints before, and room beside the other
    partitions: those that are to go make it.
    """
    here, there = map(_by_name, both.read("parents"))
    moving = [(name, old, new) for name, old, new in _common(both, "parents") if old != new]
    entered = {parent for _, _, (parents, _) in moving for parent in parents}
    for name in sorted(here.keys() - there.keys()):
        if here[name][1] and entered.intersection(here[name][0]):
            yield from _left(name, here[name], ((), ""))
    for name, old, new in moving:
        yield from _left(name, old, new)
    for name, old, new in moving:
        for key, fact in facts_there.items() if new[0] else ():
            ours = facts_here.get(key)
            if _needed(key, name) and fact.make and (ours is None or not ours.same(fact)):
                yield added(fact.make, "needed before a table gets its parent")
        yield from _joined(name, old, new)


_MOVED = "a table gets other parents and keeps its rows"
Parents = tuple[Sequence[str], str]
"""What a table inherits from, or is a partition of; and a partition's bound, empty for any other table."""


def _left(name: str, old: Parents, new: Parents) -> Iterator[Part]:
    for parent in old[0]:
        if old[1]:
            yield added(f"ALTER TABLE {parent} DETACH PARTITION {name}", _MOVED)
        elif new[1] or parent not in new[0]:
            yield added(f"ALTER TABLE {name} NO INHERIT {parent}", _MOVED)


def _joined(name: str, old: Parents, new: Parents) -> Iterator[Part]:
    for parent in new[0]:
        if new[1]:
            yield added(f"ALTER TABLE {parent} ATTACH PARTITION {name} {new[1]}", _MOVED)
        elif old[1] or parent not in old[0]:
            yield added(f"ALTER TABLE {name} INHERIT {parent}", _MOVED)


def _needed(key: str, table: str) -> bool:
    return key.startswith(f"not null of {table}.") or (key.startswith("constraint ") and key.endswith(f" on {table}"))
