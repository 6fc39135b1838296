"""What has to be written before the engine is asked: roles, names and parents, from which it would draw wrong ends.

It cannot name a role that is not there as an owner, takes a renamed column of a view for another one, gives a composite
type's renamed attribute up with its values, makes an enum again that rows of the old label cannot be cast to, and drops
a table with its rows to give it other parents.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..databases.catalog.model import MANAGED_SCHEMAS, SERVICE_ROLES
from .script import Part, added

if TYPE_CHECKING:
    import psycopg

    from .facts import Facts

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
select c.relkind::text, format('%I.%I', n.nspname, c.relname), a.attnum, format('%I', a.attname),
  format_type(a.atttypid, a.atttypmod) || ' ' || a.attcollation::regcollation
from pg_class c join pg_namespace n on n.oid = c.relnamespace
  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relkind in ('v', 'c') and n.nspname !~ current_setting('sbsync.managed')
  and c.oid not in (select objid from pg_depend where deptype = 'e')
order by 2, 3
"""
_LABELS = """
select format('%I.%I', n.nspname, t.typname), array_agg(e.enumlabel::text order by e.enumsortorder),
  array(select distinct a.attrelid::regclass::text from pg_attribute a
    where a.atttypid in (t.oid, t.typarray) and a.attrelid < t.oid and not a.attisdropped)
from pg_enum e join pg_type t on t.oid = e.enumtypid join pg_namespace n on n.oid = t.typnamespace
where n.nspname !~ current_setting('sbsync.managed') and t.oid not in (select objid from pg_depend where deptype = 'e')
group by 1, t.oid
order by 1
"""
_PARENTS = """
select format('%I.%I', n.nspname, c.relname), i.inhparent is not null and c.relispartition,
  coalesce(pg_get_expr(c.relpartbound, c.oid), ''), coalesce(array_agg(i.inhparent::regclass::text order by i.inhseqno)
    filter (where i.inhparent is not null), '{}')
from pg_class c join pg_namespace n on n.oid = c.relnamespace left join pg_inherits i on i.inhrelid = c.oid
where c.relkind in ('r', 'p', 'f') and n.nspname !~ current_setting('sbsync.managed')
  and c.oid not in (select objid from pg_depend where deptype = 'e')
group by 1, 2, 3
order by 1
"""


def _read(connection: psycopg.Connection[Any], query: str) -> list[tuple[Any, ...]]:
    with connection.transaction(force_rollback=True):
        for key, value in (
            ("search_path", ""), ("sbsync.managed", MANAGED_SCHEMAS), ("sbsync.service_roles", SERVICE_ROLES),
        ):  # fmt: skip
            connection.execute("select set_config(%s, %s, true)", (key, value), prepare=False)
        return connection.execute(query.encode(), prepare=False).fetchall()


def roles(scratch: psycopg.Connection[Any], target: psycopg.Connection[Any]) -> Iterator[Part]:
    """Roles that the database uses and the scratch copy lacks, with their members; a password has to be set by hand."""
    known = {row[0] for row in scratch.execute("select format('%I', rolname) from pg_roles").fetchall()}
    for name, create, grants in _read(target, _ROLES):
        if name not in known:
            yield added(create, "something here belongs to this role or is granted to it")
            for grant in grants or ():
                yield added(grant, "its members, as in the changed database")


def renames(scratch: psycopg.Connection[Any], target: psycopg.Connection[Any]) -> Iterator[Part]:
    """Columns of views and attributes of composite types that have another name at the same place.

    For a type the place is its number in the catalogs, which no attribute that was dropped and added again keeps.
    """
    here, there = _columns(scratch), _columns(target)
    for owner in sorted(here.keys() & there.keys()):
        old, new = here[owner], there[owner]
        old_names, new_names = {name for name, _ in old.values()}, {name for name, _ in new.values()}
        for place in sorted(old.keys() & new.keys()):
            (name, kind), (other, other_kind) = old[place], new[place]
            if name != other and kind == other_kind and name not in new_names and other not in old_names:
                relkind, relation = owner
                if relkind == "v":
                    yield added(
                        f"ALTER VIEW {relation} RENAME COLUMN {name} TO {other}", "the same place and type, so renamed"
                    )
                else:
                    yield added(
                        f"ALTER TYPE {relation} RENAME ATTRIBUTE {name} TO {other} CASCADE",
                        "the same place and type, so renamed: values stay",
                    )


def labels(scratch: psycopg.Connection[Any], target: psycopg.Connection[Any]) -> Iterator[Part]:
    """Labels of enums of as many values that have another name at the same place.

    A type that is younger than a table with a column of it has been made anew: its labels may mean something else.
    """
    here = {name: (texts, older) for name, texts, older in _read(scratch, _LABELS)}
    there = {name: (texts, older) for name, texts, older in _read(target, _LABELS)}
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


def _literal(text: str) -> str:
    """The text as a literal in which no carriage return stands."""
    quoted = "'" + text.replace("'", "''") + "'"
    return "E" + quoted.replace("\\", "\\\\").replace("\r", "\\r") if "\r" in text else quoted


def _columns(connection: psycopg.Connection[Any]) -> dict[tuple[str, str], dict[int, tuple[str, str]]]:
    found: dict[tuple[str, str], dict[int, tuple[str, str]]] = {}
    for relkind, relation, number, name, kind in _read(connection, _COLUMNS):
        found.setdefault((relkind, relation), {})[number] = (name, kind)
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


def read_parents(connection: psycopg.Connection[Any]) -> dict[str, Parents]:
    """The parents of every table of the user's."""
    rows = _read(connection, _PARENTS)
    return {name: Parents(tuple(parents), bound if partition else "") for name, partition, bound, parents in rows}


def parents(
    here: dict[str, Parents], there: dict[str, Parents], facts_here: Facts, facts_there: Facts
) -> Iterator[Part]:
    """What gives tables that are in both databases their new parents with their rows in them.

    A table that comes to a parent needs the parent's NOT NULL and CHECK constraints before.
    """
    for name in sorted(here.keys() & there.keys()):
        if here[name] == there[name]:
            continue
        yield from _left(name, here[name], there[name])
    for name in sorted(here.keys() & there.keys()):
        if here[name] == there[name] or not there[name].names:
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
