"""Nothing in conflict, and nearly everything: after the cure every file and row is accounted for."""

from __future__ import annotations

import pytest

from tests.support.project import Project
from tests.support.resolved import FUTURE, NOTES, TEAMS, TOTALS, in_sync, kept_files, kept_rows, kinds, looked, pushed


@pytest.mark.matrix
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
