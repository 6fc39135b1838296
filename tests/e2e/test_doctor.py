"""`invoke doctor` on real databases: what it says of each, and that it starts and changes none."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from sbsync_tasks.endpoint import Endpoint
from tests.support.plain_server import PlainServer
from tests.support.project import Done, Project

pytestmark = pytest.mark.e2e
PASSWORD = 'tr0ub@dor:/%#"$X &3'
FORMS = (PASSWORD, quote(PASSWORD), quote(PASSWORD, safe=""), json.dumps(PASSWORD)[1:-1], "tr0ub")


@pytest.fixture
def project(tmp_path: Path, newest: Path) -> Iterator[Project]:
    made = Project(tmp_path / "project", newest)
    made.root.mkdir()
    made.create()
    try:
        yield made
    finally:
        made.remove_databases()


@pytest.fixture(scope="module")
def server() -> Iterator[PlainServer]:
    with PlainServer(PASSWORD) as started:
        yield started


@pytest.fixture(scope="module")
def endpoint(server: PlainServer) -> Endpoint:
    return server.create_database("doctor")


def doctor(project: Project, env: str, **settings: str) -> Done:
    done = project.invoke("doctor", "--env", env, "--json", settings=settings)
    assert done.code == (0 if done.data["ok"] else 1), done.text
    for form in FORMS:
        assert form not in done.text
    return done


def lines(done: Done, name: str, level: str) -> list[str]:
    return [c["what"] for c in done.data["checks"] if (c["name"], c["level"]) == (name, level)]


def problems(done: Done) -> list[tuple[str, str]]:
    return [(c["name"], c["level"]) for c in done.data["checks"] if c["level"] != "ok"]


def staging(project: Project, url: str, *more: str, password: str = PASSWORD) -> None:
    path = project.write(
        ".env.staging.local", "\n".join([f"SUPABASE_DB_URL={url}", f"SUPABASE_DB_PASSWORD='{password}'", *more]) + "\n"
    )
    path.chmod(0o600)


def execute(endpoint: Endpoint, statement: str) -> list[Any]:
    with psycopg.connect(**endpoint.conninfo(), autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def test_a_sandbox_is_fine_asleep_and_awake_and_is_never_woken(project: Project) -> None:
    done = doctor(project, "sandbox")
    assert problems(done) == []
    assert project.clusters.names() == ()
    assert "has not been made yet" in lines(done, "remote", "ok")[0]
    ends = [side.endpoint for side in (project.local, project.remote)]
    systems = [execute(end, "select system_identifier from pg_control_system()")[0][0] for end in ends]
    awake = doctor(project, "sandbox")
    assert problems(awake) == []
    assert f"system identifier {systems[0]}" in lines(awake, "local", "ok")[0]
    assert f"system identifier {systems[1]}" in lines(awake, "remote", "ok")[0]
    assert "as postgres" in lines(awake, "remote", "ok")[0]
    assert "Two databases" in lines(awake, "databases", "ok")[0]
    project.stop()
    asleep = doctor(project, "sandbox")
    assert "is not running" in lines(asleep, "local", "ok")[0]
    assert not any(project.clusters.running(name) for name in project.clusters.names())


def test_a_remote_by_url_is_reached_and_recognised(project: Project, endpoint: Endpoint) -> None:
    system = execute(endpoint, "select system_identifier from pg_control_system()")[0][0]
    staging(project, endpoint.url, f"SBSYNC_EXPECT={system}")
    done = doctor(project, "staging", SBSYNC_LOCAL="embedded")
    assert problems(done) == []
    assert f"system identifier {system}" in lines(done, "remote", "ok")[0]
    assert lines(done, "remote", "ok")[-1] == f"It is {system}, as SBSYNC_EXPECT says."
    assert "as on the remote" in lines(done, "config.toml", "ok")[0]


def test_a_wrong_password_is_named_as_such(project: Project, endpoint: Endpoint) -> None:
    staging(project, endpoint.url, password="tr0ub wrong")
    done = doctor(project, "staging", SBSYNC_LOCAL="embedded")
    assert problems(done) == [("remote", "error")]
    assert "refused the password of user postgres" in lines(done, "remote", "error")[0]


def test_another_server_than_the_expected_one_is_an_error(project: Project, endpoint: Endpoint) -> None:
    staging(project, endpoint.url, "SBSYNC_EXPECT=12345")
    done = doctor(project, "staging", SBSYNC_LOCAL="embedded")
    assert problems(done) == [("remote", "error")]
    assert "SBSYNC_EXPECT says 12345" in lines(done, "remote", "error")[0]


def test_one_database_under_two_names_is_an_error(project: Project, endpoint: Endpoint) -> None:
    staging(project, endpoint.url)
    other = Endpoint("localhost", endpoint.port, endpoint.database, endpoint.user, "", endpoint.options)
    local = other.url.replace("postgres@", f"postgres:{quote(PASSWORD, safe='')}@")
    done = doctor(project, "staging", SBSYNC_LOCAL=local)
    assert problems(done) == [("databases", "error")]


def test_a_role_that_is_not_postgres_is_warned_of(project: Project, server: PlainServer, endpoint: Endpoint) -> None:
    execute(server.admin("doctor"), "create role somebody login password 'tr0ub-somebody'")
    staging(project, endpoint.url.replace("postgres@", "somebody@"), password="tr0ub-somebody")
    done = doctor(project, "staging", SBSYNC_LOCAL="embedded")
    assert problems(done) == [("remote", "warning")]
    execute(server.admin("doctor"), "grant postgres to somebody")
    assert problems(doctor(project, "staging", SBSYNC_LOCAL="embedded")) == []


def test_a_config_of_another_major_is_warned_of(project: Project, endpoint: Endpoint) -> None:
    config = project.root / "supabase" / "config.toml"
    config.write_text(config.read_text().replace("major_version = 17", "major_version = 15"), encoding="utf-8")
    staging(project, endpoint.url)
    done = doctor(project, "staging", SBSYNC_LOCAL="embedded")
    assert problems(done) == [("config.toml", "warning")]


def test_plain_text_to_another_machine_is_warned_of_and_tls_is_not(
    project: Project, server: PlainServer, endpoint: Endpoint
) -> None:
    # The address 127.0.0.1 in a spelling that does not tell that it is this machine.
    url = endpoint.url.replace("127.0.0.1", "127.1")
    staging(project, url.split("?")[0])
    done = doctor(project, "staging", SBSYNC_LOCAL="embedded")
    assert lines(done, "remote", "warning") == ["The connection to 127.1 is not encrypted."]
    if not shutil.which("openssl"):
        pytest.skip("no openssl to make a certificate with")
    switch_tls_on(server)
    done = doctor(project, "staging", SBSYNC_LOCAL="embedded")
    assert lines(done, "remote", "warning") == []
    assert "The connection is encrypted (sslmode=prefer)." in lines(done, "remote", "ok")


def switch_tls_on(server: PlainServer) -> None:
    """Give the running server a certificate of its own making."""
    admin = server.admin("doctor")
    ((folder,),) = execute(admin, "show data_directory")
    subprocess.run(
        ["openssl", "req", "-new", "-x509", "-days", "2", "-nodes", "-subj", "/CN=localhost",
         "-out", "server.crt", "-keyout", "server.key"],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    for name in ("server.crt", "server.key"):
        path = Path(folder, name)
        path.chmod(0o600)
        shutil.chown(path, Path(folder).owner(), Path(folder).group())
    execute(admin, "alter system set ssl = on")
    execute(admin, "select pg_reload_conf()")
