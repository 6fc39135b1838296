"""What has to be written before the engine is asked: roles, names and parents, from which it would draw wrong ends.

It cannot name a role that is not there as an owner, takes a renamed column for another one, gives a table's column and
a composite type's attribute up with their values, makes an enum again that rows of the old label cannot be cast to,
refuses to replace a domain in use, and drops a table with its rows to give it other parents.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from ..sqltext import literal
from .facts import Both, Facts, Rows
from .kept import moved
from .script import SPARE, Part, added, drops_column, replaces

# Roles that something in this database belongs to or is granted to, or that are members of such a one.
_ROLES = """
select format('%I', r.rolname), concat_ws(' ', 'create role', format('%I', r.rolname),
    case when r.rolcanlogin then 'login' else 'nologin' end, case when not r.rolinherit then 'noinherit' end,
    case when r.rolcreaterole then 'createrole' end, case when r.rolcreatedb then 'createdb' end,
    case when r.rolbypassrls then 'bypassrls' end, case when r.rolreplication then 'replication' end),
  (
    select array_agg(distinct format('grant %I to %I', r.rolname, m.rolname))
    from pg_auth_members a join pg_roles m on m.oid = a.member
    where a.roleid = r.oid and m.rolname !~ current_setting('sbsync.service_roles')
      and coalesce((to_jsonb(a) ->> 'set_option')::bool, true)
  )
from pg_roles r
where r.rolname !~ current_setting('sbsync.service_roles') and not r.rolsuper and r.oid in (
  select refobjid from pg_shdepend where refclassid = 'pg_authid'::regclass
    and dbid = (select oid from pg_database where datname = current_database()))
order by 1
"""
_COLUMNS = """
select c.relkind::text, c.name, a.attnum, format('%I', a.attname),
  format_type(a.atttypid, a.atttypmod), a.attcollation::regcollation::text, a.attgenerated <> ''
from relation c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attinhcount = 0
where c.relkind in ('v', 'c', 'r', 'p', 'f')
order by 2, 3
"""
_LABELS = """
select t.name, array_agg(e.enumlabel::text order by e.enumsortorder),
  array(select distinct a.attrelid::regclass::text from pg_attribute a
    where a.atttypid in (t.oid, t.typarray) and a.attrelid < t.oid and not a.attisdropped)
from pg_enum e join type t on t.oid = e.enumtypid
group by t.name, t.oid, t.typarray
order by 1
"""
# Each column of a domain, as a statement that takes it off the domain.
_DOMAINS = """
select t.name, b.base || ' ' || t.typcollation::regcollation, array(
  select format('ALTER TABLE %s ALTER COLUMN %I TYPE %s', c.oid::regclass, a.attname,
    b.base || case when a.atttypid = t.typarray then '[]' else '' end)
  from pg_attribute a join pg_class c on c.oid = a.attrelid
  where c.relkind in ('r', 'p') and a.atttypid in (t.oid, t.typarray) and not a.attisdropped and a.attinhcount = 0
  order by c.oid, a.attnum)
from type t cross join lateral (select format_type(t.typbasetype, t.typtypmod) as base) b
where t.typtype = 'd'
order by 1
"""
_PARENTS = """
select c.name, c.relispartition,
  coalesce(pg_get_expr(c.relpartbound, c.oid), ''), coalesce(array_agg(i.inhparent::regclass::text order by i.inhseqno)
    filter (where i.inhparent is not null), '{}')
