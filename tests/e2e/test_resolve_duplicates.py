"""One version for two migrations: neither is dropped."""

from __future__ import annotations

import pytest

from tests.support.project import Project
from tests.support.resolved import FUTURE, NOTES, TOTALS, cured, in_sync, kept_files, kinds, looked, pushed


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
@pytest.mark.parametrize(("name", "direction"), [("notes", "local-to-remote"), ("tasks", "remote-to-local")])
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
