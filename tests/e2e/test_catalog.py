"""The fingerprint on a real PostgreSQL: each single change is seen and named, noise is not."""

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from sbsync_tasks.databases.catalog import (
    NOT_COMPARED,
    Catalog,
    Claims,
    compare,
    read_catalog,
    told,
)
from sbsync_tasks.databases.embedded import Clusters
from sbsync_tasks.databases.embedded.binaries import find_binaries
from sbsync_tasks.errors import SbsyncError
from tests.support.plain_server import PlainServer

pytestmark = pytest.mark.e2e

ROLES = (
    "postgres",
    "anon",
    "authenticated",
    "service_role",
    "supabase_auth_admin",
    "supabase_storage_admin",
    "sbsync_user_role",
)

# A small base with what Supabase brings: services' schemas with objects of their own.
BASE = """
create schema auth; create schema storage; create schema realtime; create schema extensions;
create table auth.users (id uuid primary key, email text);
create function auth.uid() returns uuid language sql stable as $$ select null::uuid $$;
alter table auth.users owner to supabase_auth_admin;
alter function auth.uid() owner to supabase_auth_admin;
create table storage.buckets (id text primary key);
create table storage.objects (id uuid primary key, bucket_id text, name text);
create function storage.touch() returns trigger language plpgsql
  as $$ begin return new; end $$;
alter function storage.touch() owner to supabase_storage_admin;
create trigger touched before update on storage.objects
  for each row execute function storage.touch();
alter table storage.buckets owner to supabase_storage_admin;
alter table storage.objects owner to supabase_storage_admin;
alter table storage.objects enable row level security;
grant usage on schema auth, storage to anon, authenticated, service_role;
grant all on schema auth, storage to postgres;
grant all on auth.users to postgres;
create publication supabase_realtime;
alter default privileges for role postgres in schema public grant all on tables to anon;
"""

# The user's: one of nearly everything.
USERS = """
create schema app authorization postgres;
create type public.mood as enum ('sad', 'happy');
create type public.pair as (a int, b text);
create domain public.price as numeric check (value >= 0);
create sequence public.counter start 10;
create table public.t (id bigint generated always as identity primary key, a text default 'x', b int not null, m public.mood,
  d timestamptz default '2026-01-01 00:00+00', constraint b_positive check (b > 0));
create table public.child (id int primary key, t_id bigint references public.t (id));
create table app.measured (at date, v int) partition by range (at);
create table app.measured_26 partition of app.measured for values from ('2026-01-01') to ('2027-01-01');
create index t_b on public.t (b);
create view public.v with (security_invoker = true) as select id, a from public.t;
create materialized view public.mv as select count(*) as n from public.t;
create function public.f(x int) returns int language sql as $$ select x + 1 $$;
create function public.on_t() returns trigger language plpgsql as $$ begin return new; end $$;
create aggregate public.agg(int) (sfunc = int4pl, stype = int, initcond = '0');
create trigger trg before insert on public.t for each row execute function public.on_t();
create rule no_delete as on delete to public.child do instead nothing;
alter table public.t enable row level security;
create policy "own rows" on public.t for select to authenticated using (b > 0);
create policy "files" on storage.objects for select to anon using (bucket_id = 'public');
create statistics public.t_stats on a, b from public.t;
create text search configuration public.plain (copy = pg_catalog.simple);
grant select on public.t to authenticated;
"""  # noqa: E501


def lines_of(text: str) -> list[str]:
    return text.strip().splitlines()


def run(connection: psycopg.Connection, sql: str) -> None:
    connection.execute(sql.encode())


def connect(server: PlainServer, name: str) -> psycopg.Connection:
    return psycopg.connect(**server.admin(name).conninfo(), autocommit=True)


def new_database(server: PlainServer, name: str, *scripts: str) -> psycopg.Connection:
    with connect(server, "postgres") as admin:
        run(admin, f"create database {name} template template0")
    connection = connect(server, name)
    for role in ROLES:
        known = connection.execute("select from pg_roles where rolname = %s", [role]).fetchone()
        if known is None:
            run(connection, f"create role {role}")
    for script in scripts:
        run(connection, script)
    return connection


@pytest.fixture(scope="module")
def database(server: PlainServer) -> Iterator[psycopg.Connection]:
    with new_database(server, "catalog_one", BASE, USERS) as connection:
        yield connection


@pytest.fixture(scope="module")
def before(database: psycopg.Connection) -> Catalog:
    return read_catalog(database)


