"""Connecting to a server, and saying plainly why it could not be done."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..endpoint import Endpoint
from ..errors import SbsyncError

if TYPE_CHECKING:
    import psycopg

CONNECT_TIMEOUT = 10  # seconds
# libpq's own defaults; `without_pg_variables` takes away what has no argument.
NO_INHERITANCE = {
    "hostaddr": "",
    "options": "",
    "passfile": "",
    "sslmode": "prefer",
    "channel_binding": "prefer",
}
_environment = threading.Lock()


def connect(endpoint: Endpoint, label: str) -> psycopg.Connection[Any]:
    """Open a connection in autocommit mode.

    Args:
        endpoint: Where, as whom.
        label: What the database is called on screen.

    Raises:
        SbsyncError: no connection; the message tells the cause apart, the hint says the way out.
    """
    import psycopg

    given = {
        "connect_timeout": CONNECT_TIMEOUT,
        "application_name": "sbsync",
        **endpoint.conninfo(),
    }
    try:
        with without_pg_variables():
            return psycopg.connect(**{**NO_INHERITANCE, **given}, autocommit=True)  # type: ignore[arg-type]
    except psycopg.OperationalError as error:
        what, hint = explain(str(error), endpoint)
        raise SbsyncError(f"No connection to {label}: {what}", hint) from None


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


def explain(text: str, endpoint: Endpoint) -> tuple[str, str]:
    """The cause behind libpq's words, and the way out."""
    lowered = text.lower()
    for needles, what, hint in CAUSES:
        if any(needle in lowered for needle in needles):
            return what.format(e=endpoint), hint.format(e=endpoint)
    return text.strip().splitlines()[-1], "Check host, port and user."


CAUSES: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (
        ("password authentication failed", "no password supplied", "sasl authentication failed"),
        "the server refused the password of user {e.user}.",
        "Check SUPABASE_DB_PASSWORD of this environment (a URL's password has to be percent-encoded).",
    ),
    (
        ("tenant or user not found",),
        "the pooler knows no such project or user.",
        "A pooler's user is postgres.PROJECT_REF, and the region stands in its host name.",
    ),
    (
        (
            "could not translate host name",
            "name or service not known",
            "nodename nor servname",
            "failed to resolve host",
        ),
        "the name {e.host} cannot be resolved.",
        "Check the spelling; a paused project has no name either, and db.<ref>.supabase.co has IPv6 only: "
        "without IPv6 use the session pooler's URL.",
    ),
    (
        ("connection refused",),
        "nothing listens at {e.host} port {e.port}.",
        "Start the server, or check host and port.",
    ),
    (
        ("network is unreachable", "no route to host", "cannot assign requested address"),
        "{e.host} cannot be reached from this network.",
        "db.<ref>.supabase.co has IPv6 only: without IPv6 use the session pooler's URL.",
    ),
    (
        ("timeout", "timed out"),
        "{e.host} port {e.port} gave no answer in time.",
        "A firewall or a network restriction of the project may be in the way.",
    ),
    (
        ("server does not support ssl", "ssl error", "certificate"),
        "the encrypted connection failed ({e.host}).",
        "Check sslmode and sslrootcert in the URL.",
    ),
    (
        ("does not exist",),
        "the server has no database {e.database}, or no role {e.user}.",
        "Check the end of the URL; on Supabase the database is postgres.",
    ),
    (
        ("too many connections", "remaining connection slots", "max clients"),
        "the server has no connection left.",
        "Close other clients, or wait.",
    ),
)
