"""Every cell of the version table, made on real databases: its word in `status`, and its remedy carried out."""

from __future__ import annotations

import pytest

from sbsync_tasks.state.histories import STATUS_OF, At
from tests.support.project import Data, Project

pytestmark = [pytest.mark.cli, pytest.mark.e2e, pytest.mark.matrix]

CELLS = {f"202603{number:02}000000": cell for number, cell in enumerate(STATUS_OF, 1)}


def table(version: str) -> str:
    return f"t{version[4:8]}"


def text(version: str, on: At) -> str:
    """What stands in the file, or what a database has had in its place."""
    more = ", more text" if on is At.OTHER else ""
    return f"create table public.{table(version)} (id int primary key{more});\n"


def has_had(database: Data, version: str, on: At) -> None:
    """Run a text on a database and record it there, as a push does."""
    if on is At.NOT:
        return
    sql = text(version, on).strip().rstrip(";")
    database.run(
        sql,
        "insert into supabase_migrations.schema_migrations (version, name, statements)"
        f" values ('{version}', 'cell', array['{sql}'])",
    )


def test_every_cell_is_named_and_leads_to_a_proof(project: Project) -> None:
    local, remote = project.local, project.remote
    for version, (there, here, beyond) in CELLS.items():
        if there:
            project.migration(version, "cell", text(version, At.SAME))
        has_had(local, version, here)
        has_had(remote, version, beyond)

    states = {row["version"]: row["state"] for row in project.task("status", "--json").data["versions"]}
    assert {v: states[v] for v in CELLS} == {v: STATUS_OF[cell].value for v, cell in CELLS.items()}
    before = remote.history()
    assert project.task("local-to-remote", "--yes").code == 4

    cured = project.task("resolve", "--yes")
    assert cured.code == 0, cured.text
    assert remote.history() == before
    project.sync("remote-to-local", "--no-commit")
    project.sync("local-to-remote")

    assert project.task("verify").code == 0
    for database in (project.local, project.remote):
        assert list(database.history()) == project.versions
        assert [v for v in CELLS if not database.has(f"public.{table(v)}")] == []
    # What the remote has had stays what it was, under the version that it has recorded.
    assert {v: project.remote.history()[v]["statements"] for v in before} == {
        v: row["statements"] for v, row in before.items()
    }
