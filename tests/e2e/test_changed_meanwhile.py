"""What is approved is carried out on the state that it was planned on, or not at all."""

import pytest

from tests.support.project import Done, Project

# Runs a task; between the approval and the first write, somebody else changes a database or the files.
MEANWHILE = """
import pathlib, sys
from invoke.main import program
from sbsync_tasks.run import review
where, what, *argv = sys.argv[1:]
approve = review.approve
def meanwhile(run, *rest):
    answer = approve(run, *rest)
    if where == "files":
        pathlib.Path("supabase/migrations/20990101000000_theirs.sql").write_text(what)
    else:
        with getattr(run, where).connection() as connection:
            connection.execute(what)
    return answer
review.approve = meanwhile
program.run(["invoke", *argv])
"""
# Runs a task; between two questions of one look at a database, somebody else writes there.
BETWEEN = """
import sys
import psycopg
from invoke.main import program
from sbsync_tasks.state import histories
what, *argv = sys.argv[1:]
read = histories.read
def read_then_written_to(connection):
    found, told = read(connection), connection.info
    with psycopg.connect(**told.get_parameters(), password=told.password) as other:
        other.execute(what)
    return found
histories.read = read_then_written_to
program.run(["invoke", *argv])
"""
THEIRS = "create table public.theirs (id int)"
RECORDED = "insert into supabase_migrations.schema_migrations (version) values ('20260501000000')"


def approved(project: Project, direction: str, where: str, what: str) -> Done:
    """Run a scenario that is approved, and overtaken."""
    done = project.script(MEANWHILE, where, what, direction, "--env", "sandbox", "--yes")
    assert done.code == 4, done.text
    assert "has changed since this run looked at it: " in done.stderr
    assert "Nothing was written." in done.stderr
    return done


@pytest.mark.parametrize("direction", ["local-to-remote", pytest.param("remote-to-local", marks=pytest.mark.matrix)])
def test_nothing_is_written_where_the_state_is_another_one(project: Project, direction: str) -> None:
    database = project.local if direction == "local-to-remote" else project.remote
    database.run("create table public.ours (id int primary key)")
    before = project.snapshot()
    assert "public.theirs" in approved(project, direction, "local", THEIRS).stderr
    project.local.run("drop table public.theirs")
    assert "public.theirs" in approved(project, direction, "remote", THEIRS).stderr
    project.remote.run("drop table public.theirs")
    assert "20260501000000 recorded" in approved(project, direction, "remote", RECORDED).stderr
    project.remote.run("delete from supabase_migrations.schema_migrations where version = '20260501000000'")
    assert "its files are others" in approved(project, direction, "files", "select 1;\n").stderr
    (project.root / "supabase/migrations/20990101000000_theirs.sql").unlink()
    assert project.snapshot() == before
    project.sync(direction)  # and then it goes on as it would have
    assert project.local.has("public.ours")
    assert project.remote.has("public.ours")


def test_what_is_written_between_two_questions_of_a_look_is_not_half_seen(project: Project) -> None:
    record = "insert into supabase_migrations.schema_migrations values ('20260501000000', array['{}'], 'theirs')"
    before = project.task("status", "--json").data
    done = project.script(BETWEEN, f"{THEIRS}; {record.format(THEIRS)}", "status", "--env", "sandbox", "--json")
    assert done.data == before  # neither the row nor the table
    after = project.task("status", "--json").data  # both of them
    assert after["versions"][-1]["version"] == "20260501000000"
    assert after["local_changes"] == before["local_changes"]
    assert after["remote_changes"] == before["remote_changes"]
