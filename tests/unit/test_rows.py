"""Changed rows: every statement that can change or remove rows, by example."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sbsync_tasks.checks import Rows, changed_rows


def check(cases):
    return pytest.mark.parametrize(("sql", "expected"), cases, ids=[" ".join(sql.split())[:60] for sql, _ in cases])


@check(
    [
        ("update t set a = 1", "public.t"),
        ("update t set a = 1 where id = 2", "public.t"),
        ('delete from app."T.x" where id = 2', 'app."T.x"'),
        ("delete from a using b where a.id = b.id", "public.a"),
        ("merge into t using s on t.a = s.a when matched then delete", "public.t"),
        ("merge into t using s on t.a = s.a when matched then update set a = 1", "public.t"),
        ("merge into t using s on t.a = s.a when not matched then insert values (1)", ""),
        ("insert into t values (1)", ""),
        ("insert into t values (1) on conflict do nothing", ""),
        ("insert into t values (1) on conflict (a) do update set a = 1", "public.t"),
        ("with d as (delete from a returning *) insert into b select * from d", "public.a"),
        ("with x as (select 1) update a set b = 1", "public.a"),
        ("create table n as with d as (delete from a returning *) select * from d", "public.a"),
        ("explain analyze delete from t", "public.t"),
        ("copy (delete from t returning *) to stdout", "public.t"),
        ("truncate a, only app.b", "app.b public.a"),
        ("drop table a, app.b", "app.b public.a"),
        ("alter table t drop column a", "public.t"),
        ("alter table t alter a type text", "public.t"),
        ("alter table t alter a set expression as (b + 1)", "public.t"),
        ("alter table t detach partition p", "public.t"),
        ("alter table t no inherit p", "public.t"),
        ("alter table t add column a int default 1, alter b set default app.f()", ""),
        ("create rule r as on delete to n do instead update q set a = 1", ""),
        ("create function f() returns void language sql as 'delete from t'", ""),
        ("create function f() returns int language sql begin atomic delete from t; select 1; end", ""),
        ("create policy p on t using (app.f()); create view v as select app.f()", ""),
        ("create table n (a int default app.f()); create index on n (app.g(a))", ""),
        ("drop view v; drop function f; drop policy p on t; drop type y; drop index i cascade", ""),
        ("alter type mood add value 'x'; alter type mood rename to m", ""),
        ("create type y as enum ('a'); alter type y rename value 'a' to 'b'", ""),
        ("select setval('s', 1), pg_catalog.set_config('search_path', '', false), now(), auth.uid()", ""),
        ("grant select on t to anon; comment on table t is 'delete from t'", ""),
        ("", ""),
    ],
)
def test_tables_whose_rows_change(sql, expected):
    assert changed_rows(sql) == Rows(frozenset(expected.split()), frozenset(), False)


def test_tables_emptied_with_cascade_are_told_apart():
    found = changed_rows("truncate a; truncate app.b cascade")
    assert found == Rows(frozenset(["public.a", "app.b"]), frozenset(["app.b"]), False)


@check(
    [
        ("create table n (a int); update n set a = 1; delete from n; truncate n; drop table n", ""),
        ("create temp table n (a int); update n set a = 1", ""),
        ("create table n as select 1 a; delete from public.n", ""),
        ("create table if not exists n (a int); delete from n", "public.n"),
        ("delete from n; create table n (a int)", "public.n"),
        ("create table app.n (a int); delete from n", "public.n"),
        ("alter table t add a int; alter table t alter a type text; alter table t drop a", ""),
        ("alter table t add if not exists a int; alter table t drop a", "public.t"),
        ("drop table t; create table t (a int); delete from t", "public.t"),
    ],
)
def test_what_the_text_creates_is_left_out(sql, expected):
    assert changed_rows(sql) == Rows(frozenset(expected.split()), frozenset(), False)


@check(
    [
        ("alter table t rename to u; delete from u", "public.t"),
        ("alter table t rename to u; alter table u rename to v; delete from v", "public.t"),
        ("alter table t set schema app; delete from app.t", "public.t"),
        ("alter table t rename to o; create table t (a int); delete from t; drop table o", "public.t"),
        ("alter table t rename to o; create table t (a int); delete from t", ""),
        ("create table n (a int); alter table n rename to t; delete from t", ""),
        ("set search_path = app; delete from t", "app.t"),
        ("set search_path = app; reset search_path; delete from t", "public.t"),
        ("set search_path = public, extensions; delete from t", "public.t"),
    ],
)
def test_tables_go_by_the_name_they_had(sql, expected):
    assert changed_rows(sql) == Rows(frozenset(expected.split()), frozenset(), False)


@check(
    [
        ("do $$ begin if true then delete from a where b = 1; end if; end $$", "public.a"),
        ("do $$ begin execute 'delete from a'; end $$", "public.a"),
        ("do $$ begin perform now(); execute 'truncate a'; end $$", "public.a"),
        ("create function f() returns void language sql as 'delete from a'; select f()", "public.a"),
        ("create procedure p() language sql as 'delete from a'; call p()", "public.a"),
        (
            "create function f() returns int language plpgsql as $$ begin update a set b = 1; return 1; end $$;"
            "do $$ declare x int; begin x := f(); end $$",
            "public.a",
        ),
        (
            "create function f() returns int language sql as 'delete from a returning 1';"
            "do $$ begin if f() = 1 then null; end if; end $$",
            "public.a",
        ),
        ("create function f() returns int language sql as 'select f()'; select f()", ""),
        ("create function f() returns int begin atomic delete from a; select 1; end; select f()", "public.a"),
        ("do $$ begin execute format('delete from %I', 'a'); end $$", "public.a"),
        ("do $$ begin set search_path = app; drop table a; end $$; delete from b", "app.a app.b"),
        ("do $$ declare x int := length('abc'); y int[]; begin y[1] := abs(x); end $$", ""),
    ],
)
def test_statements_inside_of_others(sql, expected):
    assert changed_rows(sql) == Rows(frozenset(expected.split()), frozenset(), False)


@pytest.mark.parametrize(
    "sql",
    [
        "do $$ declare x int := f(); begin end $$",
        "do $$ declare x int; begin x := f(); end $$",
        "do $$ begin if app.f() then null; end if; end $$",
        "do $$ begin execute 'select 1' using f(); end $$",
        "do language plv8 'x'",
        "call p()",
        "select f()",
        "select app.now()",
        "select * from dblink('x', 'delete from t') as d(a int)",
        "select cron.schedule('n', '* * * * *', 'delete from t')",
        "select query_to_xml('delete from t', true, true, '')",
        "select set_config('search_path', 'app', false)",
        "insert into t select f()",
        "create table n as select f()",
        "alter table t add column a int default f()",
        "execute p",
        "create table n as execute p",
        "copy t from '/x'",
        "copy t to program 'x'",
        "drop schema app cascade",
        "drop schema app",
        "drop type y cascade",
        "drop function f() cascade",
        "drop table t cascade",
        "drop extension e",
        "drop owned by x",
        "alter type y rename value 'a' to 'b'",
        "alter type y drop attribute a",
        "alter type y alter attribute a type int",
        "alter schema app rename to b",
        "alter extension e update",
        "set search_path = app, public; delete from t",
        "create view v as select * from t; delete from v",
        "create view v as select * from t; alter view v rename to w; delete from w",
        "create table n (a int); create trigger g before insert on n execute function f(); insert into n values (1)",
        "create table n (a int); create trigger g after truncate on n execute function f(); truncate n",
        "create table n (a int); create rule r as on insert to n do delete from t; insert into n values (1)",
        "create table n (a int); truncate n cascade",
        "create table n (a int) partition by list (a); alter table n attach partition t default; delete from n",
        "create table n (a int); alter table t inherit n; delete from n",
        "create function f() returns void language sql as ''; create function f(int) returns void language sql as '';"
        "select f()",
        "create function f() returns void language sql set search_path = app as 'delete from t'; select f()",
        "create function f() returns void language c as 'x', 'y'; select f()",
        "not sql",
        "select '\0'",
        "select " + "(" * 300 + "1" + ")" * 300 + " + " + "(select " * 120 + "1" + ")" * 120,
    ],
    ids=lambda sql: " ".join(sql.split())[:60],
)
def test_what_cannot_be_told_is_unknown(sql):
    assert changed_rows(sql).unknown


def test_a_trigger_does_not_run_when_a_column_goes():
    sql = "create trigger g before insert on t execute function f(); alter table t drop a"
    assert changed_rows(sql) == Rows(frozenset(["public.t"]), frozenset(), False)


def test_what_is_known_is_told_beside_the_unknown():
    found = changed_rows("delete from a; select f(); drop table b cascade")
    assert found == Rows(frozenset(["public.a", "public.b"]), frozenset(), True)


@settings(deadline=None)
@given(st.text())
def test_no_text_raises(sql):
    assert isinstance(changed_rows(sql), Rows)
