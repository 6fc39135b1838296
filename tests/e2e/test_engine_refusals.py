"""What the CLI's engine refuses to write is told by its cause, with a way on that works; all else is kept."""

from __future__ import annotations

import pytest

from sbsync_tasks.databases.embedded import as_admin, folder_of
from tests.support.project import Data, Project

pytestmark = [pytest.mark.cli, pytest.mark.e2e, pytest.mark.matrix]
DIRECTIONS = ("local-to-remote", "remote-to-local")
OWNED = (
    "create role app_owner nologin; create schema owned authorization app_owner;"
    "create table public.beside (id bigint generated always as identity primary key, kind text not null default 'x')"
)
USED = (
    "create schema app", "create type app.mood as enum ('sad', 'happy')",
    "create table public.moods (id int primary key, mood app.mood)",
    "create type public.size as enum ('s', 'l')",
    "create table public.beside (id bigint generated always as identity primary key, size public.size)",
)  # fmt: skip


def sides(project: Project, direction: str) -> tuple[Data, Data]:
    """Where the change is made, and where it is to arrive."""
    return (project.local, project.remote) if direction == "local-to-remote" else (project.remote, project.local)


def as_superuser(project: Project, database: Data, statement: str) -> None:
    folder = folder_of(project.root, database.endpoint)
    assert folder
    with as_admin(folder, database.endpoint.port) as connection:
        connection.execute(statement.encode())


def draft(project: Project) -> str:
    (kept,) = (project.root / ".sbsync/drafts").glob("*.sql")
    return kept.read_text(encoding="utf-8")


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_an_owner_that_postgres_may_not_give(project: Project, direction: str) -> None:
    changed, other = sides(project, direction)
    as_superuser(project, changed, OWNED)
    as_superuser(project, changed, "alter table public.beside owner to postgres")
    as_superuser(project, changed, "revoke app_owner from postgres")
    before = project.migrations

    verified = project.task("verify")
    assert verified.code == 2, verified.text
    assert "schema owned: only on" in verified.text
    assert "cannot set owner" not in verified.text
    done = project.task(direction, "--yes")
    assert done.code == 4, done.text
    assert "The schema owned belongs to the role app_owner, and postgres is no member of that role" in done.stderr
    assert "capability" not in done.text
    assert 'grant "app_owner" to "postgres";' in done.stderr
    assert project.migrations == before
    assert not other.has("public.beside")
    assert "beside" in draft(project)
    assert "SBSYNC_SCHEMAS" in done.stderr
    assert "PostgreSQL refuses" not in done.stderr
    project.settings["SBSYNC_SCHEMAS"] = "public"
    keep = ["--no-reset"] if direction == "local-to-remote" else []  # a rebuild would drop it
    looked = project.task(direction, "--yes", "--dry-run", *keep)
    assert looked.code == 0, looked.text
    del project.settings["SBSYNC_SCHEMAS"]

    as_superuser(project, changed, 'grant "app_owner" to "postgres";')
    project.sync(direction)
    _, other = sides(project, direction)
    assert other.value("select nspowner::regrole::text from pg_namespace where nspname = 'owned'") == "app_owner"
    assert other.has("public.beside")


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_a_type_in_a_schema_that_is_left_out(project: Project, direction: str) -> None:
    changed, other = sides(project, direction)
    changed.run(*USED)
    project.settings["SBSYNC_SCHEMAS"] = "public"
    before = project.migrations

    verified = project.task("verify")
    assert verified.code == 2, verified.text
    assert "table public.moods: only on" in verified.text
    assert "missing requirement" not in verified.text
    done = project.task(direction, "--yes")
    assert done.code == 4, done.text
    assert "needs the type app.mood, and SBSYNC_SCHEMAS (public) leaves out the schema app." in done.stderr
    assert "Add app to SBSYNC_SCHEMAS" in done.stderr
    assert "missing requirement" not in done.text
    assert project.migrations == before
    assert not other.has("public.beside")
    assert "beside" in draft(project)
    assert "moods" not in draft(project)

    project.settings["SBSYNC_SCHEMAS"] = "public,app"
    project.sync(direction)
    _, other = sides(project, direction)
    other.run("insert into public.moods values (1, 'happy')", "insert into public.beside (size) values ('l')")
