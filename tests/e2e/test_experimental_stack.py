"""The CLI's experimental stack as the local database: who says that it is meant, and where it listens.

What it runs it fetches as it starts, pinned by digest, so that no stand-in can serve: here the real CLI says that it
was switched on, and where a run needs its database an embedded one is named in the answer's place.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.support.changes import arrived, change
from tests.support.project import Project

pytestmark = [pytest.mark.cli, pytest.mark.e2e]
NEWEST = "3.1.0"
KNOWING = (NEWEST, "3.0.0", "2.122.1")
SWITCH = "SUPABASE_EXPERIMENTAL_STACK"
CONFIG = "\n[experimental]\nstack = true\n"
NOWHERE = {"DOCKER_HOST": "unix:///nonexistent/docker.sock"}
# `supabase status` of 2.122.1, 3.0.0 and 3.1.0; `env` is empty until the database runs.
STATUS = {"identity": {"name": "default"}, "runtime": "native", "owner": "reachable", "services": [], "message": ""}


def on_the_stack(project: Project) -> Project:
    """The same project, with the CLI's stack as its local database and no remote."""
    project.env = "alone"
    project.write(".env.alone", "SBSYNC_LOCAL=stack\n")
    return project


def switch_on(project: Project) -> None:
    """Switch to the experimental stack as a team does, in config.toml."""
    path = project.root / "supabase" / "config.toml"
    project.write("supabase/config.toml", path.read_text(encoding="utf-8") + CONFIG)


@pytest.fixture
def stopped(cli: Callable[[str], Path], tmp_path: Path) -> Project:
    """A project whose stack has never been started, without a Docker engine."""
    made = Project(tmp_path / "project", cli(NEWEST), settings=NOWHERE)
    made.create()
    return on_the_stack(made)


@pytest.mark.parametrize("version", KNOWING)
def test_where_config_toml_switches_it_on_it_is_what_does_not_run(
    stopped: Project, cli: Callable[[str], Path], version: str
) -> None:
    stopped.cli = cli(version)
    switch_on(stopped)
    done = stopped.task("diff")
    assert done.code == 1, done.text
    assert "experimental stack" in done.stderr
    assert "`supabase status` failed: No managed stack exists" in done.stderr
    assert SWITCH in done.stderr
    assert "Docker engine answers" not in done.stderr


def test_a_cli_that_does_not_know_it_goes_on_with_docker(stopped: Project, cli: Callable[[str], Path]) -> None:
    stopped.cli = cli("2.115.0")
    switch_on(stopped)
    done = stopped.task("diff")
    assert done.code == 5, done.text
    assert "needs Docker" in done.stderr


@pytest.mark.parametrize(
    ("in_config", "value", "code", "said"),
    [
        (False, "1", 1, "No managed stack exists"),
        (False, "true", 1, "No managed stack exists"),
        (True, "0", 5, "needs Docker"),
        (False, "yes", 1, f'Invalid {SWITCH}="yes"'),
    ],
)
def test_the_variable_comes_first_and_means_what_the_cli_says(
    stopped: Project, in_config: bool, value: str, code: int, said: str
) -> None:
    if in_config:
        switch_on(stopped)
    done = stopped.invoke("diff", "--env", "alone", settings={SWITCH: value})
    assert (done.code, said in done.stderr) == (code, True), done.text


def test_its_state_is_looked_for_where_the_user_keeps_it(stopped: Project, tmp_path: Path) -> None:
    home = tmp_path / "elsewhere"
    assert stopped.invoke("diff", "--env", "alone", settings={SWITCH: "1", "SUPABASE_HOME": str(home)}).code == 1
    assert (home / "stacks").is_dir()


@pytest.fixture(params=KNOWING)
def running(
    request: pytest.FixtureRequest, synced: Project, cli: Callable[[str], Path], tmp_path: Path
) -> Iterator[Project]:
    """A project in sync whose experimental stack seems to run: its database is embedded; without a Docker engine."""
    made = synced.copy_to(tmp_path / "project")
    made.settings = dict(NOWHERE)
    made.clusters.clone("sandbox-local", "local")
    made.urls["local"] = made.clusters.start("local")
    remote = made.urls["remote"] = made.clusters.start("sandbox-remote")
    switch_on(made)
    made.commit_all("Switch to the experimental stack")
    made.cli = stand_in(tmp_path / str(request.param) / "supabase", cli(request.param), made)
    made.env = "plain"
    made.write(
        ".env.plain", f"SBSYNC_LOCAL=stack\nSUPABASE_DB_URL={remote.url}\nSUPABASE_DB_PASSWORD={remote.password}\n"
    )
    try:
        yield made
    finally:
        made.remove_databases()


def stand_in(place: Path, cli: Path, project: Project) -> Path:
    """The real CLI, but for what it would say of a running experimental stack, and rebuild there."""
    local = project.urls["local"]
    url = local.url.replace("postgres@", f"postgres:{quote(local.password, safe='')}@", 1)
    place.parent.mkdir()
    status = place.with_name("status.json")
    status.write_text(json.dumps({**STATUS, "env": {"DB_URL": url}}) + "\n", encoding="utf-8")
    target = f"--db-url {local.url}" if place.parent.name.startswith("2.") else f"--remote={local.url}"
    place.write_text(
        f'#!/bin/sh\ncase "$1 $2 $3" in\n"status "*) exec cat {shlex.quote(str(status))} ;;\n'
        f'"db reset --local") shift 3; PGPASSWORD={shlex.quote(local.password)} '
        f'exec {shlex.quote(str(cli))} db reset {target} "$@" ;;\nesac\nexec {shlex.quote(str(cli))} "$@"\n',
        encoding="utf-8",
    )
    place.chmod(0o700)
    return place


def test_both_directions(running: Project) -> None:
    password = running.urls["local"].password
    running.local.run(*change("projects", "guest"))
    up = running.sync("local-to-remote", "--name", "projects", "--commit")
    running.remote.run(*change("expenses", "auditor"))
    down = running.sync("remote-to-local")
    for side in (running.local, running.remote):
        arrived(side, "projects", "guest")
        arrived(side, "expenses", "auditor")
        assert list(side.history()) == running.versions
    assert running.task("verify").code == 0
    for done in (up, down):
        assert f"local (stack, postgres@127.0.0.1:{running.urls['local'].port}/" in done.stderr
        assert "Docker" not in done.stderr
        assert password not in done.text
