"""What a catalog is made of, whose each fact is, what of a database it leaves out; and reading one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Literal

from sbsync_tasks.errors import SbsyncError

from ...platform import MANAGED_SCHEMAS, OPEN_SCHEMAS, PLATFORM_EXTENSIONS, SERVICE_ROLES

if TYPE_CHECKING:
    import psycopg

NOT_COMPARED: tuple[str, ...] = (
    "rows of tables, seeds, last values of sequences",
    "storage buckets and files, auth users, vault secrets, scheduled jobs",
    "roles that own nothing and have no rights; attributes, memberships, passwords, settings of all",
    "cluster and database settings",
    "versions of extensions, comments on them, and the objects that belong to one",
    "the order of a table's columns, and whether a child table has an inherited one by itself too",
    "who granted a privilege",
    "the platform's own objects, but for what users make there and what a migration has a statement about",
    "other schemas that Supabase or an extension manages",
    "user mappings, subscriptions, large objects, security labels, languages",
    "text search parsers and templates, members of operator families",
)

# What the server prints depends on these; an empty search_path makes it qualify every name.
SETTINGS = (
    ("search_path", ""),
    ("datestyle", "ISO, YMD"),
    ("intervalstyle", "postgres"),
    ("timezone", "UTC"),
    ("extra_float_digits", "3"),
    ("bytea_output", "hex"),
    ("quote_all_identifiers", "off"),
    ("statement_timeout", "0"),  # one of the role's is meant for other statements
)
_SCOPE = "00_scope.sql"

Whose = Literal["", "service", "extension"]


@dataclass(frozen=True, order=True)
class CatalogObject:
    """One fact about a database, by name.

    Attributes:
        kind: What it is: `table`, `column`, `policy`, `acl`, `owner`, `rls`, …
        name: Schema-qualified, quoted where needed: `public.t.a`, `"p" on public.t`,
            `anon on table public.t`.
        schema: The schema it stands in, unquoted; empty for none. It follows from the name.
        about: The object that it is a fact about, such as `table storage.objects`; empty where it says that the
            object itself is there.
        whose: Whose object that is: empty for the user's, else a Supabase service's or an extension's member.
    """

    kind: str
    name: str
    schema: str = field(default="", compare=False)
    about: str = field(default="", compare=False)
    whose: Whose = field(default="", compare=False)

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"

    @property
    def object(self) -> str:
        """The object that the fact is about, itself included."""
        return self.about or str(self)


# A fact and its definition: text that is the same on any two servers of one major version.
Catalog = Mapping[CatalogObject, str]

_RELATIONS = ("table", "foreign table", "view", "materialized view", "sequence")
_ROUTINES = ("function", "procedure", "aggregate")
_TYPES = ("type", "enum", "domain", "composite type", "range type")
_KINDS = re.compile(rf"({'|'.join((*_RELATIONS, *_ROUTINES, *_TYPES, 'schema'))}) (.*)", re.DOTALL)


def identity(object_: str) -> tuple[str, str]:
    """What an object is called whatever kind of relation, type or routine it is, and whatever arguments it takes.

    A statement names a view as it names a table, and may leave a function's arguments out.
    """
    match = _KINDS.fullmatch(object_)
    if match is None:
        return ("", plain(object_))
    kind, name = match.groups()
    if kind in _ROUTINES:
        return ("routine", plain(name.partition("(")[0]))
    return ("relation" if kind in _RELATIONS else "type" if kind in _TYPES else kind, plain(name))


def plain(name: str) -> str:
    """A name without the quotes that only a reserved word needs."""
    return re.sub(r'"([a-z_][a-z0-9_$]*)"', r"\1", name)


def read_catalog(connection: psycopg.Connection[tuple[object, ...]], schemas: Sequence[str] = ()) -> Catalog:
    """Read what the database holds, as facts that can be compared with another database's.

    Nothing is written, and the session's settings are as before afterwards. Inside a transaction
    that is already open its snapshot is used, else one of its own (repeatable read).

    Args:
        connection: To the database; the role needs no special rights.
        schemas: Look at these schemas only and leave out what stands in none; empty for all of the
            them; what is the platform's in them is marked as such.

    Raises:
        SbsyncError: the server refused or the connection broke.
    """
    import psycopg
    from psycopg.pq import TransactionStatus

    name = f"{connection.info.dbname} on {connection.info.host}"
    own_transaction = connection.info.transaction_status == TransactionStatus.IDLE
    try:
        with connection.transaction(force_rollback=True):
            return _read(connection, schemas, snapshot=own_transaction)
    except psycopg.Error as error:
        raise SbsyncError(
            f"The catalog of the database {name} could not be read: {_first_line(error)}",
            "Run the command again; nothing was changed.",
        ) from None


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


def _read(connection: psycopg.Connection[tuple[object, ...]], schemas: Sequence[str], *, snapshot: bool) -> Catalog:
    from psycopg.rows import tuple_row

    parameters = {
        "schemas": list(schemas),
        "managed_schemas": MANAGED_SCHEMAS,
        "open_schemas": list(OPEN_SCHEMAS),
        "service_roles": SERVICE_ROLES,
        "platform_extensions": list(PLATFORM_EXTENSIONS),
    }
    cursors = []
    with connection.pipeline():
        if snapshot:
            connection.execute("set transaction isolation level repeatable read, read only")
        for setting in SETTINGS:
            connection.execute("select set_config(%s, %s, true)", setting, prepare=False)
        for query in _queries():
            cursor = connection.cursor(row_factory=tuple_row)
            cursors.append(cursor.execute(query, parameters, prepare=False))
    return {
        CatalogObject(kind, name, schema, about, whose): definition
        for cursor in cursors
        for kind, schema, about, whose, name, definition in cursor
    }


@cache
def _queries() -> tuple[bytes, ...]:
    folder = sorted(files(__package__).joinpath("sql").iterdir(), key=lambda file: file.name)
    text = {file.name: file.read_text(encoding="utf-8") for file in folder}
    scope = text.pop(_SCOPE)
    return tuple((scope + query).encode() for query in text.values())
