"""What a reset rebuilds, and what it leaves: a local database by URL, and what seeds make."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.support.plain_server import NASTY_PASSWORD, PlainServer
from tests.support.project import Data, Project

pytestmark = [pytest.mark.cli, pytest.mark.e2e]
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

# Each stays as well, and a migration makes it: what is there has to go first.
REMADE = """
create table extensions.remade (id int primary key, mood text);
create table extensions.parts (id int) partition by range (id);
create table extensions.part partition of extensions.parts for values from (1) to (2);
create view extensions.remade_view as select id from extensions.remade;
create type extensions.mood as enum ('sad');
create domain extensions.small as int check (value < 9);
create function extensions.remade() returns trigger language plpgsql as $$ begin return new; end $$;
create aggregate extensions.total(int) (sfunc = int4pl, stype = int);
create trigger remade after insert on auth.users for each row execute function extensions.remade();
create sequence public.remade_seq;
create type public.span as range (subtype = int);
create collation public.remade (locale = 'C');
create operator public.=== (leftarg = int, rightarg = int, function = int4eq);
create text search configuration public.remade (copy = simple);
alter publication supabase_realtime add table extensions.remade;
create schema pgmq;
create table pgmq.remade (id int);
alter schema public owner to postgres;
alter default privileges revoke execute on functions from public;
select lo_from_bytea(4711, 'kept');
"""
LEFT = "select (select count(*) from extensions.remade), array_agg(oid::int) from pg_largeobject_metadata"


@pytest.mark.matrix
@pytest.mark.parametrize("version", ["3.1.0", "3.0.0", "2.122.1"])
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

        admin = Data(server.admin("mine"))
        admin.run("create role pgbouncer", "create schema pgbouncer authorization pgbouncer")  # the reset leaves it
        local.run(*GONE)
        made = project.migration("20981231000000", "remade", REMADE)
        for _ in range(2):
            code, text = reset()
            assert (code, "is what the migrations say" in text) == (0, True), text
            assert not local.has("public.gone")
            assert local.has("public.teams")
            assert local.rows(LEFT) == [(0, [4711])]
            local.run("insert into extensions.remade values (1)", "select lo_create(0)")

        dropped = "".join(f"drop {what};\n" for what in ("view extensions.remade_view", "type public.span"))
        project.migration("20981231000001", "dropped", dropped)
        assert (reset()[0], local.has("extensions.remade_view")) == (0, False)
        local.run(*GONE, *KEPT.values(), "insert into public.teams (name) values ('precious')")
        code, text = reset()
        assert (code, "Nothing was changed" in text) == (4, True), text
        assert [name for name in KEPT if name not in text] == []
        assert "gone" not in text
        assert "extensions.remade" not in text
        assert local.value("select count(*) from public.teams where name = 'precious'") == 1

        # A reset is the cure for a history that a fresh database does not take.
        local.run(*UNDO, "insert into supabase_migrations.schema_migrations (version) values ('20200101000000')")
        assert (reset()[0], "20200101000000" in local.history()) == (0, False)
        assert not local.has("public.gone")
        project.migration("20990101000000", "role", "create role kept_role;\n")
        project.migration("20990102000000", "block", "do $$ begin create role kept_in_block; end $$;\n")
        assert reset()[0] == 0
        code, text = reset()
        assert "role kept_in_block: this server has it" in text
        assert (code, "role kept_role: this server has it" in text) == (4, True), text
        assert local.has("public.teams")
        for number, name in (("20990101000000", "role"), ("20990102000000", "block")):
            project.migration(number, name, "select 1;\n")

        admin.run("create role other", "alter function extensions.remade() owner to other")
        code, text = reset()
        assert (code, "must be owner of function extensions.remade" in text) == (4, True), text
        assert f"function extensions.remade(): {made.name} makes it again" in text
        admin.run("alter function extensions.remade() owner to postgres", "create schema theirs authorization other")
        admin.run("create schema etl; alter schema etl owner to postgres")
        local.run("insert into extensions.remade values (1)")
        code, text = reset()
        assert (code, "Nothing was changed" in text) == (4, True), text
        assert "schema theirs: it belongs to the role other" in text
        assert "schema etl: it would be dropped, and no migration makes it" in text
        assert local.value("select count(*) from extensions.remade") == 1


@pytest.mark.matrix
def test_what_the_seeds_make_is_no_difference(project: Project) -> None:
    seed = (project.root / "supabase" / "seed.sql").read_text(encoding="utf-8")
    function = "create function public.seeding() returns int language sql as 'select 1';\n"
    project.write("supabase/seed.sql", f"{seed}\ncreate table public.seeded (id int);\n{function}")
    assert not project.task("diff", "--verbatim").stdout.strip()  # a local database that has not had them is as it was
    done = project.task("reset", "--yes")
    assert done.code == 0, done.text
    text = " ".join(done.text.split())
    assert "is what the migrations say" in text
    for name in ("table public.seeded", "function public.seeding()"):
        assert f"made by the seeds, and by no migration: {name}" in text
    assert project.local.has("public.seeded")
    assert project.local.value("select public.seeding()") == 1

    # In both scenarios it stays where it is, and only there
    project.local.run("create table public.mine (id int primary key)")
    done = project.task("local-to-remote", "--yes", "--name", "mine")
    assert done.code == 0, done.text
    assert "made by the seeds, and by no migration: table public.seeded" in " ".join(done.text.split())
    project.remote.run("create table public.theirs (id int primary key)")
    done = project.task("remote-to-local", "--yes", "--name", "theirs")
    assert done.code == 0, done.text
    assert project.task("verify").code == 0
    assert not any("seed" in text for text in project.migrations.values())
    for database, seeded in ((project.local, True), (project.remote, False)):
        assert database.has("public.mine")
        assert database.has("public.theirs")
        assert database.has("public.seeded") is seeded
