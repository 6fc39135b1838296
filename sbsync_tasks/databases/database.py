"""One type for every kind of database: what it is called on screen, and how to connect to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ..endpoint import Endpoint
from ..state import histories
from .connection import connection_to

if TYPE_CHECKING:
    import psycopg

Side = Literal["local", "remote", "shadow"]


@dataclass(frozen=True)
class Identity:
    """Who answers at the other end, as the server itself says.

    Attributes:
        system: The cluster's system identifier.
        started: When the server was started; tells copies of one cluster apart.
        database: The name of the database.
        major: PostgreSQL's major version.
        version: PostgreSQL's version as it is shown, such as 17.10.
    """

    system: str
    started: str
    database: str
    major: int
    version: str

    def same_database(self, other: Identity) -> bool:
        """Whether both are one database, by whatever names or tunnels they were reached."""
        return (self.system, self.started, self.database) == (
            other.system,
            other.started,
            other.database,
        )


@dataclass(frozen=True)
class Database:
    """A database of a run.

    Attributes:
        side: Which part it plays: local, remote or shadow.
        kind: embedded, url, stack, project or linked; how it is rebuilt depends on it.
        endpoint: Where it listens, with its password.
        name: What it is called on screen: local, remote, or the environment's name.
        label: The same with where it is; never holds a password.
        cluster: Its name among the embedded servers of the project, where it is one of them.
    """

    side: Side
    kind: str
    endpoint: Endpoint
    name: str
    label: str
    cluster: str = ""

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection[Any]]:
        """A connection of one's own for the length of the block, kept afterwards; see `connection_to`.

        Raises:
            NoConnectionError: the server cannot be reached; the message says why.
        """
        with connection_to(self.endpoint, self.label) as connection:
            yield connection

    def history(self) -> histories.History:
        """What it has recorded, at this moment."""
        with self.connection() as connection:
            return histories.read(connection)

    def identity(self) -> Identity:
        """Ask the server who it is."""
        with self.connection() as connection:
            return identity(connection)

    @contextmanager
    def at_one_moment(self) -> Iterator[psycopg.Connection[Any]]:
        """The same, to read from alone: what is asked within the block is told of one moment.

        Raises:
            NoConnectionError: as `connection`.
        """
        with self.connection() as connection, connection.transaction(force_rollback=True):
            connection.execute("set transaction isolation level repeatable read, read only")
            yield connection


def identity(connection: psycopg.Connection[Any]) -> Identity:
    """Ask the server at the other end who it is."""
    row = connection.execute(
        "select (select system_identifier::text from pg_control_system()),"
        " extract(epoch from pg_postmaster_start_time())::text, current_database(),"
        " current_setting('server_version_num')::int / 10000, current_setting('server_version')"
    ).fetchone()
    assert row is not None  # noqa: S101 - a select without FROM has one row
    return Identity(str(row[0]), str(row[1]), str(row[2]), int(row[3]), str(row[4]).split()[0])
