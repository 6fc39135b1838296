"""URLs: what is read from one, what is refused, and that a password never shows."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict

from sbsync_tasks.endpoint import Endpoint, parse_url
from sbsync_tasks.errors import ConfigError

SECRET = "tr0ub4dor"
VISIBLE = st.characters(min_codepoint=0x20, exclude_characters="\x7f", exclude_categories=["Cs"])


def test_a_url_is_taken_apart() -> None:
    url = "postgresql://us%40er:p%23w@db.example.com:6543/my%2Fdb?sslmode=require"
    endpoint = parse_url(url, "here")
    assert endpoint == Endpoint(
        "db.example.com", 6543, "my/db", "us@er", "p#w", MappingProxyType({"sslmode": "require"})
    )


def test_port_and_database_have_defaults() -> None:
    endpoint = parse_url("postgres://me@[::1]", "here")
    assert (endpoint.host, endpoint.port, endpoint.database) == ("::1", 5432, "postgres")
    assert endpoint.password == ""


@pytest.mark.parametrize(
    "url",
    [
        f"mysql://u:{SECRET}@h/db",
        f"u:{SECRET}@h/db",
        f"postgresql://:{SECRET}@h/db",
        f"postgresql://u:{SECRET}@/db",
        f"postgresql://u:{SECRET}@h:x/db",
        f"postgresql://u:{SECRET}@h:0/db",
        f"postgresql://u:{SECRET}@h:70000/db",
        f"postgresql://u:{SECRET}@h,other/db",
        f"postgresql://u:{SECRET}@%2Fvar%2Frun/db",
        f"postgresql://u:{SECRET}@h/db/more",
        f"postgresql://u:{SECRET}@h/db#more",
        f"postgresql://u:{SECRET}#x@h/db",
        f"postgresql://u:{SECRET}/x@h/db",
        f"postgresql://u:12?{SECRET}@h/db",
        f"postgresql://a@u:12?{SECRET}@h/db",
        f"postgresql://u:[{SECRET}@h/db",
        f"postgresql://u:{SECRET}%zz@h/db",
        f"postgresql://u:{SECRET}%0a@h/db",
        f"postgresql://u:{SECRET}%ff@h/db",
        f"postgresql://u:{SECRET}\n@h/db",
        f"postgresql://u:{SECRET} @h/db",
        f"postgresql://u@h/db?password={SECRET}",
        f"postgresql://u:{SECRET}@localhost/db?host=other",
        f"postgresql://u:{SECRET}@h/db?sslmode=disable&sslmode=require",
        "",
    ],
)
def test_a_malformed_url_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_url(url, "SUPABASE_DB_URL (.env:1)")
    assert caught.value.message.startswith("SUPABASE_DB_URL (.env:1) is no Postgres URL: ")
    assert SECRET not in caught.value.message + caught.value.hint
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@settings(deadline=None)
@given(
    user=st.text(VISIBLE, min_size=1),
    password=st.text(VISIBLE),
    database=st.text(VISIBLE, min_size=1),
    host=st.sampled_from(["localhost", "10.0.0.7", "::1", "db.example.com"]),
    port=st.integers(1, 65535),
)
def test_what_is_written_is_read_again(user: str, password: str, database: str, host: str, port: int) -> None:
    endpoint = Endpoint(host, port, database, user, password, MappingProxyType({"sslmode": "x y"}))
    assert replace(parse_url(endpoint.url, "here"), password=password) == endpoint


@settings(deadline=None)
@given(user=st.text(VISIBLE, min_size=1), database=st.text(VISIBLE, min_size=1))
def test_libpq_reads_the_url_as_we_do(user: str, database: str) -> None:
    endpoint = Endpoint("::1", 5433, database, user, "", MappingProxyType({"sslmode": "prefer"}))
    read = conninfo_to_dict(endpoint.url)
    assert read == {
        "host": "::1", "port": "5433", "dbname": database, "user": user, "sslmode": "prefer",
    }  # fmt: skip


def test_the_password_is_in_the_connection_and_nowhere_else() -> None:
    endpoint = parse_url(f"postgresql://u:{SECRET}@h/db", "here")
    assert endpoint.conninfo()["password"] == SECRET
    assert SECRET not in repr(endpoint) + endpoint.url + endpoint.label


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("::1", True),
        ("127.example.com", False),
        ("localhost.example.com", False),
        ("0.0.0.0", False),
        ("10.0.0.1", False),
        ("db.abcdefghijklmnopqrst.supabase.co", False),
    ],
)
def test_only_loopback_is_this_machine(host: str, *, here: bool) -> None:
    assert Endpoint(host, 5432, "postgres", "postgres").is_loopback is here


def test_a_passfile_line_escapes_what_libpq_splits_at() -> None:
    endpoint = Endpoint("::1", 5432, "db", "u", r"a:b\c")
    assert endpoint.passfile_line == r"\:\:1:5432:db:u:a\:b\\c"


def test_an_ipv6_address_is_shown_in_brackets() -> None:
    assert Endpoint("::1", 5432, "d", "u").label == "u@[::1]:5432/d"
