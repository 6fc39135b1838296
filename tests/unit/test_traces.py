"""What a migration does that a comparison of schemas does not show."""

import pytest

from sbsync_tasks.checks import unseen

SHOWN = [
    "create table a (id int primary key); alter table a add column b text default 'x'; create index on a (b)",
    "set local x = 1; comment on table a is 'insert into a values (1)'; grant select on a to anon",
    "create function f() returns void language sql as $$ insert into a values (1) $$",
    "create trigger t after insert on a execute function g()",
    "create view v as select f() from a; create materialized view m as select 1",
    "create rule r as on insert to v do instead nothing",
    "begin; drop table a; commit; vacuum; analyze a; select 1",
    "select pg_catalog.set_config('search_path', '', false)",
    "alter table a alter column id add generated always as identity; alter sequence s increment 2",
    "alter type t add value 'x'",
    "create policy p on a using (auth.uid() = id); alter default privileges grant select on tables to anon",
    "create extension if not exists citext; create schema s create table t (); create publication p",
    "",
    "-- update a set b = 1",
]
UNSEEN = [
    ("create table a ();\ninsert into a default values", "line 2: INSERT"),
    ("update a set b = 1", "line 1: UPDATE"),
    ("delete from a", "line 1: DELETE"),
    ("merge into a using b on true when matched then delete", "line 1: MERGE"),
    ("truncate a", "line 1: TRUNCATE"),
    ("copy a from stdin", "line 1: COPY"),
    ("select f()", "line 1: SELECT"),
    ("select cron.schedule('x', '* * * * *', 'select 1')", "line 1: SELECT"),
    ("select setval('s', 5)", "line 1: SELECT"),
    ("select * from a where b = f()", "line 1: SELECT"),
    ("select 1 into t", "line 1: SELECT"),
    ("select * from v", "line 1: SELECT"),
    ("with d as (delete from a returning *) select 1", "line 1: SELECT"),
    ("with d as (select 1) insert into a select * from d", "line 1: INSERT"),
    ("create table t as select 1", "line 1: CREATE TABLE"),
    ("do $$ begin null; end $$", "line 1: DO"),
    ("call p()", "line 1: CALL"),
    ("prepare q as delete from a; execute q", "line 1: EXECUTE"),
    ("explain analyze delete from a", "line 1: EXPLAIN"),
    ("refresh materialized view m", "line 1: REFRESH"),
    ("alter sequence s restart", "line 1: ALTER SEQUENCE"),
    ("alter sequence s restart with 5", "line 1: ALTER SEQUENCE"),
    ("alter table a alter column id restart with 5", "line 1: ALTER TABLE"),
    ("create role r", "line 1: CREATE ROLE"),
    ("grant r to s", "line 1: GRANT"),
    ("alter database d set x = 1", "line 1: ALTER DATABASE"),
    ("alter role r set x = 1", "line 1: ALTER ROLE"),
    ("alter extension citext update", "line 1: ALTER EXTENSION"),
    ("create subscription s connection '' publication p", "line 1: CREATE SUBSCRIPTION"),
    ("select\nfrom from", "line 2: syntax error"),
]


@pytest.mark.parametrize("sql", SHOWN)
def test_the_schemas_show_all_of_it(sql):
    assert unseen(sql) == ""


@pytest.mark.parametrize(("sql", "said"), UNSEEN)
def test_something_leaves_no_trace_in_them(sql, said):
    assert unseen(sql).startswith(said)
    assert unseen(f"create table z ();\n{sql}").startswith(f"line {int(said[5]) + 1}{said[6:]}")
