"""Connecting to a server, and saying plainly why it could not be done."""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..endpoint import Endpoint
from ..errors import ConfigError, NoConnectionError, SbsyncError
from .trouble import explain, is_bad_option, is_transient

if TYPE_CHECKING:
    import psycopg

CONNECT_TIMEOUT = 10  # seconds, for each address that the host has
# Seconds after which no further try is begun: at most 25 s in all, where the host has one address.
PATIENCE = 15
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 4.0  # seconds between two tries; the pause doubles
# libpq's own defaults; `without_pg_variables` takes away what has no argument.
NO_INHERITANCE = {
    "hostaddr": "",
    "options": "",
    "passfile": "",
    "sslmode": "prefer",
    "channel_binding": "prefer",
}
_environment = threading.Lock()
IDLE = 30.0  # seconds for which a connection is kept; what stands between drops silent ones sooner or later
_keeping = threading.Lock()
_kept: dict[tuple[str, str], list[tuple[float, psycopg.Connection[Any]]]] = {}


@contextmanager
def connection_to(endpoint: Endpoint, label: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection as `connect` makes it, nobody else's within the block; it is kept for whoever asks next.

    What was set in it, such as a lock or a timeout, is undone at the end of the block.

    Raises:
        NoConnectionError, ConfigError: as `connect`.
    """
    key = (endpoint.url, endpoint.password)
    connection = _take(key) or connect(endpoint, label)
    try:
        yield connection
        if not _has_ended(connection):
            connection.execute("discard all")
    except BaseException:
        connection.close()
        raise
    with _keeping:
        _kept.setdefault(key, []).append((time.monotonic(), connection))


def disconnect() -> None:
    """Close what is kept."""
    with _keeping:
        for _, connection in (each for several in _kept.values() for each in several):
            connection.close()
        _kept.clear()


def _take(key: tuple[str, str]) -> psycopg.Connection[Any] | None:
    with _keeping:
        while several := _kept.get(key):
            since, connection = several.pop()
            if time.monotonic() - since < IDLE and not _has_ended(connection):
                return connection
            connection.close()
    return None


def _has_ended(connection: psycopg.Connection[Any]) -> bool:
    """Whether the server has hung up: it says nothing to an idle session but that."""
    return connection.closed or bool(select.select([connection], [], [], 0)[0])


def connect(endpoint: Endpoint, label: str) -> psycopg.Connection[Any]:
    """Open a connection in autocommit mode; what may pass by itself, such as a server's start, is tried again.

    Args:
        endpoint: Where, as whom.
        label: What the database is called on screen.

    Raises:
        NoConnectionError: the message tells the cause apart, the hint says the way out.
        ConfigError: an option of the URL has a value that libpq does not know.
    """
    import psycopg

    patient_until = time.monotonic() + PATIENCE
    pause = FIRST_PAUSE
    while True:
        try:
            return _connect_once(endpoint)
        except (psycopg.OperationalError, psycopg.ProgrammingError) as error:
            text = str(error)
        if not is_transient(text, endpoint) or time.monotonic() + pause > patient_until:
            raise _no_connection(text, endpoint, label)
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


def _connect_once(endpoint: Endpoint) -> psycopg.Connection[Any]:
    import psycopg

    given = {"connect_timeout": CONNECT_TIMEOUT, "application_name": "sbsync", **endpoint.conninfo()}
    with without_pg_variables():
        # What is prepared would be discarded with all else when the connection is given back.
        return psycopg.connect(**{**NO_INHERITANCE, **given}, autocommit=True, prepare_threshold=None)  # type: ignore[arg-type]


def _no_connection(text: str, endpoint: Endpoint, label: str) -> SbsyncError:
    if is_bad_option(text):
        return ConfigError(
            f"No connection to {label}: an option after the ? of its URL has a value that PostgreSQL does not know.",
            "See https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS for the values.",
        )
    what, hint = explain(text, endpoint)
    return NoConnectionError(f"No connection to {label}: {what}", hint)


@contextmanager
def without_pg_variables() -> Iterator[None]:
    """Within the block libpq finds no PG* variable of the user's shell; afterwards all are back.

    Arguments do not win over all of them: PGSERVICE is looked up whatever is given, and PGTZ or PGDATESTYLE have no
    argument (https://www.postgresql.org/docs/current/libpq-envars.html).
    """
    with _environment:
        taken = {key: os.environ.pop(key) for key in list(os.environ) if key.startswith("PG")}
        try:
            yield
        finally:
            os.environ.update(taken)
