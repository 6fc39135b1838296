"""Platforms of different ages: what nobody has changed is not told, and what a user does there is."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from sbsync_tasks.databases.catalog import Catalog, Claims, compare, exposed, platform, read_catalog, told
from tests.support.ages import AGES
from tests.support.plain_server import PlainServer
from tests.support.project import Data, Project

pytestmark = [pytest.mark.cli, pytest.mark.e2e]
PASSWORD = secrets.token_hex(8)
MIGRATION = """
create table public.profiles (id uuid primary key references auth.users (id), name text);
create function public.on_user() returns trigger language plpgsql security definer as
  $$ begin insert into public.profiles (id) values (new.id); return new; end $$;
create trigger on_user after insert on auth.users for each row execute function public.on_user();
create policy "avatars" on storage.objects for select using (bucket_id = 'avatars');
grant usage on schema extensions to authenticated;
revoke execute on function auth.uid() from service_role;
alter publication supabase_realtime add table public.profiles;
"""
# What a user does => what is told. `!`: as the superuser.
CHANGES = """
create policy "p" on storage.objects for select using (true) => policy "p" on storage.objects
drop policy "avatars" on storage.objects => policy "avatars" on storage.objects
alter policy "avatars" on storage.objects using (false) => policy "avatars" on storage.objects differs
create trigger t after delete on auth.users for each row execute function public.on_user() => trigger t on auth.users
!alter table auth.users disable trigger on_user => trigger on_user on auth.users differs
create function extensions.mine() returns int language sql as 'select 1' => function extensions.mine()
!create table storage.mine (id int); alter table storage.mine owner to postgres => table storage.mine
!create type auth.kind as enum ('a'); alter type auth.kind owner to postgres => enum auth.kind
alter publication supabase_realtime drop table public.profiles => publication member public.profiles
create extension citext with schema extensions => extension citext
!create event trigger mine on sql_drop execute function public.watch() => event trigger mine
!revoke usage on schema extensions from authenticated => privileges of authenticated on schema extensions
!grant execute on function auth.uid() to service_role => privileges of service_role on function auth.uid()
!alter table storage.objects disable row level security => row level security of storage.objects
""".strip().splitlines()
# What is merely pending is nobody's change yet, on whichever platform.
PENDING = """
grant usage on schema realtime to anon;
revoke execute on function auth.role() from service_role;
grant select on public.profiles to anon;
revoke all on public.profiles from authenticated;
"""
EXPOSING = "!grant select (email) on auth.users to anon"
WATCH = "create function public.watch() returns event_trigger language plpgsql as $$ begin end $$;"


class Servers(dict[str, PlainServer]):
    """One server of each age that is asked for, each with a database `synced` that has had the migration."""

    def __missing__(self, age: str) -> PlainServer:
        self[age] = server = PlainServer(PASSWORD)
        Data(server.admin("postgres")).run(*filter(None, [AGES[age]]))
        Data(server.create_database("synced")).run(MIGRATION, WATCH)
        return server


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    started = Servers()
    try:
        yield started
    finally:
        for server in started.values():
            server.stop()


@pytest.fixture(scope="module")
def claims() -> Claims:
    found = Claims()
    found.add([MIGRATION, WATCH])
    return found


def catalog(server: PlainServer) -> Catalog:
    return Data(server.admin("synced")).catalog()


def after(server: PlainServer, *changes: str) -> Catalog:
    """The catalog with these changes made, which are rolled back."""
    with (
        psycopg.connect(**server.admin("synced").conninfo(), autocommit=True) as connection,
        connection.transaction(force_rollback=True),
    ):
        for change in changes:
            if not change.startswith("!"):
                connection.execute("set local role postgres")
            connection.execute(change.removeprefix("!").encode())
            connection.execute("reset role")
        return read_catalog(connection)


def test_what_a_user_does_is_told_and_nothing_else(servers: Servers, claims: Claims) -> None:
    one, other = servers["owners"], servers["grown"]
    before, still = catalog(one), catalog(other)
    assert told(compare(before, still, claims)) == []
    assert platform(before, still, claims)
    changes = [line.split(" => ") for line in CHANGES if not line.startswith("alter policy")]  # which is dropped
    lines = told(compare(after(one, *(change for change, _ in changes)), still, claims))
    assert len(lines) == len(changes), lines
    for _, expected in changes:
        assert any(line.startswith(expected) for line in lines), (expected, lines)


@pytest.mark.matrix
@pytest.mark.parametrize("ages", list(combinations(AGES, 2)), ids="-".join)
def test_nothing_changed_is_nothing_told(servers: Servers, claims: Claims, ages: tuple[str, str]) -> None:
    left, right = (catalog(servers[age]) for age in ages)
    assert told(compare(left, right, claims)) == []
    assert platform(left, right, claims)


@pytest.mark.matrix
@pytest.mark.parametrize("ages", [("owners", "grown"), ("shrunk", "owners")], ids="-".join)
def test_what_a_user_does_is_told_on_either_side(servers: Servers, claims: Claims, ages: tuple[str, str]) -> None:
    one, other = (servers[age] for age in ages)
    for changed, still in ((one, catalog(other)), (other, catalog(one))):
        for change, _, expected in (line.partition(" => ") for line in CHANGES):
            lines = told(compare(after(changed, change), still, claims, ("here", "there")))
            assert len(lines) == 1, (change, lines)
            assert lines[0].startswith(expected), (change, lines)
        now = after(changed, EXPOSING)
        assert exposed(now) == ("anon on auth.users: SELECT (email)",)
        assert told(compare(now, still, claims)) == []


# --- the same through the tasks, with the real CLI ---

PLATFORMS = re.compile(
    r"supabase_\w+_admin|dashboard_user|pgbouncer|pgsodium|graphql|pgrst_|oauth_clients|mfa_factors|DEFAULT PRIVILEGES"
    r"|supabase_(new|functions|realtime_)|\b(net|cron|pgmq|etl|_\w+)\.|storage\.(extension|buckets|protect)"
)


@pytest.fixture(params=[("guarded", "grown"), ("late", "embedded")], ids="-".join)
def project(request: pytest.FixtureRequest, newest: Path, tmp_path: Path) -> Iterator[Project]:
    """A project with that one migration, whose remote is of one age and whose local database is of another."""
    remote, local = request.param
    servers = request.getfixturevalue("servers")
    made = Project(tmp_path / "project", newest, "old")
    made.root.mkdir()
    made.create()
    for path in (made.root / "supabase/migrations").iterdir():
        path.unlink()
    made.write("supabase/seed.sql", "")
    made.migration("20260101000000", "profiles", MIGRATION)
    made.commit_all("One migration")
    name = secrets.token_hex(4)
    at = made.urls["remote"] = servers[remote].create_database(name)
    lines = [f"SUPABASE_DB_URL={at.url}", f"SUPABASE_DB_PASSWORD={at.password}", "SBSYNC_LOCAL=embedded"]
    if local != "embedded":
        here = made.urls["local"] = servers[local].create_database(name)
        lines[-1] = f"SBSYNC_LOCAL={here.url.replace('postgres@', f'postgres:{quote(here.password)}@')}"
    made.write(".env.old", "\n".join(lines) + "\n")
    try:
        yield made
    finally:
        made.remove_databases()


@pytest.mark.matrix
def test_both_directions_carry_what_users_make_and_nothing_of_the_platforms(project: Project) -> None:
    start = project.migrations
    project.sync("local-to-remote")
    for task in (("local-to-remote", "--yes"), ("remote-to-local", "--yes"), ("verify",), ("status", "--exit-code")):
        done = project.task(*task)
        assert done.code == 0, done.text
    assert project.migrations == start
    assert "stops nothing" in project.task("verify").text
    project.migration("20270101000000", "pending", PENDING)
    project.sync("local-to-remote")
    assert list(project.remote.history()) == ["20260101000000", "20270101000000"]
    assert project.remote.value("select has_table_privilege('anon', 'public.profiles', 'select')")

    project.remote.run('create policy "r" on storage.objects for select using (true)',
                       "create function extensions.mine() returns int language sql as 'select 1'")  # fmt: skip
    project.sync("remote-to-local")
    project.local.run(
        'drop policy "r" on storage.objects',
        "create extension citext with schema extensions",
        "create trigger t after delete on auth.users for each row execute function public.on_user()",
    )
    project.sync("local-to-remote")
    for side in (project.local, project.remote):
        assert side.value("select extensions.mine()") == 1
        assert side.value("select count(*) from pg_extension where extname = 'citext'") == 1
        assert side.value("select count(*) from pg_trigger where tgname = 't'") == 1
        assert side.value("select count(*) from pg_policy where polname = 'r'") == 0
    new = "\n".join(text for name, text in project.migrations.items() if name not in start)
    assert not PLATFORMS.search(new), new


@pytest.mark.matrix
@pytest.mark.parametrize("project", [("grown", "embedded")], ids="-".join, indirect=True)
def test_a_claimed_right_is_carried_and_what_postgres_may_not_do_is_refused_with_a_way_on(
    project: Project, servers: Servers
) -> None:
    project.sync("local-to-remote")
    admin = Data(servers["grown"].admin(project.urls["remote"].database))
    start = project.migrations
    admin.run("revoke usage on schema extensions from authenticated")
    project.sync("remote-to-local")
    assert not project.local.value("select has_schema_privilege('authenticated', 'extensions', 'usage')")
    (new,) = (text for name, text in project.migrations.items() if name not in start)
    assert "REVOKE USAGE ON schema extensions FROM authenticated" in new

    admin.run("alter table storage.objects disable row level security")
    admin.run("create table storage.mine (id int); alter table storage.mine owner to postgres")
    start = project.migrations
    done = project.task("remote-to-local", "--yes")
    assert done.code == 4, done.text
    for said in (
        "it takes: ALTER TABLE storage.objects DISABLE ROW LEVEL SECURITY;",
        "must be owner of table storage.objects", "CREATE TABLE storage.mine", "permission denied for schema storage",
        "take it back there",
    ):  # fmt: skip
        assert said in done.stderr, done.text
    assert "by hand" not in done.stderr
    assert project.migrations == start
