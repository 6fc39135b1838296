"""What two databases hold of the user's, as statements: what one has and the other lacks is what to write.

One table of kinds: each query of `sql/` prints what it finds as the statement that makes it, in PostgreSQL's own words
(`pg_get_…def`, `pg_get_expr`, `pg_identify_object`), and is run on both sides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal

from ..databases.catalog.read import SETTINGS
from ..platform import MANAGED_SCHEMAS, OPEN_SCHEMAS, PLATFORM_EXTENSIONS, SERVICE_ROLES

if TYPE_CHECKING:
    import psycopg

Stage = Literal["create", "attribute"]
SCOPE = "scope.sql"


@dataclass(frozen=True)
class Fact:
    """One object or one attribute of an object.

    Attributes:
        stage: Whether it is a whole object or an attribute of one.
        make: The statement that brings it about; None where only pg_dump can write it.
        undo: The statement that takes it away; None where it cannot be absent.
        again: It is taken away before it is made otherwise.
        definition: What is compared where there is no statement.
        oids: The object's catalog and oid; empty for an attribute.
    """

    stage: Stage
    make: str | None
    undo: str | None
    again: bool
    definition: str | None
    oids: tuple[int, ...]

    def same(self, other: Fact) -> bool:
        """Whether both databases have it alike."""
        return (self.make, self.definition) == (other.make, other.definition)


Facts = Mapping[str, Fact]


def read_facts(connection: psycopg.Connection[Any], schemas: Sequence[str] = ()) -> Facts:
    """All facts of a database by what they are called, such as `default of public.t.c`.

    Nothing is written, and settings are as before afterwards; an open transaction stays open.
    """
    with connection.transaction(force_rollback=True):
        settings = (
            *SETTINGS, ("sbsync.managed", MANAGED_SCHEMAS), ("sbsync.open", "\n".join(OPEN_SCHEMAS)),
            ("sbsync.service_roles", SERVICE_ROLES), ("sbsync.schemas", "\n".join(schemas)),
            ("sbsync.extensions", "\n".join(PLATFORM_EXTENSIONS)),
        )  # fmt: skip
        for setting in settings:
            connection.execute("select set_config(%s, %s, true)", setting, prepare=False)
        return dict(_facts(connection))


def _facts(connection: psycopg.Connection[Any]) -> Iterator[tuple[str, Fact]]:
    from psycopg.rows import tuple_row

    for query in _queries():
        with connection.cursor(row_factory=tuple_row) as cursor:
            for key, stage, make, undo, again, definition, *oids in cursor.execute(query, prepare=False):
                yield key, Fact(stage, make, undo, again, definition, tuple(oids if oids[0] else ()))


@cache
def _queries() -> tuple[bytes, ...]:
    text = {file.name: file.read_text(encoding="utf-8") for file in files(__package__).joinpath("sql").iterdir()}
    scope = text.pop(SCOPE)
    return tuple((scope + query).encode() for _, query in sorted(text.items()))
