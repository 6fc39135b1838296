"""A remote that cannot be reached: one message for each cause, with the way out; only connecting is tried again."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sbsync_tasks.endpoint import Endpoint
from tests.support import hosted
from tests.support.hosted import Gate, Listener, certificate, host_of, named, new_address, new_ref, switch_tls_on
from tests.support.plain_server import PlainServer
from tests.support.project import Done, Project

pytestmark = [pytest.mark.cli, pytest.mark.e2e]
PASSWORD = "tr0ub@dor&3"
SSL_REQUEST = 80877103  # https://www.postgresql.org/docs/current/protocol-message-formats.html
needs_names = pytest.mark.skipif(bool(hosted.missing()), reason=hosted.missing())


@pytest.fixture(scope="module")
def project(newest: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project whose remote is unreachable, again and again: no run gets as far as to make a database."""
    made = Project(tmp_path_factory.mktemp("trouble") / "project", newest, "trouble", {"SBSYNC_LOCAL": "embedded"})
    made.root.mkdir()
    made.create()
    try:
        yield made
    finally:
        made.remove_databases()


@pytest.fixture(scope="module")
def server() -> Iterator[PlainServer]:
    """A server without TLS."""
    with PlainServer(PASSWORD) as started:
        yield started


@pytest.fixture(scope="module")
def encrypted() -> Iterator[tuple[PlainServer, Path]]:
    """A server with TLS, and its certificate, which names `localhost` only."""
    with PlainServer(PASSWORD) as started:
        yield started, switch_tls_on(started, ["localhost"])


class Saying(Gate):
    """Answers the first connections as a server or pooler does that refuses them; later ones are passed on."""

    def __init__(self, message: str, times: int = 1000, target: int = 0, address: str = "127.0.0.1") -> None:
        self.message, self.times = message, times
        super().__init__(target, address, hosted.PORT if address != "127.0.0.1" else 0)

    def answer(self, client: socket.socket) -> None:
        if self.connections > self.times:
            super().answer(client)
            return
        length, code = struct.unpack("!II", client.recv(8))
        if code == SSL_REQUEST:
            client.sendall(b"N")
        else:
            client.recv(length)
        fields = f"SFATAL\0VFATAL\0CXX000\0M{self.message}\0\0".encode()
        client.sendall(b"E" + struct.pack("!I", len(fields) + 4) + fields)


class Silent(Listener):
    """Accepts, and never says a word."""

    def answer(self, client: socket.socket) -> None:
        while client.recv(1000):
            pass


class Web(Listener):
    """A web server."""

    def answer(self, client: socket.socket) -> None:
        client.recv(1000)
        client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def by_url(project: Project, host: str, port: int, query: str = "", database: str = "postgres") -> None:
    url = f"postgresql://postgres@{host}:{port}/{database}{query}"
    project.write(".env.trouble", f"SUPABASE_DB_URL={url}\nSUPABASE_DB_PASSWORD='{PASSWORD}'\n")


def by_ref(project: Project, ref: str) -> None:
    project.write(".env.trouble", f"SUPABASE_PROJECT_ID={ref}\nSUPABASE_DB_PASSWORD='{PASSWORD}'\n")


def failed(project: Project, code: int, *words: str) -> Done:
    """Run a scenario that cannot reach the remote; it says why, and leaves nothing behind."""
    done = project.task("local-to-remote", "--yes")
    assert done.code == code, done.text
    error = done.stderr[done.stderr.index("error: ") :]
    for word in words:
        assert word in error
    assert len(error.strip().splitlines()) == 2, error
    assert "Traceback" not in done.text
    assert PASSWORD not in done.text
    assert project.git("status", "--short") == ""
    assert not (project.root / ".sbsync").exists()
    return done


# --- the network ---


def test_a_port_where_nobody_listens(project: Project) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        by_url(project, "127.0.0.1", port)
        failed(project, 1, f"nothing listens at 127.0.0.1 port {port}", "Start the server")


@pytest.mark.matrix
def test_a_server_that_never_answers_is_tried_a_few_times(project: Project) -> None:
    with Silent() as silent:
        by_url(project, "127.0.0.1", silent.port, "?connect_timeout=2&sslmode=disable")
        failed(project, 1, f"127.0.0.1 port {silent.port} gave no answer in time", "firewall")
        assert 1 < silent.connections < 8


@pytest.mark.matrix
def test_a_name_that_nobody_has(project: Project) -> None:
    by_url(project, "nobody.invalid", 5432)
    failed(project, 1, "nobody.invalid", "the name nobody.invalid cannot be resolved", "Check the spelling")


