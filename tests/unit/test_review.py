"""Review: every rule by example. A case is SQL and `rule object` lines, in the review's order."""

from sbsync_tasks.checks import Severity, review
from tests.support.reviewed import check, found

LOSS, EXPOSURE, LOCKING = Severity.DATA_LOSS, Severity.EXPOSURE, Severity.LOCKING
OPAQUE, NOTE = Severity.OPAQUE, Severity.NOTE


@check(
    [
        ("drop table t", ["drop-table public.t"]),
        ('drop table app."T.x", b', ['drop-table app."T.x"', "drop-table public.b"]),
        ("drop schema app, b cascade", ["drop-schema schema app", "drop-schema schema b"]),
        ("drop type app.mood cascade", ["drop-type type app.mood"]),
        ("drop domain d cascade", ["drop-domain domain public.d"]),
        ("drop sequence s", ["drop-sequence sequence public.s"]),
        ("drop extension pg_cron", ["drop-extension extension pg_cron"]),
        ("drop view v cascade", ["drop-view view public.v"]),
        ("drop function f(int) cascade", ["drop-function function public.f(int4)"]),
        ("drop materialized view m cascade", ["drop-materialized-view materialized view public.m"]),
        ("drop owned by app", ["drop-owned owned by app"]),
        ("drop subscription s", ["drop-subscription subscription s"]),
        ("drop database d", ["drop-database database d"]),
        ("alter table t drop column a", ["drop-column public.t.a"]),
        ('alter table t drop "A b" cascade, drop c', ['drop-column public.t."A b"', "drop-column public.t.c"]),
        ("alter type ct drop attribute a", ["drop-column public.ct.a"]),
        ("alter table t alter a type int", ["change-column-type public.t.a"]),
        ("alter table t alter a type bigint", ["change-column-type public.t.a"]),
        ("alter table t alter a type varchar(5)", ["change-column-type public.t.a"]),
        ("alter table t alter a type text[] using a::text[]", ["change-column-type public.t.a"]),
        ("alter table t alter a type text using lower(a)", ["change-column-type public.t.a"]),
        ("alter table t alter a type text using b::text", ["change-column-type public.t.a"]),
        ("alter table t alter a type text using a::int::text", ["change-column-type public.t.a"]),
        ("alter table t alter a type app.text", ["change-column-type public.t.a"]),
        ("alter table t detach partition p", ["detach-partition public.t"]),
        ("truncate a, app.b cascade", ["truncate public.a", "truncate app.b"]),
        ("delete from t", ["delete-all public.t"]),
        ("delete from t where true", ["delete-all public.t"]),
        ("delete from t where 1 = 1", ["delete-all public.t"]),
        ("delete from t where id is not null", ["delete-all public.t"]),
        ("delete from t where a = 1 or true", ["delete-all public.t"]),
        ("delete from t where not false", ["delete-all public.t"]),
        ("with d as (delete from t returning *) select * from d", ["delete-all public.t"]),
        ("explain analyze delete from t", ["delete-all public.t"]),
        ("create table n (a int); insert into n select 1 from t; delete from t", ["delete-all public.t"]),
        ("update t set a = 1", ["update-all public.t"]),
        ("update t set a = 1 where true", ["update-all public.t"]),
        ("merge into t using s on t.a = s.a when matched then delete", ["merge-delete public.t"]),
        ("set search_path = app, public; drop table t", ["drop-table app.t"]),
        ('set search_path = "$user", public; drop table t', ["drop-table public.t"]),
    ],
)
def test_data_loss(sql, expected):
    loss = [text for severity, text in found(sql) if severity is LOSS]
    assert loss == expected


