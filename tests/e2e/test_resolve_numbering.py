"""A file older than the remote's head: it gets a later version, or keeps its own where the order says nothing."""

from __future__ import annotations

import pytest

from tests.support.project import Project
from tests.support.resolved import FUTURE, NOTES, TOTALS, cured, in_sync, kept_files, kept_rows, kinds, looked, pushed


@pytest.mark.matrix
def test_a_file_older_than_the_remotes_head_gets_a_later_version(project: Project) -> None:
    old = "20260110000000"
    project.migration(old, "notes", NOTES)
    pushed(project, project.local, old, "notes", NOTES)
    project.local.run("insert into public.notes values (1, 'mine')")
    row = project.local.history()[old]
    found = looked(project)
    assert kinds(found) == ["out of order"]
    data = cured(project)
    new = project.version_of("notes")
    assert new > TOTALS
    assert project.migrations[f"{new}_notes.sql"] == NOTES
    assert old not in project.versions
    assert kept_files(project) == {f"{old}_notes.sql": NOTES}
    assert old not in project.local.history()
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
