"""Both scenarios on every CLI that is supported, with every kind of database that needs no Docker."""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest

from sbsync_tasks.endpoint import Endpoint
from tests.support.changes import arrived, change
from tests.support.plain_server import DOCKER_STACK, PlainServer
from tests.support.project import Data, Project

pytestmark = [pytest.mark.cli, pytest.mark.e2e, pytest.mark.matrix]
VERSIONS = ("3.1.0", "3.0.0", "2.122.1", "2.115.0")
KINDS = ("embedded", "url remote", "two urls")
# Pairs: each kind with the newest CLI, each older CLI with one kind. Both on embedded databases with the newest is the
# other files' subject.
CELLS = (
    ("url remote", "3.1.0"), ("two urls", "3.1.0"), ("embedded", "3.0.0"), ("two urls", "2.122.1"),
    ("url remote", "2.115.0"),
)  # fmt: skip
BASE = "docker-stack" if DOCKER_STACK.is_file() else "plain"


@pytest.fixture(scope="module")
def servers(synced: Project) -> Iterator[tuple[PlainServer, PlainServer]]:
    """Two plain servers, each with a database `synced` that the real CLI has pushed the example to."""
    with PlainServer(base=BASE) as left, PlainServer(base=BASE) as right:
        for server in (left, right):
            data = Data(server.create_database("synced"))
            done = synced.supabase("db", "push", "--yes", "--skip-vault", on=data)
            assert done.code == 0, done.text
        yield left, right


def database(server: PlainServer, name: str) -> Endpoint:
    """A copy of the server's synced database."""
    Data(server.admin("postgres")).run(f'create database "{name}" template synced owner postgres')
    return replace(server.admin(name), user="postgres", password=server._password)


@pytest.fixture(params=CELLS, ids=" ".join)
def cell(
    request: pytest.FixtureRequest, cli: Callable[[str], Path], synced: Project, tmp_path: Path
) -> Iterator[Project]:
    """A project in sync, with one CLI and one pair of databases."""
    kind, version = request.param
    made = synced.copy_to(tmp_path / "project")
    made.cli = cli(version)
    if kind != "embedded":
        left, right = request.getfixturevalue("servers")
        _use_urls(made, kind, left, right)
    try:
        yield made
    finally:
        made.remove_databases()


def _use_urls(made: Project, kind: str, left: PlainServer, right: PlainServer) -> None:
    name = f"{kind} {secrets.token_hex(4)}"  # the servers serve every test of this file
    made.env = "plain"
    remote = made.urls["remote"] = database(right, name)
    lines = [f"SUPABASE_DB_URL={remote.url}", f"SUPABASE_DB_PASSWORD={quoted(remote.password)}"]
    if kind == "two urls":
        local = made.urls["local"] = database(left, name)
        secret = quote(local.password, safe="")
        lines.append(f"SBSYNC_LOCAL={local.url.replace('postgres@', f'postgres:{secret}@')}")
    else:
        lines.append("SBSYNC_LOCAL=embedded")
        made.clusters.clone("sandbox-local", "local")
    made.write(".env.plain", "\n".join(lines) + "\n")


def quoted(text: str) -> str:
    """A value for a dotenv file, in single quotes."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def test_both_directions(cell: Project) -> None:
    cell.local.run(*change("projects", "guest"))
    cell.sync("local-to-remote", "--name", "projects")
    made = cell.version_of("projects")
    for side in (cell.local, cell.remote):
        arrived(side, "projects", "guest")
        assert side.history()[made]["statements"]

    cell.remote.run(*change("expenses", "auditor"))
    before = cell.migrations
    cell.sync("remote-to-local")
    for side in (cell.local, cell.remote):
        arrived(side, "projects", "guest")
        arrived(side, "expenses", "auditor")
        assert list(side.history()) == cell.versions
    new = sorted(set(cell.migrations) - set(before))
    assert [name.split("_", 1)[1] for name in new] == ["remote_changes.sql"]
    # The file of the first run was left uncommitted, as asked: it is not part of this commit.
    assert cell.head == ("Add migration for remote changes", [f"supabase/migrations/{name}" for name in new])
    assert cell.git("status", "--short") == f"?? supabase/migrations/{made}_projects.sql"
    assert cell.task("verify").code == 0
    by_hand = cell.supabase("db", "push", "--dry-run", "--skip-vault")
    assert (by_hand.code, by_hand.data["migrations"]) == (0, []), by_hand.text


@pytest.mark.parametrize("cell", [(kind, VERSIONS[0]) for kind in KINDS], ids=" ".join, indirect=True)
def test_right_after_a_clean_build_no_database_has_a_change_to_show(cell: Project) -> None:
    for side in ((), ("--remote",)):
        done = cell.task("diff", "--exit-code", *side)
        assert (done.code, done.stdout) == (0, ""), done.text