@check(
    [
        (sql, [])
        for sql in [
            "drop view v",
            "drop materialized view m",
            "drop index i",
            "drop function f(int)",
            "drop policy p on t",
            "drop publication p",
            "drop foreign table f",
            "delete from t where id = 1",
            "delete from t where true and id = 1",
            "delete from t where id = 1 or id = 2",
            "delete from t where gone is null",
            "delete from t where false",
            "delete from t using s where t.a = s.a",
            "update t set a = 1 where exists (select from s where s.id = t.id)",
            "insert into t values (1) on conflict (id) do update set a = 2",
            "alter table t alter a type text",
            "alter table t alter a type varchar using a::varchar",
            "alter table t alter a type pg_catalog.text using t.a::text",
            "create table t (a int); drop table t",
            "create temp table t (a int); drop table t; ",
            "create view v as select 1; drop view v cascade",
            "create schema s; drop schema s",
            "create type m as enum (); drop type m",
            "create table t (a int, b int); alter table t drop a, alter b type text; truncate t; delete from t",
            "alter table t add n int; update t set n = 1; alter table t drop n",
            "create table t as select 1 as a; alter table t rename to u; drop table u",
            "create function f() returns void language plpgsql as $$ begin delete from t; end $$",
            "create rule r as on delete to t do instead delete from u",
            "create table drop_table (truncate_t text default 'drop table x')",
            "comment on table t is 'drop table t'",
        ]
    ]
)
def test_no_data_loss(sql, expected):
    assert [f.object for f in review(sql).data_loss] == expected


@check(
    [
        ("create table if not exists t (a int); drop table t", ["public.t"]),
        ("drop table t; create table t (a int); drop table t;\ndrop table t", ["public.t"] * 2),
        ("create temp table t (a int); drop table public.t", ["public.t"]),
        ("create temp table t (a int); drop table t; drop table t", ["public.t"]),
        ("create table app.t (a int); drop table t", ["public.t"]),
        ("create table n (a int); alter table t rename to old; drop table old", ["public.old"]),
        ("create table n (a int); drop table n; alter table t rename to n; drop table n", ["public.n"]),
        ("alter table t add if not exists a int; alter table t drop a", ["public.t.a"]),
        ("alter table t add a int; update t set a = 1, b = 2", ["public.t"]),
        ("create or replace view v as select 1; drop view v cascade", ["view public.v"]),
        ("create schema if not exists s; drop schema s cascade", ["schema s"]),
        ("create table t (a int); drop sequence t_a_seq", ["sequence public.t_a_seq"]),
        ("create table if not exists t (a serial); drop sequence t_a_seq", ["sequence public.t_a_seq"]),
    ],
)
def test_what_only_looks_new_is_still_lost(sql, expected):
    assert [f.object for f in review(sql).data_loss] == expected


@check(
    [
        ("do $$ begin\n  drop table t;\nend $$", [(LOSS, "drop-table public.t", 2)]),
        (
            "select 1;\ndo $$\nbegin\n  if true then\n    delete from t;\n  end if;\nend $$",
            [(LOSS, "delete-all public.t", 5)],
        ),
        ("do $$ begin execute 'truncate t'; end $$", [(LOSS, "truncate public.t", 1)]),
        (
            "do $$ declare r record; begin for r in execute 'delete from t returning 1' loop\nnull; end loop; end $$",
            [(LOSS, "delete-all public.t", 1)],
        ),
        (
            "do $$ declare r record; begin for r in select 1 loop\ndrop table t;\nend loop; end $$",
            [(LOSS, "drop-table public.t", 2)],
        ),
        ("do $$ begin\nexecute 'drop ' || 'table t'; end $$", [(LOSS, "drop-table public.t", 2)]),
        (
            "do $$ begin execute format('drop table %I', x); end $$",
            [(OPAQUE, "dynamic-sql format('drop table %I', x)", 1)],
        ),
        ("do $$ begin execute 'drop table'; end $$", [(OPAQUE, "opaque-body DO", 1)]),
        ("do $$ begin nonsense; end $$", [(OPAQUE, "opaque-body DO", 1)]),
        ("do language plpython3u $$ x $$", [(OPAQUE, "opaque-body DO", 1)]),
        ("do $x$ begin execute 'do $$ begin truncate t; end $$'; end $x$", [(LOSS, "truncate public.t", 1)]),
        ("do $$ begin execute 'grant select on t to anon'; end $$", [(EXPOSURE, "grant public.t", 1)]),
        ("call app.wipe()", [(OPAQUE, "call procedure app.wipe", 1)]),
        (
            "create function f() returns void language plpgsql as $$ begin delete from t; end $$;\nselect f()",
            [(LOSS, "delete-all public.t", 1)],
        ),
        (
            "create function f() returns void language sql as 'delete from t';\nselect public.f()",
            [(LOSS, "delete-all public.t", 1)],
        ),
        (
            "create procedure p() language plpgsql as $$ begin\ntruncate t; end $$; call p()",
            [(LOSS, "truncate public.t", 2)],
        ),
        (
            "create function f() returns void language plpgsql as $$ begin perform f(); perform f();"
            " delete from t; end $$; select f()",
            [(LOSS, "delete-all public.t", 1)],
        ),
        (
            "create function f() returns void language plpgsql as $$ begin execute x; end $$",
            [(NOTE, "dynamic-sql-function function public.f", 1)],
        ),
        ("do $$ declare x int; begin perform 1; insert into t values (1) returning id into x; end $$", []),
        ("create function f() returns trigger language plpgsql as $$ begin new.a := 1; return new; end $$", []),
        ("create function f() returns int language sql begin atomic delete from t; select 1; end", []),
        ("create procedure p() language sql begin atomic end; call p()", []),
        ("create function f() returns int language sql return 1; select f()", []),
    ],
)
def test_sql_inside_of_sql(sql, expected):
    shown = [(f.severity, f"{f.rule} {f.object}", f.line) for f in review(sql).findings]
    assert shown == expected


