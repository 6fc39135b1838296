"""I4: a password stands in no argument list, output, log, file or commit, whether a run succeeds or fails."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

from sbsync_tasks.endpoint import Endpoint
from sbsync_tasks.supabase_cli.binary import native
from tests.support.plain_server import NASTY_PASSWORD, PlainServer
from tests.support.project import Done, Project
from tests.support.watch import ArgumentLists, Recorder, argument_lists, files_holding

pytestmark = [pytest.mark.cli, pytest.mark.e2e]

WRONG = "wr@ng:pa/ss%w#rd'\"$ y"
# The middle of a password outlives most ways of quoting the whole.
PARTS = [part for word in (NASTY_PASSWORD, WRONG) for part in (word, word[4:11])]
FORMS = [form for part in PARTS for form in (part, quote(part), quote(part, safe=""))]
FAILS_THERE = """do $$ begin
  if exists (select from public.teams where name = 'only there') then raise 'this remote is special'; end if;
end $$;
"""


def quoted(password: str) -> str:
    """A password as a dotenv file has it."""
    return '"' + password.replace("\\", "\\\\").replace('"', '\\"') + '"'


@dataclass
class Watched:
    """A project whose remote has the worst of passwords, and all that its runs have shown, each call included."""

    project: Project
    remote: Endpoint
    recorder: Recorder
    lists: ArgumentLists
    temporary: Path

    def run(self, task: str, env: str, *args: str) -> Done:
        """Run a task and check at once that it gave nothing away."""
        done = self.project.invoke("--echo", task, "--env", env, *args)
        found = [form for form in FORMS if form in done.text]
        assert not found, f"{task} --env {env} shows {found}"
        assert "Traceback" not in done.text
        return done


@pytest.fixture(scope="module")
def watched(synced: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    folder = tmp_path_factory.mktemp("secrets")
    recorder = Recorder(folder / "bin")
    source = synced.root
    project = Project(folder / "project", recorder.stand_in(native(synced.cli)), "staging")
    subprocess.run(["git", "clone", "--quiet", str(source), str(project.root)], check=True)
    for key, value in (("user.name", "Test"), ("user.email", "test@example.org")):
        project.git("config", key, value)
    recorder.stand_in(Path("/usr/bin/git"))
    temporary = folder / "tmp"  # the project's own, which git has been run with above
    temporary.mkdir(exist_ok=True)
    project.settings = {
        "PATH": f"{recorder.folder}:{project.environment()['PATH']}", "TMPDIR": str(temporary),
        "SBSYNC_LOCAL": "embedded",
    }  # fmt: skip
    with PlainServer() as server, argument_lists() as lists:
        remote = server.create_database("remote")
        encoded = remote.url.replace("postgres@", f"postgres:{quote(NASTY_PASSWORD, safe='')}@")
        with socket.create_server(("127.0.0.1", 0)) as free:
            nobody = remote.url.replace(f":{remote.port}/", f":{free.getsockname()[1]}/")
        for env, url, password in (
            ("staging", remote.url, NASTY_PASSWORD),
            ("wrong", remote.url, WRONG),
            ("unreachable", nobody, NASTY_PASSWORD),
        ):
            text = f"SUPABASE_DB_URL={url}\nSUPABASE_DB_PASSWORD={quoted(password)}\n"
            project.write(f".env.{env}.local", text).chmod(0o600)
        project.write(".env.encoded.local", f"SUPABASE_DB_URL={encoded}\n").chmod(0o600)
        project.urls["remote"] = remote
        try:
            yield Watched(project, remote, recorder, lists, temporary)
        finally:
            project.remove_databases()


def test_both_scenarios_work_with_it(watched: Watched) -> None:
    done = watched.run("local-to-remote", "staging", "--yes")
    assert done.code == 0, done.text
    for shown in (" db diff ", " db push ", "PGPASSWORD='***' /", "/pg_dump --", "LANGUAGE=en git -C "):
        assert shown in done.stderr
    watched.project.remote.run("create table public.made_remotely (id int primary key)")
    done = watched.run("remote-to-local", "staging", "--yes", "--json")
    assert done.code == 0, done.text
    assert done.data["proof"]["in_sync"] is True
    assert watched.project.local.has("public.made_remotely")


@pytest.mark.parametrize(
    ("task", "env", "args", "code"),
    [
        pytest.param("status", "encoded", (), 0, marks=pytest.mark.matrix),
        ("backup", "encoded", (), 0),
        pytest.param("doctor", "staging", (), None, marks=pytest.mark.matrix),
        ("doctor", "wrong", ("--json",), None),
        pytest.param("doctor", "encoded", (), None, marks=pytest.mark.matrix),
        pytest.param("status", "wrong", (), 1, marks=pytest.mark.matrix),
        ("backup", "wrong", (), 1),
        pytest.param("local-to-remote", "unreachable", ("--yes",), 1, marks=pytest.mark.matrix),
        ("remote-to-local", "wrong", ("--yes", "--json"), 1),
    ],
)
def test_no_task_shows_it(watched: Watched, task: str, env: str, args: tuple[str, ...], code: int | None) -> None:
    done = watched.run(task, env, *args)
    assert code in (None, done.code), done.text
    if code == 1:
        assert ("refused the password" in done.text) == (env == "wrong")


def test_a_push_that_fails_there_shows_the_servers_error_alone(watched: Watched) -> None:
    watched.project.remote.run("insert into public.teams (name) values ('only there')")
    path = watched.project.migration("20300101000000", "fails", FAILS_THERE)
    try:
        done = watched.run("push", "encoded", "--yes")
    finally:
        path.unlink()
    assert done.code == 1
    assert "this remote is special" in done.stderr


def test_no_process_had_it_among_its_arguments(watched: Watched) -> None:
    """Last: whatever the tests above have started was seen."""
    assert watched.lists.holding("pg_dump ")
    assert watched.lists.holding("db push")
    assert watched.lists.holding(*FORMS) == []


def test_no_program_but_the_databases_own_got_it(watched: Watched) -> None:
    calls = watched.recorder.calls()
    assert {c.program for c in calls} == {"supabase", "git"}
    for call in calls:
        assert not [form for form in FORMS if form in repr(call.env) or form in repr(call.argv)]
        assert call.passfile_mode in (0, 0o600)


def test_nothing_that_was_written_holds_it(watched: Watched) -> None:
    root = watched.project.root
    settings = {root / f".env.{name}.local" for name in ("staging", "wrong", "unreachable", "encoded")}
    assert set(files_holding(root, *FORMS)) == settings
    assert files_holding(watched.temporary, *FORMS) == []
    assert list(watched.temporary.glob("sbsync-*")) == []
    objects = subprocess.run(
        ["git", "cat-file", "--batch-all-objects", "--batch"], cwd=root, capture_output=True, check=True
    ).stdout
    assert b"made_remotely" in objects
    assert not [form for form in FORMS if form.encode() in objects]
