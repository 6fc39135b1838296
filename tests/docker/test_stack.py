"""The CLI's local stack as the local database: both scenarios, its reset, and what is said where it does not run."""

from __future__ import annotations

import json
import re
import secrets
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from sbsync_tasks.databases.containers import _remove
from sbsync_tasks.databases.stack import Docker, Stack
from sbsync_tasks.settings.project import ConfigToml
from sbsync_tasks.supabase_cli import CliError
from tests.docker.conftest import StackProject, docker, tag_stand_in
from tests.support import hosted
from tests.support.changes import arrived, change
from tests.support.contents import checksums, contents
from tests.support.project import Data, text_of

pytestmark = pytest.mark.docker
VERSIONS = ("3.1.0", "3.0.0", "2.122.1", "2.115.0")
ONE_OF_EACH_MAJOR = (VERSIONS[0], VERSIONS[2])
# How the remote is named, and what is changed then: locally, on the remote.
WAYS = {
    "url": (("projects", "guest"), ("expenses", "auditor")),
    "ref": (("offers", "seller"), ("orders", "buyer")),
    "link": (("meetings", "host"), ("minutes", "writer")),
}
REF = "abcdefghijklmnopqrst"
EXPERIMENTAL = "\n[experimental]\nstack = true\n"
NOWHERE = {"DOCKER_HOST": "unix:///nonexistent/docker.sock"}


@pytest.fixture(scope="module", params=VERSIONS)
def stack(
    request: pytest.FixtureRequest, cli: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StackProject]:
    """A project on a stack that `--start` has started, with one CLI; another project's ref lies in its way."""
    tag_stand_in(request.param)
    made = StackProject(tmp_path_factory.mktemp("stack") / "project", cli(request.param))
    try:
        made.create()
        in_the_way = made.write("supabase/.env", f"SUPABASE_PROJECT_ID={REF}\n")
        made.started = made.task("diff", "--start")
        in_the_way.unlink()
        yield made
    finally:
        made.destroy()


def test_right_after_a_start_there_is_nothing_to_diff(stack: StackProject) -> None:
    assert stack.started.code == 0, stack.started.text
    assert stack.started.stdout == ""
    assert list(stack.local.history()) == stack.versions
    assert stack.left("ps", "--all", "--quiet") == []
    again = stack.task("diff", "--start", "--json")
    assert again.data["sql"] == ""
    assert "start" not in again.stderr  # it runs already


@pytest.fixture(scope="module")
def remote(stack: StackProject) -> Data:
    """The remote, a second server of the stack's image."""
    return stack.start_remote()


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, stack: StackProject, remote: Data) -> Iterator[str]:
    """How the remote is named; afterwards nothing names it."""
    if request.param != "url" and (missing := hosted.missing()):
        pytest.skip(missing)
    with stack.reached_by(request.param):
        yield str(request.param)


def rights(name: str) -> tuple[str, str]:
    """What the platform gives to new objects, and a stack not with every release of the CLI (2.115.0)."""
    return (
        f"revoke execute on function public.{name}_count() from public",
        f"grant select on public.{name} to authenticated",
    )


# Pairs: how the remote is named has nothing to do with the stack.
@pytest.mark.parametrize(("stack", "way"), [*zip(VERSIONS, ("url", "ref", "link", "url"), strict=True)], indirect=True)
def test_both_directions(stack: StackProject, remote: Data, way: str) -> None:
    (made, role), (pulled, other_role) = WAYS[way]
    stack.local.run(*change(made, role), *rights(made))
    stack.local.run("insert into public.teams (name) values ('before the reset')")
    done = stack.sync("local-to-remote", "--name", made, "--json")
    assert done.data["proof"]["in_sync"] is True
    for side in (stack.local, remote):
        arrived(side, made, role)
        assert list(side.history()) == stack.versions
    assert stack.local.rows("select name from public.teams") == [("Harbour Studio",)]  # the seeds, and nothing else
    before_reset = next(stack.root / path for path in done.data["backups"] if "before-reset" in path)
    assert "before the reset" in text_of(before_reset)

    remote.run(*change(pulled, other_role), *rights(pulled))
    stack.sync("remote-to-local")
    for side in (stack.local, remote):
        arrived(side, made, role)
        arrived(side, pulled, other_role)
        assert list(side.history()) == stack.versions
    assert stack.local.history() == remote.history()
    assert stack.task("verify").code == 0

    # The guide's own commands find nothing left to do.
    assert stack.supabase("db", "push", "--dry-run", "--skip-vault").data["migrations"] == []
    engine = ["--use-pg-delta"] if stack.cli_major == 2 else []
    assert (stack.by_hand("db", "diff", "--local", *engine).data["diff"] or "").strip() == ""
    assert stack.left("ps", "--all", "--quiet") == []