@check(
    [
        ("alter table t disable row level security", ["disable-rls public.t"]),
        ("alter table t no force row level security", ["no-force-rls public.t"]),
        ("drop policy p on app.t", ["drop-policy policy p on app.t"]),
        ("create policy p on t using (true)", ["open-policy policy p on public.t"]),
        ("create policy p on t for insert with check (true)", ["open-policy policy p on public.t"]),
        ("create policy p on t for select using (true)", []),
        ("create policy p on t using (auth.uid() is not null)", []),
        ("create policy p on t using (published_at is not null)", []),
        ("create policy p on t using (true or a = 1)", ["open-policy policy p on public.t"]),
        ("create policy p on t using (not false)", ["open-policy policy p on public.t"]),
        ("create policy p on t using (current_user = 'x')", []),
        ("create materialized view m as select 1", ["table-without-rls public.m"]),
        ("create materialized view m as select 1; revoke all on m from anon, authenticated", []),
        ("create table c as select 1 as a", ["table-without-rls public.c"]),
        ("select 1 as a into c", ["table-without-rls public.c"]),
        ("select 1 as a into temp c", []),
        ("create foreign table f (a int) server s", ["table-without-rls public.f"]),
        ("create schema api; create table api.t (a int); grant select on api.t to anon", ["table-without-rls api.t"]),
        ("create schema api; create table api.t (a int)", []),
        ("drop policy p on t; create policy p on t using (a = auth.uid())", []),
        ("create policy p on t to anon using (1 = 1)", ["open-policy policy p on public.t"]),
        ("create policy p on t to anon using (a = 1) with check (true)", ["open-policy policy p on public.t"]),
        ("alter policy p on t to anon using (true)", ["open-policy policy p on public.t"]),
        ("create policy p on t to authenticated using (true)", ["open-policy policy p on public.t"]),
        ("create policy p on t for select to authenticated using (true)", []),
        ("create policy p on t to anon using (owner = auth.uid())", []),
        ("create policy p on t as restrictive to anon using (true)", []),
        ("grant select on t to anon", ["grant public.t"]),
        ("grant usage on schema app to authenticated", ["grant schema app"]),
        ("grant execute on function f(int) to public", ["grant function public.f"]),
        ("grant all on all tables in schema app to anon", ["grant all tables in schema app"]),
        ("grant select on t to service_role", []),
        ("grant select on t to postgres", []),
        ("revoke select on t from anon", []),
        ("grant service_role to anon", ["grant-role role service_role"]),
        (
            "alter default privileges in schema app grant select on tables to anon",
            ["default-privileges default privileges in app"],
        ),
        ("alter default privileges revoke all on tables from anon", []),
        (
            "create function f() returns int language sql security definer as 'select 1'",
            ["definer-search-path function public.f"],
        ),
        ("create function f() returns int language sql security definer set search_path = '' as 'select 1'", []),
        (
            "create function f() returns int language sql security definer set role = 'x' as 'select 1'",
            ["definer-search-path function public.f"],
        ),
        ("create function f() returns int language sql security invoker as 'select 1'", []),
        ("alter function f() security definer", ["definer-search-path function public.f"]),
        ("create view v as select 1", ["definer-view view public.v"]),
        ("create view v with (security_invoker) as select 1", []),
        ("create view v with (security_invoker = on) as select 1", []),
        ("create view v with (security_invoker = 1) as select 1", []),
        ("create view v with (security_invoker = false) as select 1", ["definer-view view public.v"]),
        ("alter view v set (security_invoker = false)", ["definer-view view public.v"]),
        ("alter view v reset (security_invoker)", ["definer-view view public.v"]),
        ("alter view v set (security_invoker = true)", []),
        ("alter role app bypassrls", ["powerful-role role app"]),
        ("alter role app nobypassrls", []),
        ("create role app superuser", ["powerful-role role app"]),
        ("create table t (a int)", ["table-without-rls public.t"]),
        ("create table t (a int); alter table public.t enable row level security", []),
        ("create table t (a int); drop table t", []),
        ("create table app.t (a int)", []),
        ("create temp table t (a int)", []),
    ],
)
def test_exposure(sql, expected):
    assert [text for severity, text in found(sql) if severity is EXPOSURE] == expected


