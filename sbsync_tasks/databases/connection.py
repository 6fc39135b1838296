"""Connecting to a server, and saying plainly why it could not be done.

The words are libpq's (https://www.postgresql.org/docs/current/libpq-connect.html), the server's, and those of
Supabase's pooler (https://supabase.com/docs/guides/database/supavisor).
"""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..endpoint import Endpoint
from ..errors import ConfigError, NoConnectionError
from ..platform import DIRECT_HOST

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
SESSION_POOLER = (
    "Without IPv6 set SUPABASE_DB_URL to the session pooler's URL (port 5432; the dashboard shows it under Connect)."
)
NETWORK_BANS = (
    "Network Bans in the project's database settings (https://supabase.com/dashboard/project/_/database/settings)"
)
REFUSED = "connection refused"


@dataclass(frozen=True)
class Cause:
    """One reason for which a server cannot be reached.

    Attributes:
        needles: Words of libpq's, the server's or the pooler's, of which one stands in the text.
        what: It in words; `{e.host}` and the like are filled in.
        hint: The way out.
        passes: It may pass by itself within seconds. A refused password is never tried again: the platform bans the
            address of whoever sends several wrong ones.
        of_settings: An option of the URL is at fault.
        of_projects: What it is for a hosted project's direct connection, and the way out then.
    """

    needles: tuple[str, ...]
    what: str
    hint: str
    passes: bool = False
    of_settings: bool = False
    of_projects: tuple[str, str] | None = None

    def fits(self, text: str) -> bool:
        """Whether a text tells of it."""
        return any(needle in text.lower() for needle in self.needles)


# The first that fits.
CAUSES = (
    Cause(
        ("invalid sslmode value", "invalid target_session_attrs value", "bad value for", "invalid integer value"),
        "an option after the ? of its URL has a value that PostgreSQL does not know.",
        "See https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS for the values.",
        of_settings=True,
    ),
    Cause(
        ("temporary failure in name resolution",),
        "no name server answered for {e.host}.",
        "Check this machine's network and DNS, then run it again.",
        passes=True,
    ),
    Cause(
        ("ecircuitbreaker", "too many authentication failures"),
        "this address is blocked for a while, after too many refused passwords.",
        f"Correct SUPABASE_DB_PASSWORD first, then wait, or lift the ban under {NETWORK_BANS}.",
    ),
    Cause(
        ("not in tenant allow_list",),
        "the project admits certain addresses only, and this one is not among them.",
        "Add it under Network Restrictions in the project's database settings.",
    ),
    Cause(
        ("tenant or user not found", "tenant/user"),
        "the pooler knows no such project or user.",
        "A pooler's user is postgres.PROJECT_REF, and the region stands in its host name; a paused project is unknown "
        "to it as well.",
    ),
    Cause(
        (":nxdomain", ":eaddrnotavail", "authentication query failed"),
        "the pooler cannot reach the project's database.",
        "It may be paused, restarting or out of connections: the dashboard shows it.",
    ),
    Cause(
        ("ssl connection is required", "no pg_hba.conf entry"),
        "the server does not admit such a connection of user {e.user}.",
        "Where it wants encryption, add ?sslmode=require to the URL; else its pg_hba.conf leaves this address out.",
    ),
    Cause(
        ("password authentication failed", "no password supplied", "sasl authentication failed"),
        "the server refused the password of user {e.user}.",
        "Check SUPABASE_DB_PASSWORD of this environment (a URL's password has to be percent-encoded).",
    ),
    Cause(
        ("the database system is",),
        "the server is starting up or shutting down.",
        "Wait until it is up, then run it again.",
        passes=True,
    ),
    Cause(
        (
            "could not translate host name",
            "name or service not known",
            "nodename nor servname",
            "failed to resolve host",
        ),
        "the name {e.host} cannot be resolved.",
        "Check the spelling.",
        of_projects=(
            "the name {e.host} cannot be resolved.",
            f"Check the ref; a paused project has no name either (restore it in the dashboard). {SESSION_POOLER}",
        ),
    ),
    Cause(
        (REFUSED,),
        "nothing listens at {e.host} port {e.port}.",
        "Start the server, or check host and port.",
        passes=True,
        of_projects=(
            "{e.host} refuses connections from this address.",
            f"After several wrong passwords an address is banned for a while: see {NETWORK_BANS}. The project may also "
            "be restarting, or paused.",
        ),
    ),
    Cause(
        ("network is unreachable", "no route to host", "cannot assign requested address"),
        "{e.host} cannot be reached from this network.",
        "Check host and network; where the host has IPv6 addresses only, this machine needs IPv6 too.",
        of_projects=(
            "{e.host} cannot be reached from this network: the direct connection has an IPv6 address only.",
            SESSION_POOLER,
        ),
    ),
    Cause(
        ("timeout", "timed out"),
        "{e.host} port {e.port} gave no answer in time.",
        "A firewall may be in the way, or the server is overloaded.",
        passes=True,
        of_projects=(
            "{e.host} port {e.port} gave no answer in time.",
            f"The project may be paused, or a firewall in the way. {SESSION_POOLER}",
        ),
    ),
    Cause(
        ("server does not support ssl",),
        "the server offers no encryption, and sslmode asks for it.",
        "Switch TLS on at the server; only where the way to it is safe otherwise, write ?sslmode=disable.",
    ),
    Cause(
        ("certificate",),
        "the server's certificate could not be verified.",
        "Let sslrootcert in the URL name the file of the authority that signed it (a project's is in its database "
        "settings), and the host be the one that the certificate names; sslmode=require encrypts without verifying.",
    ),
    Cause(
        ("received invalid response", "expected authentication request"),
        "what listens at {e.host} port {e.port} is no PostgreSQL server.",
        "Check host and port.",
    ),
    Cause(
        ("ssl error", "ssl syscall"),
        "the encrypted connection failed ({e.host}).",
        "Check sslmode in the URL, and what lies between here and the server.",
    ),
    Cause(
        ("server closed the connection unexpectedly", "connection reset by peer"),
        "{e.host} port {e.port} broke the connection off.",
        "Look into the server's log; something on the way may also cut connections.",
        passes=True,
    ),
    Cause(
        ("does not exist",),
        "the server has no database {e.database}, or no role {e.user}.",
        "Check the end of the URL; on Supabase the database is postgres.",
    ),
    Cause(
        ("too many connections", "too many clients", "remaining connection slots", "max clients"),
        "the server has no connection left.",
        "Close other clients, or wait.",
        passes=True,
    ),
)


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
        if not may_pass(text, endpoint) or time.monotonic() + pause > patient_until:
            cause = cause_of(text, endpoint)
            kind = ConfigError if cause.of_settings else NoConnectionError
            raise kind(f"No connection to {label}: {cause.what}", cause.hint)
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


