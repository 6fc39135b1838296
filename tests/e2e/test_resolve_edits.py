"""A file that was edited or renamed after it was applied: it gets its text or its version back."""

from __future__ import annotations

import pytest

from tests.support.project import Project
from tests.support.resolved import (
    FUTURE,
    NOTES,
    TEAMS,
    TOTALS,
    cured,
    in_sync,
    kept_files,
    kept_rows,
    kinds,
    looked,
    pushed,
)


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
