"""What a reset rebuilds, and what it leaves: a local database by URL, and what seeds make."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.support.plain_server import NASTY_PASSWORD, PlainServer
from tests.support.project import Data, Project

pytestmark = [pytest.mark.cli, pytest.mark.e2e]
OLDER = [pytest.param(version, marks=pytest.mark.matrix) for version in ("3.0.0", "2.122.1")]
# Each stays through the CLI's reset of a database by its URL.
KEPT = {
    "default privileges of postgres": "alter default privileges grant select on tables to anon",
    "collation public.kept": "create collation public.kept (locale = 'C')",
    "sequence public.kept": "create sequence public.kept",
    "function auth.kept()": "create function auth.kept() returns int language sql as 'select 1'",
    "privileges of anon on schema public": "grant create on schema public to anon",
}
GONE = ("create table public.gone (id serial)", "create schema gone", "create extension citext with schema extensions")
UNDO = (
    "alter default privileges revoke select on tables from anon", "drop collation public.kept",
    "drop sequence public.kept", "drop function auth.kept()", "revoke create on schema public from anon",
)  # fmt: skip


@pytest.mark.parametrize("version", ["3.1.0", *OLDER])
def test_a_database_by_url_is_made_new_or_left_alone(
    project: Project, cli: Callable[[str], Path], version: str
) -> None:
    project.cli = cli(version)
    project.write(".env.alone", "# no remote\n")
    with PlainServer() as server:
        local = Data(server.create_database("mine"))
        url = local.endpoint.url.replace("postgres@", f"postgres:{quote(NASTY_PASSWORD, safe='')}@")

        def reset() -> tuple[int, str]:
            done = project.invoke("reset", "--yes", "--env", "alone", settings={"SBSYNC_LOCAL": url})
            return done.code, " ".join(done.text.split())

        local.run(*GONE)
        code, text = reset()
        assert (code, "is what the migrations say" in text) == (0, True), text
        assert not local.has("public.gone")
        assert local.has("public.teams")

        local.run(*GONE, *KEPT.values(), "insert into public.teams (name) values ('precious')")
        code, text = reset()
        assert (code, "Nothing was changed" in text) == (4, True), text
        assert [name for name in KEPT if name not in text] == []
        assert "gone" not in text
        assert local.value("select count(*) from public.teams where name = 'precious'") == 1

        local.run(*UNDO)
        assert reset()[0] == 0
        assert not local.has("public.gone")
        project.migration("20990101000000", "role", "create role kept_role;\n")
        assert reset()[0] == 0
        code, text = reset()
        assert (code, "role kept_role: this server has it" in text) == (4, True), text
        assert local.has("public.teams")


def test_what_the_seeds_make_is_no_difference(project: Project) -> None:
    seed = (project.root / "supabase" / "seed.sql").read_text(encoding="utf-8")
    function = "create function public.seeding() returns int language sql as 'select 1';\n"
    project.write("supabase/seed.sql", f"{seed}\ncreate table public.seeded (id int);\n{function}")
    done = project.task("reset", "--yes")
    assert done.code == 0, done.text
    text = " ".join(done.text.split())
    assert "is what the migrations say" in text
    for name in ("table public.seeded", "function public.seeding()"):
        assert f"made by the seeds, and by no migration: {name}" in text
    assert project.local.has("public.seeded")
    assert project.local.value("select public.seeding()") == 1