@check(
    [
        ("alter table t alter a set not null", ["set-not-null public.t.a"]),
        ("alter table t add a int not null", ["required-column public.t.a"]),
        ("alter table t add a int not null default 1", []),
        ("alter table t add a int", []),
        ("alter table t add a bigserial not null", ["table-rewrite public.t.a"]),
        ("alter table t add a int generated always as identity", ["table-rewrite public.t.a"]),
        ("alter table t add check (a > 0)", ["validated-constraint public.t"]),
        ("alter table t add check (a > 0) not valid", []),
        ("alter table t add foreign key (a) references b", ["validated-constraint public.t"]),
        ("alter table t add primary key (a)", ["indexed-constraint public.t"]),
        ("alter table t add primary key using index i", []),
        ("alter table t alter a type text", ["widen-column-type public.t.a"]),
        ("create index on t (a)", ["blocking-index public.t"]),
        ("create unique index on t (a)", ["unique-index public.t"]),
        ("create table t (a int); create unique index on t (a)", []),
        ("create index concurrently on t (a)", []),
        ("lock table t", ["lock public.t"]),
        ("cluster t", ["cluster public.t"]),
        ("refresh materialized view m", ["refresh public.m"]),
        ("reindex table t", ["reindex public.t"]),
        ("reindex table concurrently t", []),
        ("create table t (a int); create index on t (a); alter table t add check (a > 0), alter a set not null", []),
    ],
)
def test_locking(sql, expected):
    assert [text for severity, text in found(sql) if severity is LOCKING] == expected


@check(
    [
        ("alter table t drop constraint c", ["drop-constraint public.t.c"]),
        ("alter table t alter a drop not null", ["drop-not-null public.t.a"]),
        ("alter table t disable trigger all", ["disable-trigger public.t"]),
        ("alter table t owner to app", ["change-owner public.t"]),
        ("alter function f() owner to app", ["change-owner function public.f"]),
        ("alter table t rename to u", ["rename public.t"]),
        ("alter table t rename a to b", ["rename public.t.a"]),
        ("alter table t rename constraint pk to u", ["rename public.t.pk"]),
        ("alter policy p on t rename to q", ["rename policy p on public.t"]),
        ("alter trigger a on app.t rename to b", ["rename trigger a on app.t"]),
        ("alter rule a on t rename to b", ["rename rule a on public.t"]),
        ("alter type c rename attribute a to b", ["rename public.c.a"]),
        ("alter domain d rename constraint a to b", ["rename public.d.a"]),
        ("alter role a rename to b", ["rename role a"]),
        ("alter schema a rename to b", ["rename schema a"]),
        ("alter table t set schema app", ["rename public.t"]),
        ("alter type m rename value 'a' to 'b'", ["rename-enum-value type public.m"]),
        ("create trigger x after insert on auth.users execute function public.f()", []),
        ("drop trigger if exists x on auth.users", ["drop-trigger trigger x on auth.users"]),
        ("insert into storage.buckets (id) values ('x')", []),
        ("create index on auth.users (email)", ["managed-schema auth.users"]),
        ("alter table storage.objects add a int", ["managed-schema storage.objects"]),
        ("create function auth.f() returns int language sql as 'select 1'", ["managed-schema auth.f"]),
        ("create policy p on storage.objects to authenticated using (a = 1)", []),
        ("alter table t add a int references auth.users not valid", []),
        ("select auth.uid()", []),
        ("drop role app", ["drop-role role app"]),
        ("drop index app.i", ["drop-index index app.i"]),
        ("drop trigger x on app.t", ["drop-trigger trigger x on app.t"]),
        ("revoke select on t from anon", ["revoke public.t"]),
        ("revoke all on t from postgres; grant all on t to postgres", []),
        (
            "alter type m rename to m_old; create type m as enum ('a'); drop type m_old",
            ["rename type public.m", "drop-type type public.m_old"],
        ),
        ("alter type m add value 'it''s'; select 'it''s'::m", ["enum-value-used 'it''s'"]),
        ("alter type m add value 'a'; select 'b'::m", []),
        ("create type m as enum ('a'); alter type m add value 'b'; select 'b'::m", []),
        ("-- pg-delta: transaction=false\nalter type m add value 'a'; select 'a'::m", []),
        ("create index concurrently on t (a); select 1", ["not-alone CREATE INDEX"]),
        ("create index concurrently on t (a)", []),
        ("vacuum t; select 1", ["not-alone VACUUM"]),
        ("begin; select 1; commit", ["explicit-transaction file"]),
        ("do $$ begin commit; end $$; select 1", ["explicit-transaction file"]),
        ("do $$ begin perform 'commit'; end $$; select 1", []),
        ("alter type m add value 'a'; vacuum; select 'a'::m", ["not-alone VACUUM"]),
        ("begin; alter type m add value 'a'; commit; select 'a'::m", ["explicit-transaction file"]),
        ("begin; savepoint a; release a; end", ["explicit-transaction file"]),
        ("copy t from stdin", ["copy-stdin public.t"]),
        ("copy t to stdout", []),
    ],
)
def test_notes(sql, expected):
    assert [text for severity, text in found(sql) if severity is NOTE] == expected


