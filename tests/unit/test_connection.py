"""Why a server cannot be reached, told apart; libpq's own words are the test data."""

import socket

import psycopg
import pytest

from sbsync_tasks.databases import connection as module
from sbsync_tasks.databases.connection import (
    CAUSES,
    NO_INHERITANCE,
    cause_of,
    connect,
    connection_to,
    disconnect,
    may_pass,
    way_on,
)
from sbsync_tasks.endpoint import Endpoint
from sbsync_tasks.errors import SbsyncError

SECRET = "tr0ub4dor&3"
THERE = Endpoint("db.example.com", 6543, "app", "ann", SECRET)
AT = 'connection to server at "db.example.com" (203.0.113.7), port 6543 failed: '

SAID = {
    "password": (AT + 'FATAL:  password authentication failed for user "ann"', "refused the password of user ann"),
    "no password": (AT + "fe_sendauth: no password supplied", "refused the password of user ann"),
    "pooler's password": (AT + "FATAL:  SASL authentication failed", "refused the password of user ann"),
    "pooler's user": (AT + "FATAL:  Tenant or user not found", "the pooler knows no such project or user"),
    "name, Linux": (
        'could not translate host name "db.example.com" to address: Name or service not known',
        "the name db.example.com cannot be resolved",
    ),
    "name, macOS": (
        "[Errno 8] nodename nor servname provided, or not known",
        "the name db.example.com cannot be resolved",
    ),
    "name, psycopg": (
        "failed to resolve host 'db.example.com': [Errno -2] Name or service not known",
        "the name db.example.com cannot be resolved",
    ),
    "nobody listens": (
        AT + "Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?",
        "nothing listens at db.example.com port 6543",
    ),
    "IPv6 only": (AT + "Network is unreachable", "cannot be reached from this network"),
    "no route": (AT + "No route to host", "cannot be reached from this network"),
    "no address": (AT + "Cannot assign requested address", "cannot be reached from this network"),
    "timeout, psycopg": ("connection timeout expired", "db.example.com port 6543 gave no answer in time"),
    "timeout, system": (AT + "Connection timed out", "db.example.com port 6543 gave no answer in time"),
    "no TLS": (AT + "server does not support SSL, but SSL was required", "offers no encryption"),
    "certificate": (AT + "SSL error: certificate verify failed", "certificate could not be verified"),
    "certificate, another name": (
        AT + 'server certificate for "other" does not match host name "db.example.com"',
        "certificate could not be verified",
    ),
    "root certificate": (
        AT + 'root certificate file "/x/root.crt" does not exist',
        "certificate could not be verified",
    ),
    "TLS, otherwise": (AT + "SSL error: wrong version number", "the encrypted connection failed"),
    "TLS, cut off": (AT + "SSL SYSCALL error: EOF detected", "the encrypted connection failed"),
    "TLS wanted, pooler": (AT + "FATAL:  SSL connection is required", "does not admit such a connection of user ann"),
    "TLS wanted": (
        AT + 'FATAL:  no pg_hba.conf entry for host "198.51.100.1", user "ann", database "app", no encryption',
        "does not admit such a connection of user ann",
    ),
    "pooler's user, newer": (
        AT + "FATAL:  (ENOTFOUND) tenant/user ann.abc not found",
        "the pooler knows no such project or user",
    ),
    "blocked": (
        AT + "FATAL:  (ECIRCUITBREAKER) too many authentication failures, new connections are temporarily blocked",
        "this address is blocked for a while",
    ),
    "restricted": (
        AT + "FATAL:  Address not in tenant allow_list: {198, 51, 100, 1}",
        "this one is not among them",
    ),
    "pooler, no name": (
        AT + "FATAL:  Connection failed {:error, :nxdomain} to 'db.x.supabase.co':5432",
        "the pooler cannot reach the project's database",
    ),
    "pooler, no address": (
        AT + "FATAL:  Connection failed {:error, :eaddrnotavail} to 'db.x.supabase.co':5432",
        "the pooler cannot reach the project's database",
    ),
    "pooler, queue": (
        AT + 'FATAL:  Authentication error, reason: "Authentication query failed: connection not available"',
        "the pooler cannot reach the project's database",
    ),
    "an option": ('invalid sslmode value: "x"', "has a value that PostgreSQL does not know"),
    "another option": ('invalid target_session_attrs value: "x"', "has a value that PostgreSQL does not know"),
    "a third option": ("bad value for connect_timeout: 'x'", "has a value that PostgreSQL does not know"),
    "a number": ('invalid integer value "x" for connection option "port"', "has a value that PostgreSQL does not know"),
    "starting": (AT + "FATAL:  the database system is starting up", "starting up or shutting down"),
    "no name server": (
        "failed to resolve host 'db.example.com': [Errno -3] Temporary failure in name resolution",
        "no name server answered",
    ),
    "another protocol": (AT + "received invalid response to SSL negotiation: H", "is no PostgreSQL server"),
    "another protocol, no TLS": (
        AT + "expected authentication request from server, but received H",
        "is no PostgreSQL server",
    ),
    "broken off": (AT + "server closed the connection unexpectedly", "broke the connection off"),
    "broken off, reset": (AT + "could not receive data from server: Connection reset by peer", "broke the connection"),
    "database": (AT + 'FATAL:  database "app" does not exist', "no database app, or no role ann"),
    "role": (AT + 'FATAL:  role "ann" does not exist', "no database app, or no role ann"),
    "full": (AT + "FATAL:  sorry, too many clients already", "has no connection left"),
    "full, connections": (AT + 'FATAL:  too many connections for role "ann"', "has no connection left"),
    "full, slots": (
        AT + "FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute",
        "has no connection left",
    ),
    "full, pooler": (AT + "FATAL:  MaxClientsInSessionMode: max clients reached", "has no connection left"),
}


