"""Eight prepared histories: each diagnosed by its cause, and after its cure every file and row is accounted for."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.project import Data, Project

TEAMS, INVOICES, TOTALS = "20260105090000", "20260112090000", "20260126090000"
NOTES = "-- Notes, as a colleague wrote them.\ncreate table public.notes (id int primary key, body text);\n"
FUTURE = "20990101000000"


def pushed(project: Project, on: Data, version: str, name: str, sql: str) -> Path:
    """A migration that one database has had by the CLI itself, with its file still there."""
    path = project.migration(version, name, sql)
    done = project.supabase("db", "push", "--yes", "--skip-vault", "--include-all", on=on)
    assert done.code == 0, done.text
    return path


def looked(project: Project) -> dict[str, Any]:
    """The diagnosis of a dry run, after which nothing is another."""
    before = project.snapshot()
    kept = list((project.root / ".sbsync").glob("replaced/*")) + list((project.root / ".sbsync").glob("histories/*"))
    done = project.task("resolve", "--dry-run", "--json")
    assert done.code in (0, 4), done.text
    assert project.snapshot() == before
    state = project.root / ".sbsync"
    assert kept == list(state.glob("replaced/*")) + list(state.glob("histories/*"))
    return done.data


def kinds(document: dict[str, Any]) -> list[str]:
    return [conflict["kind"] for conflict in document["conflicts"]]


def cured(project: Project) -> dict[str, Any]:
    """The cure, all of it: nothing is left, and the remote is what it was."""
    remote = project.remote.history(), project.remote.catalog()
    local = project.local.catalog()
    done = project.task("resolve", "--yes", "--json")
    assert done.code == 0, done.text
    assert (project.remote.history(), project.remote.catalog()) == remote
    assert project.local.catalog() == local
    assert done.data["left"] == []
    return done.data


def in_sync(project: Project) -> None:
    """Both databases and all files are accounted for: the next push ends in a proof of that."""
    project.sync("local-to-remote")
    assert list(project.local.history()) == list(project.remote.history()) == project.versions
    assert project.local.catalog() == project.remote.catalog()


def kept_files(project: Project) -> dict[str, str]:
    folder = project.root / ".sbsync" / "replaced"
    return {p.name: p.read_text(encoding="utf-8") for p in sorted(folder.iterdir())} if folder.is_dir() else {}


def kept_rows(project: Project) -> list[dict[str, Any]]:
    (path,) = (project.root / ".sbsync" / "histories").glob("*-local.json")
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.matrix
def test_nothing_in_conflict(project: Project) -> None:
    before = project.snapshot()
    project.migration("20990101000000", "pending", "select 1;\n")
    done = project.task("resolve", "--yes")
    assert done.code == 0, done.text
    (project.root / "supabase/migrations/20990101000000_pending.sql").unlink()
    assert project.snapshot() == before


# --- missing ---


@pytest.mark.matrix
def test_a_missing_file_is_restored_from_the_branch_that_has_it(project: Project) -> None:
    project.git("switch", "--quiet", "--create", "feature/notes")
    path = pushed(project, project.remote, FUTURE, "notes", NOTES)
    project.git("add", "--all")
    project.git("-c", "user.name=Ann Example", "commit", "--quiet", "--message", "Notes")
    project.git("switch", "--quiet", "main")
    assert not path.exists()
    found = looked(project)
    assert kinds(found) == ["missing file"]
    assert "feature/notes (Ann Example, " in found["conflicts"][0]["what"]
    cured(project)
    assert project.migrations[path.name] == NOTES
    in_sync(project)


@pytest.mark.matrix
def test_a_missing_file_that_no_branch_has_comes_from_the_remotes_history(project: Project) -> None:
    path = pushed(project, project.remote, FUTURE, "notes", NOTES)
    path.unlink()
    shown = project.task("resolve", "--dry-run")
    assert shown.code == 0, shown.text
    assert "No branch has had it" in shown.text
    assert "create table public.notes" in shown.text
    cured(project)
    assert "create table public.notes" in project.migrations[path.name]
    in_sync(project)


@pytest.mark.matrix
def test_a_branch_with_other_statements_is_named_and_not_used(project: Project) -> None:
    path = pushed(project, project.remote, FUTURE, "notes", NOTES)
    project.git("switch", "--quiet", "--create", "other")
    project.migration(FUTURE, "notes", "create table public.notes (id bigint primary key);\n")
    project.commit_all("Another text")
    project.git("switch", "--quiet", "main")
    assert not path.exists()
    found = looked(project)
    assert "other (Test, " in found["conflicts"][0]["what"]
    assert "with other statements" in found["conflicts"][0]["what"]
    cured(project)
    assert "body text" in project.migrations[path.name]
    in_sync(project)


@pytest.mark.matrix
def test_what_only_the_local_database_has_recorded_becomes_a_pending_file(project: Project) -> None:
    path = pushed(project, project.local, FUTURE, "notes", NOTES)
    path.unlink()
    found = looked(project)
    assert kinds(found) == ["recorded locally only"]
    history, before = project.local.history(), project.snapshot()
    refused = project.task("resolve")
    assert refused.code == 4, refused.text
    assert "Cannot ask for confirmation" in refused.stderr
    assert project.snapshot() == before
    cured(project)
    assert project.local.history() == history
    assert path.exists()
    in_sync(project)
    assert project.remote.has("public.notes")


@pytest.mark.matrix
def test_without_recorded_statements_and_without_a_branch_it_is_only_explained(project: Project) -> None:
    pushed(project, project.remote, FUTURE, "notes", NOTES).unlink()
    project.remote.run(f"update supabase_migrations.schema_migrations set statements = null where version = '{FUTURE}'")
    before = project.snapshot()
    done = project.task("resolve", "--yes")
    assert done.code == 4, done.text
    assert "its statements were not recorded" in done.text
    assert project.snapshot() == before


# --- out of order ---


@pytest.mark.matrix
@pytest.mark.parametrize("applied_locally", [False, True])
def test_a_file_older_than_the_remotes_head_gets_a_later_version(project: Project, applied_locally: bool) -> None:
    old = "20260110000000"
    project.migration(old, "notes", NOTES)
    if applied_locally:
        pushed(project, project.local, old, "notes", NOTES)
        project.local.run("insert into public.notes values (1, 'mine')")
    row = project.local.history().get(old)
    found = looked(project)
    assert kinds(found) == ["out of order"]
    data = cured(project)
    new = project.version_of("notes")
    assert new > TOTALS
    assert project.migrations[f"{new}_notes.sql"] == NOTES
    assert old not in project.versions
    assert kept_files(project) == {f"{old}_notes.sql": NOTES}
    assert (new in project.local.history()) == applied_locally
    assert old not in project.local.history()
    if applied_locally:
        assert project.local.history()[new]["statements"] == row["statements"]
        assert row["version"] in [kept["version"] for kept in kept_rows(project)]
        assert len(data["kept"]) == 2
        project.sync("local-to-remote", "--no-reset")
        assert project.local.rows("select body from public.notes") == [("mine",)]
    in_sync(project)


@pytest.mark.matrix
def test_what_builds_upon_a_late_file_stays_behind_it(project: Project) -> None:
    project.migration("20260110000000", "notes", NOTES)
    tight = str(int(TOTALS) + 1)
    project.migration(tight, "more", "alter table public.notes add column more text;\n")
    cured(project)
    assert TOTALS < project.version_of("notes") < project.version_of("more")
    assert sorted(kept_files(project)) == ["20260110000000_notes.sql", f"{tight}_more.sql"]
    in_sync(project)


@pytest.mark.matrix
@pytest.mark.parametrize("task", ["local-to-remote", "push"])
def test_an_independent_file_can_keep_its_version(project: Project, task: str) -> None:
    project.migration("20260110000000", "notes", NOTES)
    assert project.task(task, "--yes").code == 4
    assert "rows are not compared" in project.sync(task, "--include-all").stderr
    assert "20260110000000" in project.remote.history()
    assert project.remote.has("public.notes")
    in_sync(project)


@pytest.mark.matrix
@pytest.mark.parametrize(
    "sql",
    [
        "alter table public.invoices add column late text;\n",  # there is no such table yet
        "create table public.customers (id int);\n",  # a later one makes it
        "create table public.notes as select * from public.teams;\n",  # a later one has more columns to copy
    ],
)
def test_a_file_that_leads_elsewhere_cannot_keep_its_version(project: Project, sql: str) -> None:
    pushed(project, project.remote, FUTURE, "more", "alter table public.teams add column more text;\n")
    project.sync("remote-to-local", "--no-commit")
    project.migration("20260110000000", "late", sql)
    before = project.snapshot()
    done = project.task("local-to-remote", "--yes", "--include-all")
    assert done.code == 4, done.text
    assert "The order matters" in done.text
    assert "resolve" in done.text
    assert project.snapshot() == before


# --- edited ---


@pytest.mark.matrix
def test_an_edited_file_gets_its_text_back(project: Project) -> None:
    name = f"{TEAMS}_teams.sql"
    original = project.migrations[name]
    edited = original.replace("between 1 and 80", "between 1 and 90")
    assert edited != original
    project.migration(TEAMS, "teams", edited)
    found = looked(project)
    assert kinds(found) == ["edited after it was applied"]
    details = found["conflicts"][0]["details"]
    assert [line.split(":")[0] for line in details] == ["recorded", "in the file"]
    assert "create table public.teams" in details[0]
    cured(project)
    assert project.migrations[name] == original  # from the branch, comments and all
    assert kept_files(project) == {name: edited}
    in_sync(project)


# --- duplicate, misnamed, renamed ---


@pytest.mark.matrix
def test_of_two_files_with_one_version_the_applied_one_keeps_it(project: Project) -> None:
    project.migration(TOTALS, "another", NOTES)
    found = looked(project)
    assert kinds(found) == ["duplicate version"]
    cured(project)
    assert f"{TOTALS}_invoice_totals.sql" in project.migrations
    assert project.migrations[f"{project.version_of('another')}_another.sql"] == NOTES
    assert kept_files(project) == {f"{TOTALS}_another.sql": NOTES}
    in_sync(project)


@pytest.mark.matrix
def test_of_two_files_with_one_version_each_applied_somewhere(project: Project) -> None:
    tasks = "create table public.tasks (id int primary key);\n"
    mine = pushed(project, project.local, FUTURE, "notes", NOTES)
    mine.rename(project.root / mine.name)
    pushed(project, project.remote, FUTURE, "tasks", tasks)
    (project.root / mine.name).rename(mine)
    assert kinds(looked(project)) == ["duplicate version"]
    cured(project)
    assert f"{FUTURE}_tasks.sql" in project.migrations
    moved = project.version_of("notes")
    assert moved > FUTURE
    assert "notes" in str(project.local.history()[moved]["statements"])
    assert FUTURE not in project.local.history()
    in_sync(project)
    assert project.local.has("public.tasks")
    assert project.remote.has("public.notes")


@pytest.mark.matrix
def test_a_misnamed_file_is_only_explained(project: Project) -> None:
    path = project.write("supabase/migrations/2026-01-30 add notes.sql", NOTES)
    before = project.snapshot()
    done = project.task("resolve", "--yes")
    assert done.code == 4, done.text
    assert "2026-01-30 add notes.sql is not named" in done.text
    assert project.snapshot() == before
    (command,) = re.findall(r"`(mv [^`]+)`", done.text)
    subprocess.run(command, shell=True, check=True, cwd=project.root)
    assert not path.exists()
    in_sync(project)
    assert project.remote.has("public.notes")


@pytest.mark.matrix
def test_a_file_renamed_after_the_local_database_had_it(project: Project) -> None:
    path = pushed(project, project.local, "20260401000000", "notes", NOTES)
    path.rename(path.with_name(f"{FUTURE}_notes.sql"))
    found = looked(project)
    assert kinds(found) == ["renamed after it was applied"]
    cured(project)
    assert list(project.local.history())[-1] == FUTURE
    assert "20260401000000" in [row["version"] for row in kept_rows(project)]
    in_sync(project)


@pytest.mark.matrix
def test_a_file_renamed_after_the_remote_had_it(project: Project) -> None:
    old = f"{TOTALS}_invoice_totals.sql"
    text = project.migrations[old]
    folder = project.root / "supabase/migrations"
    (folder / old).rename(folder / f"{FUTURE}_totals.sql")
    assert kinds(looked(project)) == ["renamed after it was applied"]
    before = project.snapshot()
    for task in ("remote-to-local", "pull", "local-to-remote"):
        stopped = project.task(task, *([] if task == "pull" else ["--yes"]))
        assert stopped.code == 4, stopped.text
        assert f"these statements as {TOTALS}; their file is now {FUTURE}_totals.sql." in stopped.stderr
        assert "`invoke resolve` does this: Give the file back the version" in stopped.stderr
        assert "already exists" not in stopped.stderr
    assert project.snapshot() == before
    cured(project)
    assert project.migrations[f"{TOTALS}_totals.sql"] == text
    project.task("commit", "--yes")
    assert project.head[1] == [f"supabase/migrations/{old}", f"supabase/migrations/{TOTALS}_totals.sql"]
    assert project.git("status", "--short") == ""
    in_sync(project)


# --- a version only, two migrations of one version, a squash ---


@pytest.mark.matrix
def test_a_version_without_a_name_statements_or_a_file(project: Project) -> None:
    project.remote.run(
        f"insert into supabase_migrations.schema_migrations (version) values ('{FUTURE}')",
        "create table public.by_that (id int primary key)",
    )
    for task in ("local-to-remote", "remote-to-local"):
        stopped = project.task(task, "--yes")
        assert stopped.code == 4, stopped.text
        assert "`invoke resolve` does this: Write an empty file of that version" in stopped.stderr
    assert kinds(looked(project)) == ["missing file"]
    project.task("resolve", "--yes")  # the drift that comes with it is told, and left
    assert "what it did is not known" in project.migrations[f"{FUTURE}_unknown.sql"]
    project.sync("remote-to-local")  # as advised
    assert project.local.has("public.by_that")
    in_sync(project)


@pytest.mark.matrix
@pytest.mark.parametrize("name", ["notes", "tasks"])
@pytest.mark.parametrize("direction", ["local-to-remote", "remote-to-local"])
def test_one_version_for_two_migrations_of_two_clones(project: Project, name: str, direction: str) -> None:
    tasks = "create table public.tasks (id int primary key);\n"
    pushed(project, project.remote, FUTURE, "tasks", tasks).unlink()
    pushed(project, project.local, FUTURE, name, NOTES)
    stopped = project.task(direction, "--yes")
    assert stopped.code == 4, stopped.text
    assert "are two migrations of one version.\n`invoke resolve` does this: " in stopped.stderr
    assert kinds(looked(project)) == ["duplicate version"]
    cured(project)
    later = project.version_of(name) if name == "notes" else max(project.versions)
    assert later > FUTURE
    assert project.migrations[f"{later}_{name}.sql"] == NOTES
    assert "create table public.tasks" in project.migrations[f"{FUTURE}_tasks.sql"]
    assert project.local.history()[later]["statements"]
    project.sync("remote-to-local")
    assert project.local.has("public.tasks")
    assert project.local.has("public.notes")
    in_sync(project)
    assert project.remote.has("public.notes")


@pytest.mark.matrix
@pytest.mark.parametrize("rebuilt", [False, True])
def test_a_squash_is_never_undone_and_each_history_is_told(project: Project, newest: Path, rebuilt: bool) -> None:
    whole, last = "".join(project.migrations.values()), max(project.migrations)
    for name in project.migrations:
        (project.root / "supabase/migrations" / name).unlink()
    project.write(f"supabase/migrations/{last}", whole)
    project.commit_all("Squash")
    if rebuilt:
        project.task("reset", "--yes")
    before = project.snapshot()
    for task in ("local-to-remote", "remote-to-local"):
        stopped = project.task(task, "--yes")
        assert stopped.code == 4, stopped.text
        assert "as after `supabase migration squash`." in stopped.stderr
        assert "`supabase migration repair " in stopped.stderr
    said = project.task("resolve", "--yes")
    assert said.code == 4, said.text
    assert project.snapshot() == before
    repairs = re.findall(r"`(supabase migration repair .+?)`", said.text)
    assert len(repairs) == 2
    invoke = f"{sys.executable} -m invoke"
    for command in repairs:
        line = command.replace("supabase", str(newest), 1).replace("invoke url", f"{invoke} url --env sandbox")
        environment = {**project.environment(), "SUPABASE_YES": "1"}
        subprocess.run(line + " --yes", shell=True, check=True, cwd=project.root, env=environment)
    assert project.task("reset", "--yes").code == 0
    assert project.task("verify").code == 0
    assert list(project.remote.history()) == project.versions
    in_sync(project)


# --- first pulls and drift: other commands do these ---


@pytest.fixture
def newcomer(newest: Path, tmp_path: Path) -> Iterator[Project]:
    """A project without migrations or seeds, its databases untouched."""
    made = Project(tmp_path / "project", newest)
    made.root.mkdir()
    try:
        made.create()
        for path in (made.root / "supabase" / "migrations").iterdir():
            path.unlink()
        made.write("supabase/seed.sql", "")
        made.commit_all("Nothing yet")
        yield made
    finally:
        made.remove_databases()


def explained(project: Project, kind: str) -> str:
    before = project.snapshot()
    done = project.task("resolve", "--yes", "--json")
    assert done.code == 4, done.text
    assert kinds(done.data) == [kind]
    assert done.data["plan"] == []
    assert "`invoke remote-to-local`" in done.data["conflicts"][0]["ways"][0]["title"]
    assert project.snapshot() == before
    project.sync("remote-to-local")
    assert project.task("resolve").code == 0
    assert list(project.local.history()) == list(project.remote.history()) == project.versions
    assert project.task("verify").code == 0
    return str(done.data["conflicts"][0]["what"])


@pytest.mark.matrix
def test_a_first_pull_from_a_remote_without_history(newcomer: Project) -> None:
    newcomer.remote.run("create table public.notes (id int primary key)")
    assert "no history" in explained(newcomer, "first pull")


@pytest.mark.matrix
def test_a_first_pull_from_a_remote_with_history(project: Project) -> None:
    for name in project.migrations:
        (project.root / "supabase" / "migrations" / name).unlink()
    project.git("checkout", "--quiet", "--orphan", "fresh")
    project.commit_all("A folder without migrations")
    project.clusters.remove("sandbox-local")
    assert "4 recorded migrations" in explained(project, "first pull")


@pytest.mark.matrix
def test_a_remote_that_was_changed_by_hand(project: Project) -> None:
    project.remote.run("create table public.by_hand (id int primary key)")
    explained(project, "drift")


# --- a mixture ---


def test_a_mixture(project: Project) -> None:
    colleague = "create table public.colleague (id int primary key);\n"
    pushed(project, project.remote, FUTURE, "colleague", colleague).unlink()  # missing; makes all others late
    lost = pushed(project, project.local, "20260701000000", "lost", "create table public.lost (id int primary key);\n")
    lost.unlink()
    project.migration("20260601000000", "late", NOTES)  # out of order
    project.migration(TOTALS, "twice", "create table public.twice (id int primary key);\n")  # duplicate
    teams = project.migrations[f"{TEAMS}_teams.sql"]
    project.migration(TEAMS, "teams", teams + "create table public.added ();\n")  # edited
    project.remote.run("create table public.by_hand (id int primary key)")  # drift
    found = looked(project)
    assert sorted(kinds(found)) == [
        "drift", "duplicate version", "edited after it was applied", "missing file", "out of order",
        "recorded locally only",
    ]  # fmt: skip
    remote = project.remote.history(), project.remote.catalog()
    done = project.task("resolve", "--yes", "--json")
    assert done.code == 4, done.text  # the drift is another command's
    assert [conflict["kind"] for conflict in done.data["left"]] == ["drift"]
    assert (project.remote.history(), project.remote.catalog()) == remote
    order = [project.version_of(name) for name in ("late", "twice", "lost")]
    assert all(version > FUTURE for version in order)
    assert "20260701000000" in [row["version"] for row in kept_rows(project)]
    assert set(kept_files(project)) == {
        "20260601000000_late.sql", f"{TOTALS}_twice.sql", f"{TEAMS}_teams.sql",
    }  # fmt: skip
    project.sync("remote-to-local")
    in_sync(project)
    for table in ("colleague", "lost", "notes", "twice", "by_hand"):
        assert project.local.has(f"public.{table}")
        assert project.remote.has(f"public.{table}")