@pytest.mark.matrix
@needs_names
def test_a_project_that_has_an_ipv6_address_only(project: Project) -> None:
    ref = new_ref()
    by_ref(project, ref)
    with named(hosted.UNREACHABLE, host_of(ref)):
        failed(project, 1, f"{host_of(ref)} cannot be reached", "IPv6", "session pooler's URL (port 5432")


@pytest.mark.matrix
@needs_names
def test_a_project_that_refuses_may_have_banned_the_address(project: Project) -> None:
    ref = new_ref()
    by_ref(project, ref)
    with named(new_address(), host_of(ref)):
        failed(project, 1, f"{host_of(ref)} refuses connections from this address", "Network Bans", "paused")


@pytest.mark.matrix
@needs_names
def test_a_pooler_in_transaction_mode_is_refused_before_it_is_asked(project: Project) -> None:
    ref, address = new_ref(), new_address()
    pooler = f"{new_ref()}.pooler.supabase.com"
    with Listener(address, 6543) as listener, named(address, pooler), named(address, host_of(ref)):
        for user, host in ((f"postgres.{ref}", pooler), ("postgres", host_of(ref)), (f"postgres.{ref}", "localhost")):
            project.write(
                ".env.trouble",
                f"SUPABASE_DB_URL=postgresql://{user}@{host}:6543/postgres\nSUPABASE_DB_PASSWORD='{PASSWORD}'\n",
            )
            failed(project, 3, ".env.trouble:1", "transaction mode", "port 5432")
        assert listener.connections == 0


# --- what answers ---

REFUSALS = {
    "Tenant or user not found": "the pooler knows no such project or user",
    "(ENOTFOUND) tenant/user postgres.abc not found": "a paused project is unknown to it",
    "(ECIRCUITBREAKER) too many authentication failures, new connections are temporarily blocked": "Network Bans",
    "Address not in tenant allow_list: {198, 51, 100, 1}": "Network Restrictions",
    "SSL connection is required": "?sslmode=require",
}


@pytest.mark.matrix
@pytest.mark.parametrize("message", REFUSALS)
def test_a_refusal_of_the_pooler_has_its_own_way_out_and_is_not_tried_again(project: Project, message: str) -> None:
    with Saying(message) as pooler:
        by_url(project, "127.0.0.1", pooler.port, "?sslmode=disable")
        failed(project, 1, REFUSALS[message])
        assert pooler.connections == 1


@pytest.mark.matrix
def test_another_protocol(project: Project) -> None:
    with Web() as web:
        for query in ("", "?sslmode=disable"):
            by_url(project, "127.0.0.1", web.port, query)
            failed(project, 1, f"what listens at 127.0.0.1 port {web.port} is no PostgreSQL server")


@pytest.mark.matrix
def test_a_connection_that_is_cut_off_is_tried_again(project: Project) -> None:
    with Listener() as cut:
        by_url(project, "127.0.0.1", cut.port, "?sslmode=disable")
        failed(project, 1, f"127.0.0.1 port {cut.port} broke the connection off")
        assert 1 < cut.connections < 10


def test_a_server_that_is_just_starting_is_waited_for(project: Project, server: PlainServer) -> None:
    with Saying("the database system is starting up", 2, server._port) as starting:
        by_url(project, "127.0.0.1", starting.port, "?sslmode=disable")
        done = project.task("doctor", "--json")
        assert [c for c in done.data["checks"] if c["name"] == "remote" and "PostgreSQL" in c["what"]], done.text
        assert starting.connections > 2


@pytest.mark.matrix
def test_a_server_that_stays_starting(project: Project) -> None:
    with Saying("the database system is starting up") as starting:
        by_url(project, "127.0.0.1", starting.port, "?sslmode=disable")
        begun = time.monotonic()
        failed(project, 1, "starting up or shutting down", "Wait until it is up")
        assert time.monotonic() - begun < 120  # it ends at all
        assert 2 < starting.connections < 10


# --- the server's own words ---


def test_a_wrong_password_is_sent_once_only(project: Project, server: PlainServer) -> None:
    with Gate(server._port) as gate:
        project.write(
            ".env.trouble",
            f"SUPABASE_DB_URL=postgresql://postgres@127.0.0.1:{gate.port}/postgres?sslmode=disable\n"
            "SUPABASE_DB_PASSWORD='not it'\n",
        )
        done = failed(project, 1, "the server refused the password of user postgres", "SUPABASE_DB_PASSWORD")
        assert "not it" not in done.text
        assert gate.connections == 1