@pytest.mark.parametrize("case", SAID)
def test_each_cause_has_its_message(case):
    text, expected = SAID[case]
    found = cause_of(text, THERE)
    assert expected in found.what
    assert found.hint
    assert "{e" not in found.what + found.hint
    assert SECRET not in found.what + found.hint


def test_each_needle_is_reached_by_a_text_of_a_real_server():
    texts = [text.lower() for text, _ in SAID.values()]
    for needle in (n for cause in CAUSES for n in cause.needles):
        assert any(needle in text for text in texts), needle


# What a project's direct connection is told instead: it has IPv6 only, bans addresses, and is paused when unused.
OF_PROJECT = {
    "name, Linux": ("the name db.{ref}.supabase.co cannot be resolved", "paused"),
    "nobody listens": ("refuses connections from this address", "Network Bans"),
    "IPv6 only": ("has an IPv6 address only", "session pooler"),
    "timeout, system": ("gave no answer in time", "paused"),
    "no name server": ("no name server answered", "DNS"),
}


@pytest.mark.parametrize("case", OF_PROJECT)
def test_a_project_has_causes_of_its_own(case):
    ref = "abcdefghijklmnopqrst"
    expected, way_out = OF_PROJECT[case]
    found = cause_of(SAID[case][0], Endpoint(f"db.{ref}.supabase.co", 5432, "postgres", "postgres", SECRET))
    assert expected.format(ref=ref) in found.what
    assert way_out in found.hint


def test_each_cause_of_a_project_is_tested():
    texts = [SAID[case][0].lower() for case in OF_PROJECT]
    for cause in (cause for cause in CAUSES if cause.of_projects):
        assert any(map(cause.fits, texts)), cause


MAY_PASS = {
    "timeout, psycopg", "timeout, system", "starting", "no name server", "broken off", "broken off, reset", "full",
    "full, connections", "full, slots", "full, pooler", "nobody listens",
}  # fmt: skip


@pytest.mark.parametrize("case", SAID)
def test_only_what_may_pass_by_itself_is_tried_again(case):
    """Above all no refused password: the platform bans the address of whoever sends several."""
    assert may_pass(SAID[case][0], THERE) is (case in MAY_PASS)


@pytest.mark.parametrize("text", ["bad value for connect_timeout: 'x'", 'invalid sslmode value: "x"'])
def test_an_option_that_means_nothing_is_not_tried_again(text):
    assert cause_of(text, THERE).of_settings
    assert not may_pass(text, THERE)


def test_a_refused_port_of_this_machine_is_not_tried_again():
    here = Endpoint("127.0.0.1", 5432, "app", "ann", SECRET)
    assert not may_pass(SAID["nobody listens"][0], here)


def test_an_unknown_cause_is_shown_in_the_servers_words():
    found = cause_of("something\nnever heard of\n", THERE)
    assert (found.what, found.hint) == ("never heard of", "Check host, port and user.")