from relation c left join pg_inherits i on i.inhrelid = c.oid
where c.relkind in ('r', 'p', 'f')
group by 1, 2, 3
order by 1
"""
# Each index of a partition, known by the uppermost one that it belongs to.
_PARTITION_INDEXES = """
select format('%I', i.nspname), format('%I', i.relname), concat_ws(' ', pg_partition_root(i.oid), x.indrelid::regclass)
from pg_inherits h join relation i on i.oid = h.inhrelid join pg_index x on x.indexrelid = i.oid
order by 3
"""


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


def roles(both: Both) -> Iterator[Part]:
    """Roles that the database uses and the scratch copy lacks, with their members; a password has to be set by hand."""
    known = {row[0] for row in both.scratch.execute("select format('%I', rolname) from pg_roles").fetchall()}
    for name, create, grants in both.read(_ROLES)[1]:
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
    here, there = map(_columns, both.read(_COLUMNS))
    for owner in sorted(here.keys() & there.keys()):
        relkind, relation = owner
        if relkind in of and (relkind == "v" or _alike(here[owner], there[owner], known=relation in known)):
            for name, other in _renamed(here[owner], there[owner]):
                yield added(_RENAME[relkind].format(relation, name, other), "the same place and type, so renamed")


_RENAME = {
    "v": "ALTER VIEW {} RENAME COLUMN {} TO {}",
    "c": "ALTER TYPE {} RENAME ATTRIBUTE {} TO {} CASCADE",
    **dict.fromkeys("rpf", "ALTER TABLE {} RENAME COLUMN {} TO {}"),
}  # fmt: skip


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
    here, there = map(_columns, both.read(_COLUMNS))
    for owner in sorted(here.keys() & there.keys()):
        relkind, table = owner
        named = {column.name: column for column in there[owner].values()}
        for old in here[owner].values():
            if relkind in "rpf" and old.name in named:
                yield table, old, named[old.name]


def labels(both: Both) -> Iterator[Part]:
    """Labels of enums of as many values that have another name at the same place.

    A type that is younger than a table with a column of it has been made anew: its labels may mean something else.
    """
    here, there = ({name: (texts, older) for name, texts, older in rows} for rows in both.read(_LABELS))
    for name in sorted(here.keys() & there.keys()):
        (old, older_here), (new, older_there) = here[name], there[name]
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
    here, there = ({known: (schema, name) for schema, name, known in rows} for rows in both.read(_PARTITION_INDEXES))
    common = sorted(here.keys() & there.keys())
    new = {here[known]: there[known][1] for known in common if here[known] != there[known]}
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
    here, there = both.read(_DOMAINS)
    wanted = {name: kind for name, kind, _ in there}
    for name, kind, columns in here:
        if wanted.get(name, kind) != kind:
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


@dataclass(frozen=True)
class Parents:
    """What a table inherits from, or is a partition of.

    Attributes:
        names: The parents, in their order.
        bound: A partition's bound; empty for any other table.
    """

    names: tuple[str, ...]
    bound: str


def _parents(rows: Rows) -> dict[str, Parents]:
    return {name: Parents(tuple(parents), bound if partition else "") for name, partition, bound, parents in rows}


def new_parents(both: Both) -> set[str]:
    """Tables that others come to, and that the copy lacks."""
    here, there = map(_parents, both.read(_PARENTS))
    return {parent for name in here.keys() & there.keys() for parent in there[name].names} - here.keys()


def parents(both: Both, facts_here: Facts, facts_there: Facts) -> Iterator[Part]:
    """What gives tables that are in both databases their new parents with their rows in them.

    A table that comes to a parent needs the parent's NOT NULL and CHECK constraints before, and room beside the other
    partitions: those that are to go make it.
    """
    here, there = map(_parents, both.read(_PARENTS))
    moving = [name for name in sorted(here.keys() & there.keys()) if here[name] != there[name]]
    entered = {parent for name in moving for parent in there[name].names}
    for name in sorted(here.keys() - there.keys()):
        if here[name].bound and entered.intersection(here[name].names):
            yield from _left(name, here[name], Parents((), ""))
    for name in moving:
        yield from _left(name, here[name], there[name])
    for name in moving:
        if not there[name].names:
            continue
        for key, fact in facts_there.items():
            ours = facts_here.get(key)
            if _needed(key, name) and fact.make and (ours is None or not ours.same(fact)):
                yield added(fact.make, "needed before a table gets its parent")
        yield from _joined(name, here[name], there[name])


_MOVED = "a table gets other parents and keeps its rows"


def _left(name: str, old: Parents, new: Parents) -> Iterator[Part]:
    for parent in old.names:
        if old.bound:
            yield added(f"ALTER TABLE {parent} DETACH PARTITION {name}", _MOVED)
        elif new.bound or parent not in new.names:
            yield added(f"ALTER TABLE {name} NO INHERIT {parent}", _MOVED)


def _joined(name: str, old: Parents, new: Parents) -> Iterator[Part]:
    for parent in new.names:
        if new.bound:
            yield added(f"ALTER TABLE {parent} ATTACH PARTITION {name} {new.bound}", _MOVED)
        elif old.bound or parent not in old.names:
            yield added(f"ALTER TABLE {name} INHERIT {parent}", _MOVED)


def _needed(key: str, table: str) -> bool:
    return key.startswith(f"not null of {table}.") or (key.startswith("constraint ") and key.endswith(f" on {table}"))
