"""What stops a run at its first look: nothing may have changed afterwards."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.project import Project, Snapshot
from tests.support.watch import ADVICE

TEAMS, INVOICES, TOTALS = "20260105090000", "20260112090000", "20260126090000"


@pytest.fixture(scope="module")
def shared(synced: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Project, Snapshot]]:
    """One project for all, since nothing here may change a database."""
    copied = synced.copy_to(tmp_path_factory.mktemp("stops") / "project")
    try:
        yield copied, copied.snapshot()
    finally:
        copied.remove_databases()


@pytest.fixture
def still(shared: tuple[Project, Snapshot]) -> Iterator[Project]:
    """The project; afterwards its databases and git have to be what they were, and its files are put back."""
    project, before = shared
    yield project
    project.git("checkout", "--quiet", "--", "supabase")
    project.git("clean", "-fdq", "supabase")
    assert project.snapshot() == before


def refused(project: Project, task: str, *args: str) -> str:
    """What a task says that stops for a conflict: in our own words, without the CLI's advice."""
    files = project.migrations
    done = project.task(task, "--yes", *args)
    assert done.code == 4, done.text
    assert not [word for word in ADVICE if word in done.text], done.text
    assert project.migrations == files
    return done.stderr


def test_every_conflict_is_named_at_once(still: Project) -> None:
    """Which conflict stops which task is decided in tests/unit/plan/test_stops.py."""
    still.migration(TEAMS, "teams", still.migrations[f"{TEAMS}_teams.sql"] + "create table public.late ();\n")
    still.migration(INVOICES, "another", "select 1;\n")
    still.migration("20260110000000", "too_late", "create table public.too_late ();\n")
    still.write("supabase/migrations/add_things.sql", "select 1;\n")
    (still.root / "supabase" / "migrations" / f"{TOTALS}_invoice_totals.sql").unlink()
    both = [
        f"{TEAMS}_teams.sql is not what sandbox has had: 1 statement differs.",
        "claim the same version: the CLI would apply the first",
        "add_things.sql is not named",
    ]
    pushed = [f"sandbox has recorded {TOTALS}", "too_late.sql has not reached sandbox, which has had a later one"]
    for task, said in (("local-to-remote", both + pushed), ("push", both + pushed), ("remote-to-local", both)):
        stopped = " ".join(refused(still, task).split())
        assert [words for words in said if words not in stopped] == []


SKIPPED = ("20260201000000_A.SQL", "20260201000000_n/migration.sql")
TABLE = "create table public.skipped (id int primary key);\n"


@pytest.mark.parametrize("name", [pytest.param(SKIPPED[0], marks=pytest.mark.matrix), SKIPPED[1]])
def test_what_the_cli_skips_stops_every_task_that_goes_by_the_files(still: Project, name: str) -> None:
    path = still.write(f"supabase/migrations/{name}", TABLE)
    for task in ("pull", "reset"):
        assert f"supabase/migrations/{name} " in refused(still, task)
    verify, status = still.task("verify"), still.task("status", "--exit-code", "--json")
    assert (verify.code, status.code, status.data["misnamed"]) == (4, 2, [name])
    for done in (verify, status, still.task("diff")):
        assert name in done.text
        assert "`mv -- " in done.text
    assert path.read_text() == TABLE


@pytest.mark.matrix
def test_other_folders_are_named_once_and_stop_nothing(still: Project) -> None:
    still.write("supabase/migrations/archive/20250101000000_old.sql", "select 1;\n")
    still.write("supabase/schemas/teams.sql", "create table public.declared ();\n")
    for task in ("local-to-remote", "remote-to-local"):
        done = still.sync(task)
        assert done.stderr.count("left alone in supabase/migrations, as the CLI does: archive/") == 1
        assert done.stderr.count("not looked at: the declared schemas in supabase/schemas.") == 1
        assert "equal as far as compared" in done.stderr


