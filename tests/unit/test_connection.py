"""Why a server cannot be reached, told apart; libpq's own words are the test data."""

import socket

import psycopg
import pytest

from sbsync_tasks.databases.connection import CAUSES, NO_INHERITANCE, connect, explain
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
    "no TLS": (AT + "server does not support SSL, but SSL was required", "the encrypted connection failed"),
    "certificate": (AT + "SSL error: certificate verify failed", "the encrypted connection failed"),
    "root certificate": (
        AT + 'root certificate file "/x/root.crt" does not exist',
        "the encrypted connection failed",
    ),
    "database": (AT + 'FATAL:  database "app" does not exist', "no database app, or no role ann"),
    "role": (AT + 'FATAL:  role "ann" does not exist', "no database app, or no role ann"),
    "full": (AT + "FATAL:  sorry, too many clients already", "too many clients already"),
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
    what, hint = explain(text, THERE)
    assert expected in what
    assert hint
    assert "{e" not in what + hint
    assert SECRET not in what + hint


def test_each_needle_is_reached_by_a_text_of_a_real_server():
    texts = [text.lower() for text, _ in SAID.values()]
    for needles, _, _ in CAUSES:
        assert any(needle in text for text in texts for needle in needles), needles


def test_an_unknown_cause_is_shown_in_the_servers_words():
    what, hint = explain("something\nnever heard of\n", THERE)
    assert what == "never heard of"
    assert hint == "Check host, port and user."


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
    opened = mocker.patch("psycopg.connect", side_effect=psycopg.OperationalError("connection refused"))
    with pytest.raises(SbsyncError):
        connect(THERE, "remote")
    given = opened.call_args.kwargs
    assert {"host", "port", "dbname", "user", "password", *NO_INHERITANCE} <= set(given)
    assert (given["host"], given["port"], given["dbname"], given["user"]) == ("db.example.com", 6543, "app", "ann")
    assert (given["options"], given["hostaddr"], given["passfile"]) == ("", "", "")
    assert given["connect_timeout"] == 10
    assert given["autocommit"] is True


def test_the_urls_own_options_win(mocker):
    opened = mocker.patch("psycopg.connect", side_effect=psycopg.OperationalError("connection refused"))
    there = Endpoint("h", 1, "d", "u", "p", {"sslmode": "verify-full", "connect_timeout": "3", "options": "-c a=b"})
    with pytest.raises(SbsyncError):
        connect(there, "remote")
    given = opened.call_args.kwargs
    assert (given["sslmode"], given["connect_timeout"], given["options"]) == ("verify-full", "3", "-c a=b")
