"""I5: a run that was cut off anywhere is finished by running it again; and two runs keep out of each other's way."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from sbsync_tasks.databases.embedded.binaries import find_client_tools
from sbsync_tasks.databases.embedded.place import place_of
from tests.support.project import Project
from tests.support.started import Started, other_checkout
from tests.support.watch import dump

pytestmark = [pytest.mark.cli, pytest.mark.e2e]

SLOW = "20300101000000"
GATE = 4242
# Waits on the remote alone, until the test opens the gate.
WAITS = f"""create table public.slow (id int primary key);
select pg_advisory_xact_lock({GATE}) from public.teams where name = 'only there';
"""
WAITING = "select count(*) from pg_stat_activity where wait_event = 'advisory' and pid <> pg_backend_pid()"


@contextmanager
def shut_gate(project: Project) -> Iterator[Callable[[], None]]:
    """On the remote the slow migration waits until the block is left, or the yielded function was called."""
    with project.remote.connection() as connection:
        connection.execute("select pg_advisory_lock(%s)", (GATE,))
        yield connection.close


@pytest.fixture
def slow(project: Project) -> Project:
    """A project with a pending migration that waits at a gate on the remote, and one more after it."""
    project.remote.run("insert into public.teams (name) values ('only there')")
    project.local.run("insert into public.teams (name) values ('precious')")
    project.migration(SLOW, "slow", WAITS)
    project.migration("20300102000000", "after", "create table public.after (id int primary key);\n")
    return project


def push_reached_the_gate(project: Project) -> bool:
    """Whether the push waits on the remote."""
    return bool(project.remote.value(WAITING))


def nobody_waits(project: Project) -> None:
    """Wait until the server has ended what it still had to do."""
    busy = "select count(*) from pg_stat_activity where application_name like '@effect%' and state = 'active'"
    while project.remote.value(busy):
        time.sleep(0.05)


def finished(project: Project) -> None:
    """The next run ends well, both databases have all, and nothing stands there twice."""
    again = project.task("local-to-remote", "--yes")
    assert again.code == 0, again.text
    for database in (project.local, project.remote):
        assert database.has("public.slow")
        assert database.has("public.after")
        assert list(database.history()) == project.versions
    assert project.task("verify").code == 0


def kept_rows(project: Project, row: str) -> bool:
    """Whether a row of the local database is there, or in a backup of it."""
    if (row,) in project.local.rows("select name from public.teams"):
        return True
    restore = find_client_tools(17) / "pg_restore"
    archives = project.root.glob(".sbsync/backups/*-local-before-reset/data.dump")
    argv = [str(restore), "--data-only", "--table=teams", "--file=-"]
    return any(row in subprocess.run([*argv, a], capture_output=True, text=True, check=True).stdout for a in archives)


@pytest.mark.parametrize(
    "wait", [True, pytest.param(False, marks=pytest.mark.matrix)], ids=["the server has finished", "at once"]
)
def test_a_push_that_was_killed(slow: Project, wait: bool) -> None:
    with shut_gate(slow) as open_gate:
        run = Started(slow, "local-to-remote", "--env", "sandbox", "--yes")
        run.until(lambda: push_reached_the_gate(slow))
        assert run.signal(signal.SIGKILL).code == -signal.SIGKILL
        open_gate()
    if wait:
        nobody_waits(slow)
    else:
        early = slow.task("local-to-remote", "--yes")
        assert early.code in (0, 1, 4), early.text
        assert "Traceback" not in early.text
    finished(slow)
    assert kept_rows(slow, "precious")


@pytest.mark.parametrize(
    ("number", "again"),
    [
        (signal.SIGINT, False),
        pytest.param(signal.SIGINT, True, marks=pytest.mark.matrix),
        pytest.param(signal.SIGTERM, True, marks=pytest.mark.matrix),
    ],
)
def test_a_push_that_is_interrupted(slow: Project, number: signal.Signals, again: bool) -> None:
    with shut_gate(slow):
        run = Started(slow, "local-to-remote", "--env", "sandbox", "--yes")
        run.until(lambda: push_reached_the_gate(slow))
        if number == signal.SIGINT:
            done = run.signal(number)  # a terminal's reaches the CLI, too
        else:
            run.process.send_signal(number)
            done = run.end()
        with pytest.raises(ProcessLookupError):  # nobody of the group is left
            os.killpg(run.process.pid, 0)
    assert done.code == 130, done.text
    assert "Interrupted" in done.text
    assert "Run the command again" in done.text
    assert "Traceback" not in done.text
    nobody_waits(slow)
    assert list(slow.remote.history()) in [slow.versions[:-i] for i in (1, 2)]  # never cut in the middle of a file
    assert slow.remote.has("public.slow") == (SLOW in slow.remote.history())
    if again:
        finished(slow)


def files_are_written(project: Project) -> Callable[[], bool]:
    before = len(project.migrations)
    return lambda: len(list((project.root / "supabase" / "migrations").glob("*.sql"))) > before


def reset_has_begun(project: Project) -> Callable[[], bool]:
    place: Path = place_of(project.root.resolve())
    return lambda: any("local-next" in path.name for path in place.iterdir() if path.is_dir())


def is_committed(project: Project) -> Callable[[], bool]:
    branch = project.root / ".git" / "refs" / "heads" / "main"
    before = branch.read_text(encoding="utf-8")
    return lambda: branch.read_text(encoding="utf-8") != before


@pytest.mark.parametrize(
    ("task", "moment"),
    [
        pytest.param("local-to-remote", files_are_written, marks=pytest.mark.matrix),
        pytest.param("local-to-remote", reset_has_begun, marks=pytest.mark.matrix),
        pytest.param("remote-to-local", files_are_written, marks=pytest.mark.matrix),
        ("remote-to-local", reset_has_begun),
        pytest.param("remote-to-local", is_committed, marks=pytest.mark.matrix),
    ],
)
def test_a_run_that_was_killed_on_the_way(
    project: Project, task: str, moment: Callable[[Project], Callable[[], bool]]
) -> None:
    changed = project.local if task == "local-to-remote" else project.remote
    changed.run("create table public.made (id int primary key)")
    project.local.run("insert into public.teams (name) values ('precious')")
    files = set(project.migrations)
    run = Started(project, task, "--env", "sandbox", "--yes")
    run.until(moment(project))
    run.signal(signal.SIGKILL)

    assert kept_rows(project, "precious")
    again = project.task(task, "--yes")
    assert again.code == 0, again.text
    (new,) = set(project.migrations) - files
    assert project.migrations[new].count("CREATE TABLE") == 1
    for database in (project.local, project.remote):
        assert database.has("public.made")
        assert list(database.history()) == project.versions
    assert project.task("verify").code == 0
    assert kept_rows(project, "precious")
    assert project.git("status", "--short", "--", "supabase/migrations") == (
        f"?? supabase/migrations/{new}" if task == "local-to-remote" else ""
    )


def test_a_second_push_from_elsewhere_is_refused(slow: Project) -> None:
    other = other_checkout(slow)
    try:
        with shut_gate(slow):
            first = Started(slow, "push", "--env", "sandbox", "--yes", settings={"SBSYNC_LOCK_TIMEOUT": "0"})
            first.until(lambda: push_reached_the_gate(slow))
            second = other.task("push", "--yes")
        done = first.end()
    finally:
        other.remove_databases()
    assert second.code == 4, second.text
    assert "Another run is writing" in second.stderr
    assert done.code == 0, done.text
    assert list(slow.remote.history()) == slow.versions


@pytest.mark.matrix
def test_two_pushes_that_start_together_bring_everything_once(slow: Project) -> None:
    runs = [Started(slow, "push", "--env", "sandbox", "--yes") for _ in range(2)]
    ended = [run.end() for run in runs]
    assert 0 in {done.code for done in ended}, [done.text for done in ended]
    for done in ended:
        assert done.code in (0, 4), done.text
    assert list(slow.remote.history()) == slow.versions
    assert slow.remote.has("public.after")


@pytest.mark.matrix
def test_a_reader_that_holds_a_lock_makes_the_push_fail_in_time(project: Project) -> None:
    sql = "create table public.before (id int primary key);\nalter table public.teams add column note text;\n"
    project.migration(SLOW, "note", sql)
    tools = find_client_tools(17)
    before = dump(tools, project.remote.endpoint)
    with psycopg.connect(**project.remote.endpoint.conninfo()) as reader:
        reader.execute("select * from public.teams").fetchall()
        done = project.invoke("push", "--env", "sandbox", "--yes", settings={"SBSYNC_LOCK_TIMEOUT": "300ms"})
    assert done.code == 1, done.text
    assert "lock timeout" in done.stderr
    assert "none of the pending migrations" in done.stderr
    assert dump(tools, project.remote.endpoint) == before
    assert project.task("push", "--yes").code == 0
    assert project.remote.has("public.before")