@pytest.mark.matrix
@pytest.mark.parametrize("name", SKIPPED)
def test_following_the_advice_for_it_ends_in_a_proof(project: Project, name: str) -> None:
    project.write(f"supabase/migrations/{name}", TABLE)
    project.commit_all("Another tool's file")
    advice = refused(project, "local-to-remote")
    (command,) = re.findall(r"`(git mv [^`]+)`", advice)
    subprocess.run(command, shell=True, check=True, cwd=project.root)
    assert "equal as far as compared" in project.sync("local-to-remote").stderr
    for database in (project.local, project.remote):
        assert database.has("public.skipped")
        assert list(database.history()) == project.versions


def test_a_file_older_than_the_remotes_head(still: Project) -> None:
    still.migration("20260110000000", "too_late", "create table public.too_late ();\n")
    assert "too_late.sql has not reached sandbox, which has had a later one" in refused(still, "local-to-remote")
    assert "too_late.sql has not reached sandbox, which has had a later one" in refused(still, "push")


def test_a_version_recorded_locally_without_a_file(project: Project) -> None:
    path = project.migration("20260401000000", "gone", "create table public.gone (id int primary key);\n")
    assert project.supabase("db", "push", "--yes", "--skip-vault", on=project.local).code == 0
    path.unlink()  # as after `git switch`
    before = project.snapshot()
    assert "20260401000000" in refused(project, "remote-to-local")
    assert project.snapshot() == before


@pytest.mark.matrix
def test_a_file_edited_after_only_the_local_database_had_it_is_rebuilt(project: Project) -> None:
    project.migration("20260401000000", "draft", "create table public.draft (id int primary key);\n")
    assert project.supabase("db", "push", "--yes", "--skip-vault", on=project.local).code == 0
    project.migration("20260401000000", "draft", "create table public.draft (id int primary key, more text);\n")
    before = project.snapshot()
    assert "was edited after it was applied locally" in refused(project, "local-to-remote", "--no-reset")
    assert project.snapshot() == before
    project.sync("local-to-remote")
    for database in (project.local, project.remote):
        assert database.has("public.draft")
        assert (
            database.value("select count(*) from pg_attribute where attrelid = 'public.draft'::regclass and attnum > 0")
            == 2
        )
    assert project.local.history() == project.remote.history()


@pytest.mark.matrix
def test_what_both_sides_name_is_one_database(still: Project) -> None:
    endpoint = still.local.endpoint
    still.write(".env.same", f"SUPABASE_DB_URL={endpoint.url}\nSUPABASE_DB_PASSWORD={endpoint.password}\n")
    local = endpoint.url.replace("postgres@", f"postgres:{endpoint.password}@").replace("127.0.0.1", "localhost")
    done = still.invoke("local-to-remote", "--env", "same", "--yes", settings={"SBSYNC_LOCAL": local})
    Path(still.root / ".env.same").unlink()
    assert done.code == 3, done.text
    assert "same database" in done.stderr
    assert endpoint.password not in done.text


@pytest.mark.matrix
def test_both_sides_have_changed(project: Project) -> None:
    """The same on both, or two things of one name: no advice sends from one scenario to the other and back."""
    same = "create table public.same (id int primary key)"
    for database in (project.local, project.remote):
        database.run(same, "alter table public.same enable row level security")
    assert "`invoke remote-to-local`" in refused(project, "local-to-remote")
    said = refused(project, "remote-to-local")
    assert "sandbox has the same: `invoke diff --name NAME` writes a migration of it" in said
    assert project.task("diff", "--name", "same").code == 0  # as advised
    project.sync("local-to-remote")
    for database in (project.local, project.remote):
        assert list(database.history()) == project.versions

    project.local.run("create table public.other (id int primary key, a int)")
    project.remote.run(
        "create table public.other (id int primary key, b int)", "insert into public.other values (1, 2)"
    )
    said = refused(project, "remote-to-local")
    assert "sandbox has changed as well." in said
    assert "`invoke local-to-remote`" not in said
    before = project.snapshot()
    said = refused(project, "remote-to-local", "--keep-local")
    assert "The local changes do not apply after the remote's: line 1: ERROR: relation" in said
    assert project.snapshot() == before
    project.sync("remote-to-local", "--discard-local")  # as advised
    assert project.local.value("select count(*) from information_schema.columns where column_name = 'b'") == 1
    assert project.remote.rows("select * from public.other") == [(1, 2)]
    assert project.task("verify").code == 0
