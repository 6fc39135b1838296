"""A run that is cut off, at any point, is finished by running it again."""

import pytest

from tests.support.project import Done, Project

# Runs a task; once the named action is done, the process is gone, as after `kill -9`.
CUT_OFF = """
import os, sys
from invoke.main import program
from sbsync_tasks.run import execute
step, *argv = sys.argv[1:]
def cut(perform):
    def until(run, state, action, done):
        perform(run, state, action, done)
        if action.step == step:
            os._exit(9)
    return until
execute.PERFORM = {action: cut(perform) for action, perform in execute.PERFORM.items()}
program.run(["invoke", *argv])
"""


def cut_off(project: Project, direction: str, after: str) -> Done:
    """Run a scenario until an action is done, and no further."""
    done = project.script(CUT_OFF, after, direction, "--env", "sandbox", "--yes", "--commit")
    assert done.code == 9, done.text
    return done


@pytest.mark.matrix
def test_local_to_remote(project: Project) -> None:
    project.local.run("create table public.mine (id int primary key)")
    for step in ("write", "reset", "backup", "push"):  # each run goes on from where the one before was cut off
        cut_off(project, "local-to-remote", step)
    done = project.sync("local-to-remote", "--commit", "--json")
    version = project.version_of("local_changes")  # the one and only
    assert done.data["proof"]["in_sync"] is True
    for database in (project.local, project.remote):
        assert database.has("public.mine")
        assert list(database.history()) == project.versions
    assert project.local.rows("select name from public.teams") == [("Harbour Studio",)]
    assert project.git("status", "--short") == ""
    assert project.head == ("Add migration for local changes", [f"supabase/migrations/{version}_local_changes.sql"])


@pytest.mark.matrix
def test_remote_to_local(project: Project) -> None:
    project.remote.run("create table public.by_hand (id int primary key)", "insert into public.by_hand values (1)")
    for step in ("write", "reset", "commit"):
        cut_off(project, "remote-to-local", step)
    project.sync("remote-to-local")
    version = project.version_of("remote_changes")
    assert project.remote.rows("select * from public.by_hand") == [(1,)]
    assert project.local.has("public.by_hand")
    for database in (project.local, project.remote):
        assert list(database.history()) == project.versions
    assert project.remote.history()[version] == project.local.history()[version]
    assert project.head == ("Add migration for remote changes", [f"supabase/migrations/{version}_remote_changes.sql"])
    assert project.git("log", "--format=%s").splitlines().count("Add migration for remote changes") == 1
    assert project.task("verify").code == 0


def test_a_push_that_fails_half_way_says_what_landed_and_goes_on_from_there(project: Project) -> None:
    project.remote.run("insert into public.teams (name) values ('a'), ('a')")
    project.migration("20260401000000", "first", "create table public.first (id int primary key);\n")
    project.migration("20260401000001", "second", "create unique index teams_name_key on public.teams (name);\n")
    done = project.task("local-to-remote", "--yes", "--json")
    assert done.code == 1, done.text
    assert "20260401000001_second.sql failed on sandbox (" in done.stderr
    assert "line 1: ERROR: could not create unique index" in done.stderr
    assert "supabase db push" not in done.stderr
    query = "select name, count(*) from public.teams group by name having count(*) > 1"
    assert f"There more than once: 1 value. To see them: `{query};`" in done.stderr
    assert project.remote.rows(query) == [("a", 2)]
    assert "Rows that sandbox (" in done.stderr
    assert "On the remote now: 20260401000000_first.sql. Not there: 20260401000001_second.sql." in done.stderr
    assert "then run the same command again. It goes on from there." in done.stderr
    assert project.remote.has("public.first")
    assert not project.remote.has("public.teams_name_key")
    assert "20260401000001" not in project.remote.history()

    project.remote.run("delete from public.teams")
    project.sync("local-to-remote")
    assert project.remote.has("public.teams_name_key")
    assert list(project.remote.history()) == project.versions