@pytest.mark.parametrize("stack", ONE_OF_EACH_MAJOR, indirect=True)
def test_a_reset_keeps_a_backup_and_nothing_else(stack: StackProject) -> None:
    stack.local.run(
        "create role left_over nologin",
        "create table auth.left_over (id int)",
        "alter default privileges in schema public grant select on tables to left_over",
        "comment on schema public is 'left over'",
        "insert into public.teams (name) values ('precious')",
    )
    refused = stack.task("reset")
    assert refused.code == 4
    assert stack.local.has("auth.left_over")
    done = stack.task("reset", "--yes", "--json")
    assert done.code == 0, done.text
    assert "precious" in text_of(stack.root / done.data["backup"])
    local = stack.local
    assert not local.has("auth.left_over")
    assert local.rows("select from pg_roles where rolname = 'left_over'") == []
    assert local.value("select obj_description('public'::regnamespace)") != "left over"
    assert local.rows("select name from public.teams") == [("Harbour Studio",)]


@pytest.mark.parametrize("stack", VERSIONS[:1], indirect=True)
def test_shadows_are_the_projects_wherever_its_folder_is(stack: StackProject) -> None:
    here, volumes = stack.root, ("volume", "ls", "--quiet")
    (base,) = (name for name in stack.left(*volumes) if name.endswith("_base"))
    try:
        stack.root = here.rename(here.with_name("moved"))
        assert stack.task("diff").code == 0
        own = stack.left(*volumes)
        assert base in own
        # A copy, in the place where the project was; then it is deleted.
        shutil.copytree(stack.root, here)
        stack.root = here
        assert stack.task("diff").code == 0
        copied = stack.left(*volumes)
        assert copied
        assert not {*own} & {*copied}
        stack.remove_databases()
        shutil.rmtree(here)
        stack.root = here.with_name("moved")
        told = stack.invoke("sandbox.status").stderr
        command = re.search(rf"shadows of {here}, where .*\n\s*docker (volume rm .*)", told)
        assert command, told
        assert {*command[1].split()[2:]} == {*copied}
        docker(*command[1].split())
        assert str(here) not in stack.invoke("sandbox.status").stderr
        assert stack.left(*volumes) == own
    finally:
        if stack.root != here:
            stack.root = stack.root.rename(here)


@pytest.fixture
def switched(stack: StackProject) -> Iterator[StackProject]:
    """The same project while its config.toml switches to the CLI's experimental stack; that in Docker runs on."""
    config = stack.root / "supabase" / "config.toml"
    before = config.read_text(encoding="utf-8")
    config.write_text(before + EXPERIMENTAL, encoding="utf-8")
    yield stack
    config.write_text(before, encoding="utf-8")


@pytest.mark.parametrize("stack", VERSIONS[:1], indirect=True)
def test_switched_to_the_experimental_stack_the_one_in_docker_is_left_alone(switched: StackProject) -> None:
    switched.local.run("insert into public.teams (name) values ('in Docker')")
    for task in (("diff",), ("reset", "--yes")):
        done = switched.task(*task)
        assert done.code == 3, done.text
        assert "experimental stack" in done.stderr
    assert ("in Docker",) in switched.local.rows("select name from public.teams")


@pytest.mark.parametrize("stack", VERSIONS[:1], indirect=True)
def test_without_an_engine_a_running_stack_can_be_read_but_not_rebuilt(stack: StackProject) -> None:
    stack.local.run("insert into public.teams (name) values ('still here')")
    listed = stack.invoke("reset", "--env", "alone", "--yes", settings=NOWHERE)
    assert listed.code == 5, listed.text
    assert "No Docker engine answers" in listed.stderr
    assert ("still here",) in stack.local.rows("select name from public.teams")