def _connect_once(endpoint: Endpoint) -> psycopg.Connection[Any]:
    import psycopg

    given = {"connect_timeout": CONNECT_TIMEOUT, "application_name": "sbsync", **endpoint.conninfo()}
    with without_pg_variables():
        # What is prepared would be discarded with all else when the connection is given back.
        return psycopg.connect(**{**NO_INHERITANCE, **given}, autocommit=True, prepare_threshold=None)  # type: ignore[arg-type]


def cause_of(text: str, endpoint: Endpoint) -> Cause:
    """The cause behind libpq's words, with the endpoint's names in it; of an unknown one, its last line."""
    found = next((c for c in CAUSES if c.fits(text)), None)
    if found is None:
        return Cause((), (text.strip().splitlines() or ["no reason was given"])[-1], "Check host, port and user.")
    project = DIRECT_HOST.fullmatch(endpoint.host) and found.of_projects
    what, hint = project or (found.what, found.hint)
    return replace(found, what=what.format(e=endpoint), hint=hint.format(e=endpoint))


def may_pass(text: str, endpoint: Endpoint) -> bool:
    """Whether it is worth trying again in a moment; on this machine a refused port is not."""
    found = [c for c in CAUSES if c.fits(text) and not (endpoint.is_loopback and REFUSED in c.needles)]
    return any(c.passes for c in found) and not any(c.of_settings for c in found)


def way_on(text: str) -> str:
    """What to do about the error of a session that was under way; empty where its words do not tell."""
    if "due to statement timeout" not in text:
        return ""
    return "A statement_timeout of the role or the database is too short for this: raise it, then run again."


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