@pytest.fixture
def changed(database: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """The database inside a transaction that is rolled back."""
    with database.transaction(force_rollback=True):
        yield database


# One a line: [what has to be there first ;;] the change => the fact that it changes.
CHANGES = """
create schema extra => schema extra
alter schema app owner to sbsync_user_role => owner schema app
grant usage on schema app to anon => acl anon on schema app
comment on schema app is 'x' => schema app
create table public.u () => table public.u
drop table public.child => table public.child
alter table public.t owner to postgres => owner table public.t
alter table public.t set (fillfactor = 50) => table public.t
alter table public.child drop constraint child_t_id_fkey ;; alter table public.t set unlogged => table public.t
alter table public.t replica identity full => table public.t
alter table app.measured detach partition app.measured_26 => table app.measured_26
comment on table public.t is 'x' => table public.t
grant insert on public.t to anon => acl anon on table public.t
grant select on public.t to authenticated with grant option => acl authenticated on table public.t
revoke select on public.t from authenticated => acl authenticated on table public.t
grant update (a) on public.t to anon => acl anon on column public.t.a
alter table public.t disable row level security => rls public.t
alter table public.t force row level security => rls public.t
alter table public.t add c int => column public.t.c
drop view public.v; drop statistics public.t_stats ;; alter table public.t alter a type varchar(9) => column public.t.a
alter table public.t alter a set default 'y' => column public.t.a
alter table public.t alter a set not null => column public.t.a
alter table public.t alter id set generated by default => column public.t.id
alter table public.t alter a set storage external => column public.t.a
alter table public.t alter a set compression pglz => column public.t.a
alter table public.t alter a set statistics 500 => column public.t.a
comment on column public.t.a is 'x' => column public.t.a
comment on column public.v.a is 'x' => column public.v.a
alter table public.t rename a to z => column public.t.z
alter table public.t drop constraint b_positive => constraint b_positive on public.t
alter table public.t add constraint c check (b < 9) not valid => constraint c on public.t
alter table public.child alter constraint child_t_id_fkey deferrable => constraint child_t_id_fkey on public.child
alter table app.measured add primary key (at) ;; comment on constraint measured_26_pkey on app.measured_26 is 'x' => constraint measured_26_pkey on app.measured_26
drop index public.t_b => index public.t_b
create unique index u on public.child (t_id) => index public.u
alter table public.t cluster on t_b => index public.t_b
create or replace view public.v as select id, a from public.t where b > 1 => view public.v
alter view public.v reset (security_invoker) => view public.v
grant select on public.v to anon => acl anon on table public.v
drop materialized view public.mv => materialized view public.mv
create materialized view public.m as select a from public.t ;; alter materialized view public.m set (toast.autovacuum_enabled = false) => materialized view public.m
alter materialized view public.mv alter n set (n_distinct = 5) => column public.mv.n
create materialized view public.m as select a from public.t ;; alter materialized view public.m alter a set storage external => column public.m.a
create materialized view public.m as select a from public.t ;; alter materialized view public.m alter a set compression pglz => column public.m.a
alter sequence public.counter increment 5 => sequence public.counter
alter sequence public.counter owned by public.t.b => sequence public.counter
create or replace function public.f(x int) returns int language sql as $$ select x + 2 $$ => function public.f(integer)
alter function public.f(int) security definer => function public.f(integer)
revoke execute on function public.f(int) from public => acl public on function public.f(integer)
alter function public.f(int) owner to postgres => owner function public.f(integer)
drop aggregate public.agg(int) => aggregate public.agg(integer)
create procedure public.p() language sql as '' => procedure public.p()
drop trigger trg on public.t => trigger trg on public.t
alter table public.t disable trigger trg => trigger trg on public.t
drop rule no_delete on public.child => rule no_delete on public.child
drop policy "own rows" on public.t => policy "own rows" on public.t
alter policy "own rows" on public.t to anon => policy "own rows" on public.t
alter policy "own rows" on public.t using (b > 1) => policy "own rows" on public.t
alter type public.mood add value 'meh' before 'happy' => enum public.mood
alter type public.pair add attribute c int => composite type public.pair
alter domain public.price set not null => domain public.price
alter domain public.price add constraint low check (value < 99) => domain public.price
create type public.span as range (subtype = int) => range type public.span
revoke usage on type public.mood from public => acl public on type public.mood
drop statistics public.t_stats => extended statistics public.t_stats
alter text search configuration public.plain drop mapping for word => text search configuration public.plain
create text search dictionary public.d (template = simple) => text search dictionary public.d
create operator public.@@@ (leftarg = int, rightarg = int, function = int4pl) => operator public.@@@(integer,integer)
create cast (public.pair as text) with inout => cast public.pair as text
create collation public.c (locale = 'C') => collation public.c
create conversion public.c for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8 => conversion public.c
alter default privileges for role postgres in schema public grant select on tables to service_role => default acl postgres in schema public: tables
alter default privileges for role sbsync_user_role revoke execute on functions from public => default acl sbsync_user_role: functions
alter publication supabase_realtime add table public.t => publication member public.t in supabase_realtime
create publication p for tables in schema app => publication member schema app in p
alter publication supabase_realtime set (publish = 'insert') => publication supabase_realtime
create function public.on_ddl() returns event_trigger language plpgsql as 'begin end'; alter role sbsync_user_role superuser ;; create event trigger e on ddl_command_end execute function public.on_ddl(); alter event trigger e owner to sbsync_user_role => event trigger e
create foreign data wrapper w => foreign data wrapper w
create foreign data wrapper w ;; grant usage on foreign data wrapper w to anon => acl anon on foreign data wrapper w
create foreign data wrapper w ;; create server s foreign data wrapper w options (host 'h') => foreign server s
create foreign data wrapper w; create server s foreign data wrapper w ;; create foreign table public.ft (a int) server s => foreign table public.ft
create extension tablefunc with schema public => extension tablefunc
alter table storage.buckets enable row level security => rls storage.buckets
"""  # noqa: E501

# What users may change in the services' schemas, seen from whatever base: by its nature, or since a migration has it.
SERVICE_CHANGES = """
grant select on auth.users to anon => acl anon on table auth.users
grant select (email) on auth.users to authenticated => acl authenticated on column auth.users.email
grant select on auth.users to sbsync_user_role => acl sbsync_user_role on table auth.users
grant execute on function auth.uid() to anon => acl anon on function auth.uid()
alter table auth.users enable row level security => rls auth.users
alter table storage.objects disable row level security => rls storage.objects
drop policy "files" on storage.objects => policy "files" on storage.objects
create policy p on auth.users using (true) => policy "p" on auth.users
create trigger made after insert on auth.users for each row execute function public.on_t() => trigger made on auth.users
create function auth.mine() returns int language sql as 'select 1'; alter function auth.mine() owner to postgres => function auth.mine()
create table storage.mine (a int); alter table storage.mine owner to postgres => column storage.mine.a
create type auth.mine as enum ('a'); alter type auth.mine owner to postgres => enum auth.mine
"""  # noqa: E501


def claims(*texts: str) -> Claims:
    found = Claims()
    found.add(texts)
    return found


@pytest.mark.parametrize("line", lines_of(CHANGES) + lines_of(SERVICE_CHANGES))
def test_a_single_change_is_a_difference_that_names_the_object(line: str, changed: psycopg.Connection) -> None:
    change, expected = line.split(" => ")
    *preparation, sql = change.split(" ;; ")
    for text in preparation:
        run(changed, text)
    before = read_catalog(changed)
    run(changed, sql)
    after = read_catalog(changed)
    claimed = claims(sql)
    found = compare(before, after, claimed)
    assert expected in [str(d.object) for d in found]
    assert before != after
    assert all(d.object.name in d.summary for d in found)
    assert [d.object for d in compare(after, before, claimed)] == [d.object for d in found]
    assert all(line.strip() for line in told(found))


NOISE = [
    "insert into public.t (b) values (1), (2); delete from public.t where b = 1",
    "insert into storage.buckets values ('b')",
    "analyze public.t",
    "update pg_attribute set attoptions = '{pg_attver=1}' where attrelid = 'public.t'::regclass and attnum > 0",
    "select nextval('public.counter')",
    "refresh materialized view public.mv",
    "grant select on public.t to authenticated",
    "set local timezone to 'Asia/Tokyo'; set local datestyle to 'German'",
    "set local search_path to public, app",
    "alter role anon set statement_timeout to '3s'",
    "alter function auth.uid() volatile",
    "alter table auth.users add phone text",
    "grant select on auth.users to service_role",
    "create table app.a (a int); drop table app.a",
    "grant usage on schema app to anon; revoke usage on schema app from anon",
    "grant execute on function public.f(int) to public",
]


@pytest.mark.parametrize("sql", NOISE)
def test_what_is_not_schema_is_no_difference(sql: str, before: Catalog, changed: psycopg.Connection) -> None:
    run(changed, sql)
    assert compare(before, read_catalog(changed)) == ()


def test_the_same_schema_built_in_another_order_is_equal(server: PlainServer, before: Catalog) -> None:
    # Other object ids, another order of creation and of columns: the same schema.
    statements = re.split(r";\n(?=[a-z])", USERS.strip().rstrip(";"))
    kinds = "function|type|domain|sequence|schema|aggregate"
    first = [s for s in statements if re.match(f"create ({kinds})", s)]
    views = [s for s in statements if re.match("create (materialized )?view", s)]
    rest = [s for s in statements if s not in first + views]
    noise = "create table public.gone (a int); drop table public.gone"
    other = ";\n".join([noise, *reversed(first), noise, *rest, *views])
    identity, text = "id bigint generated always as identity primary key", "a text default 'x'"
    swapped = other.replace(f"({identity}, {text},", f"({text}, {identity},")
    assert swapped != other
    with new_database(server, "catalog_two", BASE, swapped) as connection:
        run(connection, "grant execute on function public.f(int) to public")
        run(connection, "vacuum")
        second = read_catalog(connection)
    assert compare(before, second) == ()
    assert before == second


def test_only_the_schemas_asked_for_are_read(database: psycopg.Connection) -> None:
    assert {key.schema for key in read_catalog(database, ["app"])} == {"app"}
    assert {key.schema for key in read_catalog(database, ["app", "storage"])} == {"app", "storage"}


def test_reading_leaves_the_session_as_it_was(database: psycopg.Connection) -> None:
    before = database.execute("show search_path").fetchone()
    read_catalog(database)
    assert database.execute("show search_path").fetchone() == before
    assert database.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


def test_a_role_without_rights_reads_the_same(database: psycopg.Connection, before: Catalog) -> None:
    with database.transaction(force_rollback=True):
        run(database, "set local role sbsync_user_role")
        assert compare(before, read_catalog(database)) == ()


def test_a_broken_connection_is_an_error_without_traceback(server: PlainServer) -> None:
    with connect(server, "catalog_one") as connection:
        with connect(server, "catalog_one") as other:
            other.execute("select pg_terminate_backend(%s)", [connection.info.backend_pid])
        with pytest.raises(SbsyncError, match="could not be read"):
            read_catalog(connection)


def test_three_hundred_tables_are_read_as_a_whole(changed: psycopg.Connection) -> None:
    create = "create table app.t%s (id int primary key, a text, b text)"
    loop = f"for i in 1..300 loop execute format('{create}', i); end loop;"
    run(changed, f"do $$ begin {loop} end $$")
    found = {key for key in read_catalog(changed) if key.kind == "table" and key.schema == "app"}
    assert len(found) == 302


# A richer base: Storage has run in it, Auth is newer.
RICHER = """
create table auth.mfa_factors (id uuid primary key);
alter table auth.mfa_factors owner to supabase_auth_admin;
alter table auth.mfa_factors enable row level security;
create function auth.email() returns text language sql stable as $$ select ''::text $$;
alter function auth.email() owner to supabase_auth_admin;
create table storage.migrations (id int primary key);
alter table storage.migrations owner to supabase_storage_admin;
alter table storage.migrations enable row level security;
alter table storage.buckets enable row level security;
grant all on storage.buckets, storage.objects to anon, authenticated, service_role;
grant execute on function storage.touch() to anon;
"""


def test_a_richer_base_is_no_difference(changed: psycopg.Connection, before: Catalog) -> None:
    run(changed, RICHER)
    assert compare(before, read_catalog(changed)) == ()


@pytest.mark.parametrize("line", lines_of(SERVICE_CHANGES))
def test_a_users_change_is_seen_beside_a_richer_base(line: str, changed: psycopg.Connection, before: Catalog) -> None:
    sql, expected = line.split(" => ")
    run(changed, RICHER + sql)
    assert expected in [str(d.object) for d in compare(before, read_catalog(changed), claims(sql))]


def test_the_embedded_base_equals_a_poorer_one(server: PlainServer, tmp_path: Path) -> None:
    clusters = Clusters(tmp_path, find_binaries(None), durable=False)
    try:
        embedded = clusters.start("catalog")
        with psycopg.connect(**embedded.conninfo(), autocommit=True) as connection:
            ours = read_catalog(connection)
    finally:
        clusters.remove_all()
    plain = server.create_database("catalog_plain")
    with psycopg.connect(**plain.conninfo(), autocommit=True) as connection:
        theirs = read_catalog(connection)
    assert [d.summary for d in compare(ours, theirs)] == []
    assert ours != theirs


def test_what_is_not_compared_is_said() -> None:
    said = " ".join(NOT_COMPARED)
    for word in ("rows", "seeds", "storage buckets", "auth users", "cluster", "order of a table"):
        assert word in said
