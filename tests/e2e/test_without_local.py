"""What needs the remote and the files alone: as in a CI job, where no local database is."""

import pytest

from tests.support.changes import TAGS
from tests.support.project import Project

NO_STACK = {"SBSYNC_LOCAL": "stack", "DOCKER_HOST": "unix:///nowhere/docker.sock"}


@pytest.fixture
def staging(project: Project) -> Project:
    """The sandbox's remote as an environment by URL; there is no local database, and one file is pending."""
    endpoint = project.remote.endpoint
    project.write(".env.staging", f"SUPABASE_DB_URL={endpoint.url}\nSUPABASE_DB_PASSWORD={endpoint.password}\n")
    project.migration("20260401000000", "tags", TAGS + ";\n")
    project.settings.update(NO_STACK)
    project.env = "staging"
    return project


def test_looking_needs_no_local_database(staging: Project) -> None:
    piped = staging.task("status", "--exit-code")
    assert (piped.code, [line.split()[-1] for line in piped.stdout.splitlines() if "20260401" in line]) == (
        2,
        ["pending"],
    )
    assert "no engine answers" in piped.stdout
    state = staging.task("status", "--json").data
    assert (state["local"], state["local_changes"]) == (None, None)
    assert state["versions"][-1] == {
        "version": "20260401000000", "name": "tags", "file": True, "remote": False, "state": "pending",
    }  # fmt: skip
    reviewed = staging.task("review")
    assert (reviewed.code, "20260401000000_tags.sql" in reviewed.stdout) == (0, True), reviewed.text


@pytest.mark.matrix
def test_the_remote_against_the_files(staging: Project) -> None:
    made = staging.task("verify", "--remote", "--json")
    assert (made.code, made.data["pending"], made.data["differences"]) == (2, ["20260401000000_tags.sql"], [])
    (staging.root / "supabase/migrations/20260401000000_tags.sql").unlink()
    made = staging.task("verify", "--remote")
    assert made.code == 0, made.text
    assert "the migration files and staging are equal" in made.stdout


@pytest.mark.matrix
def test_a_push(staging: Project) -> None:
    pushed = staging.task("push", "--yes", "--json")
    assert pushed.code == 0, pushed.text
    assert (pushed.data["pushed"], pushed.data["local"]) == (["20260401000000"], None)
    again = staging.task("push", "--yes")
    assert again.code == 0, again.text
    assert staging.task("verify", "--remote").code == 0
    staging.env = "sandbox"
    assert staging.remote.has("public.tags")
