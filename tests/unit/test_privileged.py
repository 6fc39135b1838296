"""Which files are pushed to an embedded database as the platform would let them be."""

import pytest

from sbsync_tasks.databases.embedded.privileged import _left_out, _parts, _without, is_privileged
from sbsync_tasks.state.migrations import Migration


def migration(sql, version="1"):
    return Migration(version, "m", sql)


@pytest.mark.parametrize(
    "sql",
    [
        "create event trigger a on ddl_command_end execute function f()",
        "alter event trigger a disable",
        "drop event trigger if exists a",
        "comment on event trigger a is 'x'",
        "create publication p for all tables",
        "create publication p for tables in schema s",
        "alter publication p add tables in schema s",
        "create foreign data wrapper w",
        "create server s foreign data wrapper w",
        "create user mapping for postgres server s",
        "import foreign schema x from server s into y",
        "grant usage on foreign server s to x",
        "alter extension citext set schema extensions",
        "comment on extension pg_net is 'x'",
        "create extension if not exists pgcrypto; comment on extension pgcrypto is 'x'",
        "create role app bypassrls",
        "create table if not exists supabase_functions.hooks (id bigserial primary key)",
        "alter role app with replication",
        "do $$ begin execute 'create event trigger a on ddl_command_end execute function f()'; end $$",
        "select 1;\n-- words before\nCREATE  EVENT\nTRIGGER a on sql_drop execute function f()",
    ],
)
def test_what_the_platform_allows_beyond_plain_postgresql(sql):
    assert is_privileged(migration(sql))


@pytest.mark.parametrize(
    "sql",
    [
        "create table event_trigger (a int, replication text)",
        "create trigger t after insert on x execute function f()",
        "create publication p for table t",
        "do $$ begin -- of replication\n perform 1; end $$",
        "create table supabase_functions.mine (id int)",
        "alter publication p set table t",
        "create extension citext",
        "create role app nobypassrls",
        "create extension citext schema extensions; comment on extension \"citext\" is 'x'",
        "comment on table extension is 'x'",
        "-- create event trigger a\nselect 'create event trigger'",
        "create function f() returns event_trigger language plpgsql as 'begin end'",
        "alter system set work_mem = '1GB'",
        "no sql at all, with an extension",
    ],
)
def test_what_needs_nothing_special(sql):
    assert not is_privileged(migration(sql))


def test_privileged_files_are_pushed_apart():
    plain, event = "select 1", "alter extension citext set schema x"
    files = [migration(plain, "1"), migration(event, "2"), migration(event, "3"), migration(plain, "4")]
    parts = [([m.version for m in seen], privileged) for seen, privileged in _parts(files, set())]
    assert parts == [(["1"], False), (["1", "2", "3"], True), (["1", "2", "3", "4"], False)]
    assert [p for _, p in _parts(files, {"1", "2", "3"})] == [False]
    assert list(_parts(files, {"1", "2", "3", "4"})) == [(tuple(files), False)]


def test_vector_indexes_are_left_out_and_only_these():
    index = 'create index concurrently "i" on t\r\n using hnsw (e vector_l2_ops) with (m = 16)'
    other = "create index on t using gin (a)"
    one = migration(f"-- before\n{index};\n{other};\nselect 'using hnsw ('")
    assert _left_out([one, migration(other)]) == {one: (index,)}
    assert _without(one, (index,)).sql.count("using hnsw") == 1
    assert other in _without(one, (index,)).sql
