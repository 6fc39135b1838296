"""Joining a remote that is already there."""

import pytest

from tests.support.project import Project


def test_a_remote_without_history(newcomer: Project) -> None:
    newcomer.remote.run(
        "create table public.notes (id bigint generated always as identity primary key, body text not null)",
        "alter table public.notes enable row level security",
        'create policy "all can read" on public.notes for select to anon using (true)',
        "insert into public.notes (body) values ('kept')",
    )
    newcomer.sync("remote-to-local", "--name", "remote_schema")
    version = newcomer.version_of("remote_schema")
    assert newcomer.versions == [version]
    assert newcomer.local.catalog() == newcomer.remote.catalog()
    assert newcomer.local.rows("select policyname from pg_policies where tablename = 'notes'") == [("all can read",)]
    assert newcomer.remote.rows("select body from public.notes") == [("kept",)]
    assert list(newcomer.remote.history()) == list(newcomer.local.history()) == [version]
    assert newcomer.head == ("Add migration for remote changes", [f"supabase/migrations/{version}_remote_schema.sql"])
    assert newcomer.task("verify").code == 0
    assert newcomer.supabase("db", "push", "--dry-run", "--skip-vault").data["migrations"] == []


def test_recorded_migrations_are_adopted(project: Project) -> None:
    originals = project.migrations
    for name in originals:
        (project.root / "supabase" / "migrations" / name).unlink()
    project.commit_all("A folder without migrations")
    project.clusters.remove("sandbox-local")
    project.remote.run("insert into public.teams (name) values ('kept')")
    history = project.remote.history()
    project.sync("remote-to-local")
    assert list(project.migrations) == list(originals)
    assert project.head[1] == [f"supabase/migrations/{name}" for name in originals]
    assert project.remote.history() == history
    assert project.remote.rows("select name from public.teams") == [("kept",)]
    assert project.local.catalog() == project.remote.catalog()
    assert list(project.local.history()) == list(history)
    assert project.task("verify").code == 0


@pytest.mark.matrix
def test_one_that_a_colleague_pushed_without_git(project: Project) -> None:
    path = project.migration("20260401000000", "colleague", "create table public.colleague (id int primary key);\n")
    assert project.supabase("db", "push", "--yes", "--skip-vault").code == 0
    path.unlink()
    before = project.snapshot()
    refused = project.task("local-to-remote", "--yes")
    assert refused.code == 4
    assert "20260401000000" in refused.stderr
    assert project.snapshot() == before

    project.sync("remote-to-local")
    assert project.local.has("public.colleague")
    assert project.head[1] == ["supabase/migrations/20260401000000_colleague.sql"]
    assert list(project.local.history()) == list(project.remote.history()) == project.versions
