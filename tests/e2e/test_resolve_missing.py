"""What a database has recorded and no file has: it comes from a branch, from a history, or as an empty file."""

from __future__ import annotations

import pytest

from tests.support.project import Project
from tests.support.resolved import FUTURE, NOTES, cured, in_sync, kinds, looked, pushed


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
