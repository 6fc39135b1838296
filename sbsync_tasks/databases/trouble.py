"""Why a server could not be reached: libpq's or the server's words, told apart, each with the way out.

The texts are libpq's (https://www.postgresql.org/docs/current/libpq-connect.html), the server's, and those of
Supabase's pooler (https://supabase.com/docs/guides/database/supavisor).
"""

from __future__ import annotations

import re

from ..endpoint import Endpoint

Cause = tuple[tuple[str, ...], str, str]

# The direct connection of a hosted project.
DIRECT_HOST = re.compile(r"db\.[a-z]{20}\.supabase\.\w+")
SESSION_POOLER = (
    "Without IPv6 set SUPABASE_DB_URL to the session pooler's URL (port 5432; the dashboard shows it under Connect)."
)
NETWORK_BANS = (
    "Network Bans in the project's database settings (https://supabase.com/dashboard/project/_/database/settings)"
)
# What may pass by itself within seconds. A refused password is never tried again: the platform bans the address of
# whoever sends several wrong ones.
TRANSIENT = (
    "timeout",
    "timed out",
    "the database system is",
    "temporary failure in name resolution",
    "server closed the connection unexpectedly",
    "connection reset by peer",
    "too many clients",
    "remaining connection slots",
    "max clients",
)
REFUSED = "connection refused"
# An option of the URL that libpq cannot read.
BAD_OPTION = ("invalid sslmode value", "invalid target_session_attrs value", "bad value for", "invalid integer value")


def explain(text: str, endpoint: Endpoint) -> tuple[str, str]:
    """The cause behind libpq's words, and the way out.

    Args:
        text: What libpq or the server said.
        endpoint: Where the connection was to lead; a hosted project's direct connection has causes of its own.
    """
    lowered = text.lower()
    own = OF_PROJECTS if DIRECT_HOST.fullmatch(endpoint.host) else ()
    for needles, what, hint in (*own, *CAUSES):
        if any(needle in lowered for needle in needles):
            return what.format(e=endpoint), hint.format(e=endpoint)
    lines = text.strip().splitlines() or ["no reason was given"]
    return lines[-1], "Check host, port and user."


def is_transient(text: str, endpoint: Endpoint) -> bool:
    """Whether it is worth trying again in a moment; on this machine a refused port is not."""
    lowered = text.lower()
    if is_bad_option(text):
        return False
    return any(needle in lowered for needle in TRANSIENT) or (REFUSED in lowered and not endpoint.is_loopback)


def is_bad_option(text: str) -> bool:
    """Whether the URL's own options are at fault, rather than anything on the way."""
    return any(needle in text.lower() for needle in BAD_OPTION)


NO_NAME = (
    "could not translate host name",
    "name or service not known",
    "nodename nor servname",
    "failed to resolve host",
)
NO_ROUTE = ("network is unreachable", "no route to host", "cannot assign requested address")
NO_ANSWER = ("timeout", "timed out")
UNVERIFIED = ("certificate",)

# Looked at first where the host is a project's own.
OF_PROJECTS: tuple[Cause, ...] = (
    (
        ("temporary failure in name resolution",),
        "no name server answered for {e.host}.",
        "Check this machine's network and DNS, then run it again.",
    ),
    (
        NO_NAME,
        "the name {e.host} cannot be resolved.",
        f"Check the ref; a paused project has no name either (restore it in the dashboard). {SESSION_POOLER}",
    ),
    (
        (REFUSED,),
        "{e.host} refuses connections from this address.",
        f"After several wrong passwords an address is banned for a while: see {NETWORK_BANS}. The project may also be "
        "restarting, or paused.",
    ),
    (
        NO_ROUTE,
        "{e.host} cannot be reached from this network: the direct connection has an IPv6 address only.",
        SESSION_POOLER,
    ),
    (
        NO_ANSWER,
        "{e.host} port {e.port} gave no answer in time.",
        f"The project may be paused, or a firewall in the way. {SESSION_POOLER}",
    ),
)

CAUSES: tuple[Cause, ...] = (
    (
        ("ecircuitbreaker", "too many authentication failures"),
        "this address is blocked for a while, after too many refused passwords.",
        f"Correct SUPABASE_DB_PASSWORD first, then wait, or lift the ban under {NETWORK_BANS}.",
    ),
    (
        ("not in tenant allow_list",),
        "the project admits certain addresses only, and this one is not among them.",
        "Add it under Network Restrictions in the project's database settings.",
    ),
    (
        ("tenant or user not found", "tenant/user"),
        "the pooler knows no such project or user.",
        "A pooler's user is postgres.PROJECT_REF, and the region stands in its host name; a paused project is unknown "
        "to it as well.",
    ),
    (
        (":nxdomain", ":eaddrnotavail", "authentication query failed"),
        "the pooler cannot reach the project's database.",
        "It may be paused, restarting or out of connections: the dashboard shows it.",
    ),
    (
        ("ssl connection is required", "no pg_hba.conf entry"),
        "the server does not admit such a connection of user {e.user}.",
        "Where it wants encryption, add ?sslmode=require to the URL; else its pg_hba.conf leaves this address out.",
    ),
    (
        ("password authentication failed", "no password supplied", "sasl authentication failed"),
        "the server refused the password of user {e.user}.",
        "Check SUPABASE_DB_PASSWORD of this environment (a URL's password has to be percent-encoded).",
    ),
    (
        ("the database system is",),
        "the server is starting up or shutting down.",
        "Wait until it is up, then run it again.",
    ),
    (
        ("temporary failure in name resolution",),
        "no name server answered for {e.host}.",
        "Check this machine's network and DNS, then run it again.",
    ),
    (NO_NAME, "the name {e.host} cannot be resolved.", "Check the spelling."),
    ((REFUSED,), "nothing listens at {e.host} port {e.port}.", "Start the server, or check host and port."),
    (
        NO_ROUTE,
        "{e.host} cannot be reached from this network.",
        "Check host and network; where the host has IPv6 addresses only, this machine needs IPv6 too.",
    ),
    (
        NO_ANSWER,
        "{e.host} port {e.port} gave no answer in time.",
        "A firewall may be in the way, or the server is overloaded.",
    ),
    (
        ("server does not support ssl",),
        "the server offers no encryption, and sslmode asks for it.",
        "Switch TLS on at the server; only where the way to it is safe otherwise, write ?sslmode=disable.",
    ),
    (
        UNVERIFIED,
        "the server's certificate could not be verified.",
        "Let sslrootcert in the URL name the file of the authority that signed it (a project's is in its database "
        "settings), and the host be the one that the certificate names; sslmode=require encrypts without verifying.",
    ),
    (
        ("received invalid response", "expected authentication request"),
        "what listens at {e.host} port {e.port} is no PostgreSQL server.",
        "Check host and port.",
    ),
    (
        ("ssl error", "ssl syscall"),
        "the encrypted connection failed ({e.host}).",
        "Check sslmode in the URL, and what lies between here and the server.",
    ),
    (
        ("server closed the connection unexpectedly", "connection reset by peer"),
        "{e.host} port {e.port} broke the connection off.",
        "Look into the server's log; something on the way may also cut connections.",
    ),
    (
        ("does not exist",),
        "the server has no database {e.database}, or no role {e.user}.",
        "Check the end of the URL; on Supabase the database is postgres.",
    ),
    (
        ("too many connections", "too many clients", "remaining connection slots", "max clients"),
        "the server has no connection left.",
        "Close other clients, or wait.",
    ),
)