# A new table as the CLI's diff engine writes it (3.1.0, shortened).
NEW_TABLE = """SET local check_function_bodies = off;

CREATE TABLE "public"."nt" (
  "id" bigint GENERATED ALWAYS AS IDENTITY NOT NULL
);

ALTER TABLE "public"."nt"
  ENABLE ROW LEVEL SECURITY;

REVOKE ALL ON SEQUENCE "public"."nt_id_seq" FROM "anon";

GRANT SELECT, UPDATE, USAGE ON SEQUENCE "public"."nt_id_seq" TO "anon";

GRANT DELETE, INSERT, MAINTAIN, SELECT ON TABLE "public"."nt" TO "anon", "authenticated";

REVOKE ALL ON TABLE "public"."nt" FROM "postgres";

GRANT DELETE, INSERT, MAINTAIN, SELECT ON TABLE "public"."nt" TO "postgres";
"""


def test_grants_that_restate_a_new_objects_defaults_are_no_findings():
    assert found(NEW_TABLE) == []
    assert found(NEW_TABLE.replace("CREATE TABLE", "CREATE TABLE IF NOT EXISTS")) == [
        (NOTE, "grant sequence public.nt_id_seq"),
        (NOTE, "grant public.nt"),
    ]


def test_a_replaced_function_s_grant_is_only_noted():
    sql = "create or replace function f() returns int language sql as ''; grant execute on function f() to anon"
    assert found(sql) == [(NOTE, "grant function public.f")]


def test_a_dropped_and_an_added_column_may_be_a_rename():
    sql = 'alter table t drop a; alter table t add "B" int; alter table u drop c'
    (note,) = [f for f in review(sql).findings if f.rule == "probable-rename"]
    assert note.object == "public.t.a"
    assert note.way_out == 'ALTER TABLE public.t RENAME COLUMN a TO "B";'


def test_counts():
    assert review("create table app.t (); grant select on app.t to x; grant select on y to x").counts == {
        "GRANT": 2,
        "CREATE TABLE": 1,
    }


def test_findings_are_shown_on_one_line_and_the_gravest_comes_first():
    sql = "create index on t (a);\n\ndrop table\n  t" + ", t" * 60
    first = review(sql).findings[0]
    assert (first.rule, first.line) == ("drop-table", 3)
    assert first.statement.startswith("drop table t, t")
    assert len(first.statement) == 100


def test_functions_called_in_expressions_are_looked_into():
    function = "create function f() returns int language sql as 'delete from t returning 1';"
    block = "do $$ declare x int; begin x := f(); end $$"
    assert (LOSS, "delete-all public.t") in found(function + block)


def test_reset_leads_back_to_public():
    assert (LOSS, "delete-all public.t") in found("set search_path = app; reset search_path; delete from t")
