"""Reading a database's catalog: one read-only transaction, all queries in one go."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from sbsync_tasks.errors import SbsyncError

from ...platform import MANAGED_SCHEMAS, OPEN_SCHEMAS, PLATFORM_EXTENSIONS, SERVICE_ROLES
from .model import Catalog, CatalogObject

if TYPE_CHECKING:
    from collections.abc import Sequence

    import psycopg

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
SCOPE = "00_scope.sql"


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
    scope = text.pop(SCOPE)
    return tuple((scope + query).encode() for query in text.values())