def test_a_statement_that_took_too_long_has_a_way_on():
    assert "statement_timeout" in way_on("canceling statement due to statement timeout")
    assert way_on("division by zero") == ""


def test_a_port_where_nobody_listens():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: the port is refused, and nobody else gets it
        port = taken.getsockname()[1]
        with pytest.raises(SbsyncError) as caught:
            connect(Endpoint("127.0.0.1", port, "postgres", "postgres", SECRET), "remote (x)")
    assert caught.value.message == f"No connection to remote (x): nothing listens at 127.0.0.1 port {port}."
    assert caught.value.exit_code == 1
    assert SECRET not in f"{caught.value.message}{caught.value.hint}"


def test_a_name_that_nobody_has():
    with pytest.raises(SbsyncError, match=r"the name nobody\.invalid cannot be resolved"):
        connect(Endpoint("nobody.invalid", 5432, "postgres", "postgres", SECRET), "remote")


def test_variables_of_the_shell_play_no_part(mocker, monkeypatch):
    """libpq takes what a call leaves out from PG* variables: nothing that leads elsewhere is left out."""
    opened = mocker.patch("psycopg.connect", side_effect=psycopg.OperationalError("no password supplied"))
    with pytest.raises(SbsyncError):
        connect(THERE, "remote")
    given = opened.call_args.kwargs
    assert {"host", "port", "dbname", "user", "password", *NO_INHERITANCE} <= set(given)
    assert (given["host"], given["port"], given["dbname"], given["user"]) == ("db.example.com", 6543, "app", "ann")
    assert (given["options"], given["hostaddr"], given["passfile"]) == ("", "", "")
    assert given["connect_timeout"] == 10
    assert given["autocommit"] is True


def test_the_urls_own_options_win(mocker):
    opened = mocker.patch("psycopg.connect", side_effect=psycopg.OperationalError("no password supplied"))
    there = Endpoint("h", 1, "d", "u", "p", {"sslmode": "verify-full", "connect_timeout": "3", "options": "-c a=b"})
    with pytest.raises(SbsyncError):
        connect(there, "remote")
    given = opened.call_args.kwargs
    assert (given["sslmode"], given["connect_timeout"], given["options"]) == ("verify-full", "3", "-c a=b")


# --- what is kept for whoever asks next ---


@pytest.fixture
def opened(mocker):
    """The sessions that are opened, each with the server's end of its socket."""
    made = []

    def session(**_given):
        ours, theirs = socket.socketpair()
        found = mocker.Mock(closed=False, fileno=ours.fileno, theirs=theirs, ours=ours)
        found.close.side_effect = lambda: setattr(found, "closed", True)
        made.append(found)
        return found

    mocker.patch("psycopg.connect", side_effect=session)
    yield made
    disconnect()
    for each in made:
        assert each.closed
        each.ours.close()
        each.theirs.close()


def use(endpoint=THERE):
    with connection_to(endpoint, "remote") as connection:
        return connection


def test_a_connection_is_used_again_as_if_it_were_new(opened):
    first = use()
    first.execute.assert_called_once_with("discard all")
    assert use() is first
    assert len(opened) == 1
    assert use(Endpoint("db.example.com", 6543, "app", "ann", "another password")) is not first
    disconnect()
    assert first.closed
    assert use() is not first


def test_nobody_shares_one(opened):
    with connection_to(THERE, "remote") as one, connection_to(THERE, "remote") as other:
        assert one is not other
    assert {id(use()), id(use())} <= {id(one), id(other)}
    assert len(opened) == 2


def test_what_the_server_has_ended_is_not_used_again(opened):
    first = use()
    first.theirs.close()
    assert use() is not first
    assert first.closed
    with connection_to(THERE, "remote") as second:
        second.theirs.close()
    assert [call.args for call in second.execute.call_args_list] == [("discard all",)]  # when it was given back first
    assert use() is not second


def test_what_has_been_silent_for_long_is_not_used_again(opened, mocker):
    first = use()
    now = module.time.monotonic()
    mocker.patch.object(module.time, "monotonic", return_value=now + module.IDLE + 1)
    assert use() is not first
    assert first.closed


def test_after_an_error_nothing_is_kept(opened):
    with pytest.raises(KeyboardInterrupt), connection_to(THERE, "remote") as first:
        raise KeyboardInterrupt
    assert first.closed
    assert use() is not first
