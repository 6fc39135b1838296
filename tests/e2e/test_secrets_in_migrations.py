"""A secret that stands in the schema itself: no output shows it, no commit holds it, and what is printed is exact."""

from pathlib import Path

import pytest

from tests.support.project import Project

TOKEN = "sbp_" + "only-in-the-settings"  # of no known form: it is a secret because the settings say so
LOOKS_LIKE_ONE = "sb_secret_" + "a1B2" * 8
FINE = "create table public.fine (id int primary key);\nalter table public.fine enable row level security;\n"


def function(secret: str) -> str:
    return f"create function public.hook() returns text language sql as $$ select '{secret}' $$"


def answer(project: Project, side: str) -> str:
    return str(getattr(project, side).value("select public.hook()"))


@pytest.mark.matrix
def test_the_sql_on_stdout_is_exact_or_nothing(project: Project) -> None:
    project.settings["SUPABASE_DB_PASSWORD"] = TOKEN
    project.local.run(function(TOKEN))
    before = project.snapshot()
    for args in ((), ("--json",), ("--exit-code",), ("--name", "hook", "--dry-run")):
        done = project.task("diff", *args)
        assert done.code == 4, done.text
        assert TOKEN not in done.text
        assert "create" not in done.stdout.lower()
    assert project.snapshot() == before

    done = project.task("diff", "--name", "hook")
    assert (done.code, done.stdout) == (0, "")
    assert "not printed" in done.stderr
    name = f"{project.version_of('hook')}_hook.sql"
    assert f"select '{TOKEN}'" in project.migrations[name]

    head = project.head
    refused = project.task("commit", "--yes")
    assert refused.code == 4
    assert name in refused.stderr
    assert project.head == head
    project.migration("20990101000000", "fine", FINE)
    done = project.task("commit", "--yes", "--message", "Fine")
    assert done.code == 0, done.text
    assert name in done.stderr
    assert project.head == ("Fine", ["supabase/migrations/20990101000000_fine.sql"])
    assert project.git("status", "--short") == f"?? supabase/migrations/{name}"
    assert TOKEN not in refused.text + done.text


def test_a_scenario_masks_it_brings_it_over_as_it_is_and_does_not_commit_it(project: Project) -> None:
    project.settings["SUPABASE_DB_PASSWORD"] = TOKEN
    project.local.run(function(TOKEN))
    before = project.snapshot()
    refused = project.task("local-to-remote", "--yes", "--commit")
    assert refused.code == 4, refused.text
    assert "credential" in refused.stderr
    assert project.snapshot() == before
    done = project.sync("local-to-remote")
    assert "select '***'" in done.stderr
    assert TOKEN not in refused.text + done.text
    assert answer(project, "local") == answer(project, "remote") == TOKEN
    assert project.git("log", "--format=%H %s") == before.log


@pytest.mark.matrix
def test_what_looks_like_one_is_masked_for_reading_and_exact_in_the_file(project: Project) -> None:
    project.remote.run(function(LOOKS_LIKE_ONE))
    done = project.sync("remote-to-local", "--no-commit")
    assert "select '***'" in done.stderr
    assert LOOKS_LIKE_ONE not in done.text
    path = Path("supabase/migrations") / f"{project.version_of('remote_changes')}_remote_changes.sql"
    assert LOOKS_LIKE_ONE in (project.root / path).read_text(encoding="utf-8")
    assert answer(project, "local") == LOOKS_LIKE_ONE
    head = project.head
    assert project.task("commit", "--yes").code == 4
    assert project.head == head
    assert project.git("status", "--short") == f"?? {path}"