def test_no_engine(stopped: StackProject) -> None:
    done = stopped.invoke("diff", "--env", "alone", "--start", settings=NOWHERE)
    assert done.code == 5
    assert "SBSYNC_LOCAL=embedded" in done.stderr
    assert "`supabase db start`" in done.stderr
    data = json.loads(stopped.invoke("diff", "--env", "alone", "--json", settings=NOWHERE).stdout)
    assert data["error"]["exit_code"] == 5


def test_an_engine_and_no_stack(stopped: StackProject) -> None:
    done = stopped.invoke("backup", "--local", "--env", "alone")
    assert done.code == 1
    assert f"({stopped.id}) is not running" in done.stderr
    assert "`supabase db start`" in done.stderr
    assert "SBSYNC_LOCAL=embedded" in done.stderr


def test_something_else_on_the_port(stopped: StackProject) -> None:
    with socket.create_server(("127.0.0.1", stopped.port)):
        done = stopped.invoke("diff", "--env", "alone", "--start")
    assert done.code == 1
    assert f"another program listens on its port {stopped.port}" in done.stderr
    assert stopped.left("ps", "--all", "--quiet") == []


def test_what_the_cli_fails_to_remove_is_removed(tmp_path: Path, mocker: MockerFixture) -> None:
    name = f"sbsync-test-{secrets.token_hex(4)}"
    (tmp_path / "supabase").mkdir()
    (tmp_path / "supabase" / "config.toml").write_text(f'project_id = "{name}"\n', encoding="utf-8")
    cli = mocker.Mock(**{"stop.side_effect": CliError("failed to prune networks")})
    scratch = Stack(ConfigToml(tmp_path), Docker(), lambda _id: cli)
    label = f"com.supabase.cli.project={name}"
    image = docker("images", "--quiet")[0]
    docker("volume", "create", "--label", label, scratch.container_name)
    docker("create", "--name", scratch.container_name, "--volume", f"{scratch.container_name}:/data", image, "true")
    _remove(scratch)
    assert docker("ps", "--all", "--quiet", "--filter", f"name={name}") == []
    assert docker("volume", "ls", "--quiet", "--filter", f"label={label}") == []
    cli.stop.assert_called_once_with()


@pytest.mark.parametrize("stack", VERSIONS[:1], indirect=True)
def test_a_backup_is_restored_into_the_stack_and_single_tables_of_it(stack: StackProject, tools: Path) -> None:
    local = stack.local
    local.run(
        "create role keeper", "grant select on public.teams to keeper",
        "insert into auth.users (id) values ('00000000-0000-0000-0000-000000000009')",
        "insert into storage.buckets (id, name) values ('kept', 'kept')",
    )  # fmt: skip
    before = contents(tools, local.endpoint)
    made = stack.task("backup", "--local").stdout.strip()
    assert made, "a backup"
    local.run(
        "drop table public.invoice_lines cascade", "truncate public.customers cascade", "create table public.more ()",
        "delete from auth.users", "update storage.buckets set public = true",
    )  # fmt: skip
    after = contents(tools, local.endpoint)
    looked = stack.task("restore", "--backup", made, "--dry-run")
    assert looked.code == 0, looked.text
    assert after.unlike(contents(tools, local.endpoint)) == []
    back = stack.task("restore", "--backup", made, "--yes", "--json")
    assert back.code == 0, back.text
    assert before.unlike(contents(tools, local.endpoint)) == []

    local.run("truncate public.customers cascade")
    one = stack.task("restore", "--backup", made, "--table", "public.customers", "--yes")
    assert one.code == 0, one.text
    assert checksums(local.endpoint)["public.customers"] == before.rows["public.customers"]
    undone = stack.task("restore", "--backup", back.data["backup"], "--yes")
    assert undone.code == 0, undone.text
    assert after.unlike(contents(tools, local.endpoint)) == []
    scratch = stack.task("restore", "--backup", made, "--to-scratch", "--yes")
    assert scratch.code == 0, scratch.text
    copied = checksums(stack.clusters.start("restored"))
    assert copied["public.customers"] == before.rows["public.customers"]
    assert stack.invoke("sandbox.down").code == 0
    assert stack.task("reset", "--yes").code == 0
