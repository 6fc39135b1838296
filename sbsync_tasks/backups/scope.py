"""What of a database goes into a backup, asked of its catalogs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sbsync_tasks.errors import SbsyncError
from sbsync_tasks.platform import MANAGED_SCHEMAS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import psycopg

# Managed schemas that hold a user's things: accounts, files, policies, the history.
KEPT = ("auth", "storage", "realtime", "extensions", "supabase_migrations")
# Of these, the ones whose rows are worth keeping.
KEPT_DATA = ("auth", "storage", "supabase_migrations")
NAMED_LIMIT = 5

SCHEMAS = """
select nspname, quote_ident(nspname), nspname ~ %(managed)s
from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema' order by 1
"""
# A member of an extension comes back with its extension. A partition counts as its own table.
TABLES = """
select n.nspname, c.relname, format('%%I.%%I', n.nspname, c.relname), n.nspname ~ %(managed)s,
  has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select'),
  c.relkind = 'p', array(
    with recursive child(oid) as (
      select c.oid union select i.inhrelid from pg_inherits i join child on child.oid = i.inhparent
    ) select oid::int8 from child
  ), c.oid::int8
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (
    select from pg_depend d
    where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e'
  )
order by 1, 2
"""


@dataclass(frozen=True)
class Table:
    """A table as the catalogs have it.

    Attributes:
        schema: The schema's name.
        name: The table's name.
        quoted: Both, quoted where needed: what SQL and pg_dump's patterns take.
        managed: Whether the schema is one of Supabase's or an extension's.
        readable: Whether the role that connects may read it.
        partitioned: Whether it holds no rows itself.
        family: The object ids of itself and all below it: partitions, inheriting tables.
        oid: Its object id.
    """

    schema: str
    name: str
    quoted: str
    managed: bool
    readable: bool
    partitioned: bool
    family: tuple[int, ...]
    oid: int


@dataclass(frozen=True)
class Scope:
    """What goes into a backup.

    Attributes:
        whole: Whether everything is to be kept.
        data: Tables whose rows are kept.
        excluded_schemas: Quoted names of schemas of which nothing is kept.
        excluded_data_schemas: The same for rows.
        excluded_tables: Quoted names of tables that cannot be read, in managed schemas.
    """

    whole: bool
    data: tuple[Table, ...]
    excluded_schemas: tuple[str, ...]
    excluded_data_schemas: tuple[str, ...]
    excluded_tables: tuple[str, ...]

    @property
    def left_out(self) -> tuple[str, ...]:
        """What is not in the backup, for the manifest."""
        return (
            "passwords of roles, files in storage, secrets in the vault",
            "rows of materialized views, which a restore makes anew",
            *(f"schema {name}" for name in self.excluded_schemas),
            *(f"table {name} (may not be read)" for name in self.excluded_tables),
        )


def scope(connection: psycopg.Connection[tuple[Any, ...]], tables: Sequence[str] | None) -> Scope:
    """Decide what a backup holds.

    Args:
        connection: To the database, in the transaction whose snapshot the backup has.
        tables: `schema.table`, quoted or not, whose rows are to be kept; None for all.

    Raises:
        SbsyncError: a table of the user's may not be read, or a named one is not there.
    """
    given = {"managed": MANAGED_SCHEMAS}
    schemas = connection.execute(SCHEMAS, given).fetchall()
    found = [_table(row) for row in connection.execute(TABLES, given)]
    _refuse_unreadable([t for t in found if not t.managed and not t.readable])
    without = {quoted for name, quoted, managed in schemas if managed and name not in KEPT}
    without_data = {q for name, q, managed in schemas if managed and name not in KEPT_DATA}
    return Scope(
        whole=tables is None,
        data=_all_data(found) if tables is None else _named(found, tables),
        excluded_schemas=tuple(sorted(without)),
        excluded_data_schemas=tuple(sorted(without_data)),
        excluded_tables=tuple(t.quoted for t in found if t.schema in KEPT and not t.readable),
    )


def _table(row: tuple[Any, ...]) -> Table:
    schema, name, quoted, managed, readable, partitioned, family, oid = row
    return Table(schema, name, quoted, managed, readable, partitioned, tuple(family), oid)


def _all_data(found: list[Table]) -> tuple[Table, ...]:
    kept = [t for t in found if not t.managed or t.schema in KEPT_DATA]
    return tuple(t for t in kept if t.readable and not t.partitioned)


def _named(found: list[Table], names: Sequence[str]) -> tuple[Table, ...]:
    roots = []
    for name in names:
        matches = [t for t in found if name in (t.quoted, f"{t.schema}.{t.name}")]
        if not matches:
            raise SbsyncError(f"There is no table {name}.", "Check the name; it is schema.table.")
        roots += matches
    family = {oid for root in roots for oid in root.family}
    chosen = [t for t in found if t.oid in family]
    _refuse_unreadable([t for t in chosen if not t.readable])
    return tuple(t for t in chosen if not t.partitioned)


def _refuse_unreadable(tables: list[Table]) -> None:
    if tables:
        names = ", ".join(t.quoted for t in tables[:NAMED_LIMIT])
        more = f" and {len(tables) - NAMED_LIMIT} more" if len(tables) > NAMED_LIMIT else ""
        raise SbsyncError(
            f"The backup failed: permission denied to read {names}{more}.",
            "Grant the role that connects SELECT on it, or connect as its owner.",
        )