@pytest.mark.matrix
def test_an_unknown_database(project: Project, server: PlainServer) -> None:
    by_url(project, "127.0.0.1", server._port, "?sslmode=disable", "nothing")
    failed(project, 1, "no database nothing", "on Supabase the database is postgres")


# --- encryption ---


@pytest.mark.matrix
def test_a_server_without_tls_where_it_is_asked_for(project: Project, server: PlainServer) -> None:
    by_url(project, "127.0.0.1", server._port, "?sslmode=require")
    failed(project, 1, "the server offers no encryption", "Switch TLS on")


@needs_names
def test_a_project_is_never_reached_without_encryption(project: Project, server: PlainServer) -> None:
    ref, address = new_ref(), new_address()
    with Gate(server._port, address, hosted.PORT), named(address, host_of(ref)):
        by_ref(project, ref)
        failed(project, 1, "the server offers no encryption")
        by_url(project, host_of(ref), hosted.PORT)
        failed(project, 1, "the server offers no encryption")


def test_a_certificate_that_cannot_be_verified(
    project: Project, encrypted: tuple[PlainServer, Path], tmp_path: Path
) -> None:
    server, trusted = encrypted
    (other, _) = certificate(tmp_path, ["localhost"])
    unverified = ("certificate could not be verified", "sslrootcert")
    by_url(project, "localhost", server._port, "?sslmode=verify-full")
    failed(project, 1, *unverified)
    by_url(project, "localhost", server._port, f"?sslmode=verify-full&sslrootcert={other}")
    failed(project, 1, *unverified)
    by_url(project, "127.0.0.1", server._port, f"?sslmode=verify-full&sslrootcert={trusted}")
    failed(project, 1, *unverified)
    by_url(project, "localhost", server._port, "?sslmode=verify-full&sslrootcert=nowhere.crt")
    failed(project, 3, "sslrootcert", ".env.trouble:1", "nowhere.crt")


@pytest.mark.matrix
def test_a_verified_certificate_serves_every_program(
    project: Project, encrypted: tuple[PlainServer, Path], tmp_path: Path
) -> None:
    """The path is relative to the project's root; the CLI and pg_dump run in other folders."""
    server, trusted = encrypted
    copied = project.copy_to(tmp_path / "project")
    copied.write("root.crt", trusted.read_text(encoding="utf-8"))
    by_url(copied, "localhost", server._port, "?sslmode=verify-full&sslrootcert=root.crt")
    copied.urls["remote"] = Endpoint("127.0.0.1", server._port, "postgres", "postgres", PASSWORD)
    try:
        done = copied.task("push", "--yes")
        assert done.code == 0, done.text
        assert set(copied.remote.history()) == set(copied.versions)
        assert list((copied.root / ".sbsync" / "backups").iterdir())
    finally:
        copied.remove_databases()


@pytest.mark.matrix
@pytest.mark.parametrize("query", ["?sslmode=always", "?connect_timeout=soon", "?target_session_attrs=x"])
def test_an_option_that_means_nothing_is_an_error_of_the_settings(
    project: Project, server: PlainServer, query: str
) -> None:
    by_url(project, "127.0.0.1", server._port, query)
    failed(project, 3, "an option after the ? of its URL")


# --- in the middle of a write ---

CUT = """
do $$ begin
  perform nextval('public.tries');
  if exists (select from pg_roles where rolname = 'the_remote') then
    perform pg_terminate_backend(pg_backend_pid());
  end if;
end $$;
create table public.after_cut (id int primary key);
"""


@pytest.mark.matrix
def test_a_push_that_loses_its_connection_is_not_tried_again(synced: Project, tmp_path: Path) -> None:
    """A sequence counts how often the migration was begun: what it gave out is not taken back."""
    copied = synced.copy_to(tmp_path / "project")
    copied.migration("20270101000000", "tries", "create sequence public.tries;\n")
    copied.migration("20270101000001", "cut", CUT)
    try:
        copied.remote.run("create role the_remote nologin")
        done = copied.task("local-to-remote", "--yes")
        assert done.code == 1, done.text
        assert "Traceback" not in done.text
        assert "On the remote now: 20270101000000_tries.sql. Not there: 20270101000001_cut.sql." in done.stderr
        assert copied.remote.rows("select last_value, is_called from public.tries") == [(1, True)]
        assert "20270101000001" not in copied.remote.history()

        copied.remote.run("drop role the_remote")
        copied.sync("local-to-remote")
        assert copied.remote.has("public.after_cut")
        assert copied.remote.value("select last_value from public.tries") == 2
    finally:
        copied.remove_databases()
