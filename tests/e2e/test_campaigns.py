"""Two runs at once, and runs that are cut off at any moment: nothing is lost, and running again ends in a proof."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.campaign import Rounds
from tests.support.project import Done, Project
from tests.support.started import Started, other_checkout

pytestmark = [pytest.mark.cli, pytest.mark.e2e, pytest.mark.campaign]

LONGEST = 9.0  # seconds that a scenario may take
# Nothing was written by a run that ends with one of these.
OVERTAKEN = ("Another run is writing to ", "has changed since this run looked at it: ", "differs from its own history")


@pytest.fixture
def other(project: Project) -> Iterator[Project]:
    """A colleague's clone, with the same remote and a local database of its own."""
    made = other_checkout(project)
    try:
        assert made.task("reset", "--yes").code == 0
        yield made
    finally:
        made.remove_databases()


def carried_on(project: Project) -> None:
    """What somebody does who was overtaken: bring the other work here, then one's own there."""
    done = project.task("local-to-remote", "--yes")
    if done.code == 4:
        assert "`invoke remote-to-local`" in done.text, done.text
        project.sync("remote-to-local", "--keep-local", "--no-commit")
        done = project.task("local-to-remote", "--yes")
    assert done.code == 0, done.text


def told_what_was_written(project: Project, done: Done, files: set[str]) -> None:
    """The loser has written nothing, and says so."""
    assert done.code in (0, 4), done.text
    if done.code == 4:
        assert any(words in done.text for words in OVERTAKEN), done.text
        assert set(project.migrations) == files


def test_two_clones_that_push_at_once(project: Project, other: Project, rounds: Rounds) -> None:
    for number, random_ in enumerate(rounds(1, 20)):
        files = [set(each.migrations) for each in (project, other)]
        for name, each in (("ours", project), ("theirs", other)):
            each.local.run(f"create table public.{name}_{number} (id int primary key)")
        runs = []
        for each in (project, other):
            runs.append(Started(each, "local-to-remote", "--env", each.env, "--yes"))
            time.sleep(random_.choice((0, 0.1, 1)))
        ended = [run.end() for run in runs]
        for each, done, before in zip((project, other), ended, files, strict=True):
            told_what_was_written(each, done, before)
        assert 0 in {done.code for done in ended}, [done.text for done in ended]
        for each in (project, other, project):
            carried_on(each)
        for database in (project.local, other.local, project.remote):
            assert database.has(f"public.ours_{number}")
            assert database.has(f"public.theirs_{number}")
        assert list(project.remote.history()) == project.versions == other.versions


def test_one_of_each_scenario_at_once(project: Project, other: Project, rounds: Rounds) -> None:
    for number, random_ in enumerate(rounds(1, 20)):
        files = [set(each.migrations) for each in (project, other)]
        project.local.run(f"create table public.pushed_{number} (id int primary key)")
        project.remote.run(f"create table public.pulled_{number} (id int primary key)")
        directions = ["local-to-remote", "remote-to-local"]
        if random_.random() < 0.5:  # the push plans without the remote's own change
            directions[0:1] = ["local-to-remote", "--ignore-drift"]
        runs = [
            Started(project, *directions[:-1], "--env", "sandbox", "--yes"),
            Started(other, directions[-1], "--env", "shared", "--yes", "--no-commit"),
        ]
        ended = [run.end() for run in runs]
        for each, done, before in zip((project, other), ended, files, strict=True):
            told_what_was_written(each, done, before)
        for each in (other, project, other):
            each.sync("remote-to-local", "--keep-local", "--no-commit")
            carried_on(each)
        for database in (project.local, other.local, project.remote):
            assert database.has(f"public.pushed_{number}")
            assert database.has(f"public.pulled_{number}")
        assert list(project.remote.history()) == project.versions == other.versions


def test_runs_that_are_cut_off_at_any_moment(project: Project, rounds: Rounds) -> None:
    project.local.run("insert into public.teams (name) values ('precious')")
    for number, random_ in enumerate(rounds(4, 60)):
        direction = random_.choice(("local-to-remote", "remote-to-local"))
        changed = project.local if direction == "local-to-remote" else project.remote
        changed.run(f"create table public.made_{number} (id int primary key)")
        run = Started(project, direction, "--env", "sandbox", "--yes", "--commit")
        moment = random_.uniform(0, LONGEST)
        how = random_.choice(("INT", "TERM", "KILL", "the CLI's KILL"))
        print(f"{direction}: {how} after {moment:.2f} s")
        cut_off(run, how, moment)
        run.end()
        again = project.task(direction, "--yes", "--commit")
        assert again.code == 0, again.text
        for database in (project.local, project.remote):
            assert database.has(f"public.made_{number}")
            assert list(database.history()) == project.versions
        assert project.task("verify").code == 0
        assert len([name for name in project.migrations if f"made_{number}" in project.migrations[name]]) == 1
        assert project.git("status", "--short", "--", "supabase") == ""


def cut_off(run: Started, how: str, moment: float) -> None:
    """Send a signal after a while; it may be over by then."""
    deadline = time.monotonic() + moment
    while time.monotonic() < deadline and run.process.poll() is None:
        time.sleep(0.02)
    try:
        if how == "the CLI's KILL":
            kill_cli(run)
        else:
            run.process.send_signal(signal.Signals[f"SIG{how}"])
    except ProcessLookupError:
        pass


def kill_cli(run: Started) -> None:
    """Kill the CLI's calls of a run, as somebody does who is short of memory."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            group = int((process / "stat").read_text().rpartition(")")[2].split()[2])
            name = (process / "cmdline").read_bytes().split(b"\0")[0]
        except (OSError, ValueError):
            continue
        if group == run.process.pid and name.endswith(b"/supabase"):
            run.kill(int(process.name))
