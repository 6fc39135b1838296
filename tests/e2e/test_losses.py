"""What a text announces as lost, against a database that has rows, has none, or has no such table."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sbsync_tasks.databases.embedded import Clusters
from sbsync_tasks.databases.embedded.binaries import find_binaries
from sbsync_tasks.run.losses import reviewed
from sbsync_tasks.state.migrations import Migration
from tests.support.project import Data

pytestmark = pytest.mark.e2e
THERE = """
create type public.mood as enum ('a'); create type public.unused as enum ('a');
create table public.full (id serial primary key, note text, empty text, m public.mood);
insert into public.full (note, m) values ('x', 'a'), ('y', null), (null, null);
create table public.bare (id int primary key, note text);
create table public.big (id int, note text); insert into public.big select generate_series(1, 10001);
create extension citext with schema extensions;
create schema app; create table app."T x" (a int); insert into app."T x" values (1);
create schema hollow; create table hollow.t (a int); create sequence public.counter;
create table public.parent (id int) partition by range (id);
create table public.part partition of public.parent for values from (0) to (9);
insert into public.parent values (1);
create schema kinds; create type kinds.shade as enum ('a', 'b'); create domain kinds.tint as kinds.shade;
create type public.pair as (one kinds.shade, two int);
create table public.coloured (
  id int, s kinds.shade, many kinds.shade[], t kinds.tint, p public.pair, c extensions.citext
);
insert into public.coloured values (1, 'a', '{a}', null, null, 'x'), (2, null, '{}', 'b', row('a', 1), null);
create view public.shown as select * from public.coloured; create view public.again as select * from public.shown;
create function public.one(int) returns int language sql immutable as 'select 1';
alter table public.coloured alter id set default public.one(1);
alter table public.coloured add derived int generated always as (public.one(id)) stored;
create table public.closed (id int); revoke all on public.closed from anon;
create table public.hidden (id int); alter table public.hidden enable row level security; grant all on public.hidden
to anon; insert into public.hidden values (1);
create function public.wipe() returns void language plpgsql as 'begin delete from public.full; end';
create function public.swept() returns trigger language plpgsql as 'begin perform public.wipe(); return null; end';
create trigger swept after delete on public.bare execute function public.swept();
create policy lets on public.bare using (true); create policy "keeps out" on public.bare as restrictive using (false);
"""
CASES = (
    ("drop table public.full", {"public.full": "3 rows"}),
    ("drop table public.bare cascade", {}),
    ("drop table if exists public.nowhere cascade", {}),
    ("alter table public.full drop column note", {"public.full.note": "2 values"}),
    ("alter table public.full drop column empty", {}),
    ("alter table public.full drop column nowhere", {}),
    ("alter table public.bare alter column note type int using 1", {}),
    ('truncate app."T x"', {'app."T x"': "1 row"}),
    ("update auth.users set email = lower(email)", {}),
    ("delete from public.full", {"public.full": "3 rows"}),
    ("select public.wipe()", {"public.full": "3 rows"}),
    ("do $$ begin\ndelete from public.bare where id = 1; end $$", {"public.full": "3 rows"}),
    ("drop schema hollow cascade", {}),
    ("drop schema app cascade", {"schema app": "1 row"}),
    ("drop type public.unused cascade", {}),
    ("drop type public.mood cascade", {"type public.mood": "1 row"}),
    ("drop sequence public.full_id_seq cascade", {}),
    ("drop sequence public.counter", {"sequence public.counter": ""}),
    ("drop extension supabase_vault cascade", {}),
    ("alter table public.parent detach partition public.part", {"public.parent": "1 row"}),
    # Under another name it is still what was there
    ("alter table public.full rename to other; drop table public.other", {"public.other": ""}),
    ("do $$ begin execute 'alter table public.full rename to o'; end $$; drop table public.o", {"public.o": ""}),
    # What CASCADE takes along holds rows, wherever it is
    ("drop schema kinds cascade", {"schema kinds": "5 rows"}),
    ("drop domain kinds.tint cascade", {"domain kinds.tint": "1 row"}),
    ("drop type public.pair cascade", {"type public.pair": "1 row"}),
    ("drop extension citext cascade", {"extension citext": "1 row"}),
    ("drop view public.shown cascade", {}),
    ("drop function public.one(int) cascade", {}),
    ("alter type public.mood rename to feeling; drop type public.feeling cascade", {"type public.feeling": ""}),
    # The types of columns are known
    ("alter table public.full alter column id type bigint", {}),
    ("alter table public.full alter column id type smallint", {"public.full.id": "3 values"}),
    ("alter table public.coloured alter column s type kinds.shade using s::text::kinds.shade", {}),
    ("drop owned by anon", {"owned by anon": ""}),
)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Data]:
    """One with rows."""
    clusters = Clusters(tmp_path_factory.mktemp("losses"), find_binaries(17))
    try:
        data = Data(clusters.start("met"))
        data.run(THERE)
        yield data
    finally:
        clusters.remove_all()


@pytest.mark.parametrize(("sql", "expected"), CASES, ids=[sql[:50] for sql, _ in CASES])
def test_what_the_database_has_to_lose(database: Data, sql: str, expected: dict[str, str]) -> None:
    with database.connection() as connection:
        (found,) = reviewed([Migration("1", "m", sql)], connection)
    left = found.data_loss
    assert {f.object for f in left} == set(expected)
    for finding in left:
        told = expected[finding.object]
        assert (f"It holds {told} now." in finding.why) == bool(told), finding.why


def test_a_grant_of_what_everybody_has_already_is_no_exposure(database: Data) -> None:
    sql = (
        "grant select on public.bare to anon; grant select on public.closed to anon; grant usage on schema app to anon"
    )
    with database.connection() as connection:
        (found,) = reviewed([Migration("1", "m", sql)], connection)
    assert [f.object for f in found.findings] == ["public.closed", "schema app"]


LOCKS = """
create index on public.full (note); alter table public.full alter column empty set not null;
create index on public.bare (note); alter table public.bare alter column note set not null;
create index on public.big (note); alter table public.full alter column note type text; cluster public.full using x;
"""


def test_only_a_policy_that_keeps_out_exposes_where_it_goes(database: Data) -> None:
    dropped = Migration("1", "x", 'drop policy lets on public.bare; drop policy "keeps out" on public.bare;')
    with database.connection() as connection:
        (review,) = reviewed((dropped,), connection)
    found = {f.object: f.severity.value for f in review.findings}
    assert found == {
        "policy lets on public.bare": "note", 'policy "keeps out" on public.bare': "exposure",
    }  # fmt: skip


def test_nobody_waits_for_a_small_table_nor_for_one_that_is_not_touched(database: Data) -> None:
    file = Migration("1", "m", LOCKS)
    with database.connection() as connection:
        (meant,) = reviewed([file], connection)
        (recorded,) = reviewed([file], connection, run=())
        (run,) = reviewed([file], connection, run=[file])
    assert [f.object for f in meant.findings] == ["public.full.empty", "public.big"]
    assert recorded.findings == ()
    assert run == meant


def test_rows_that_policies_hide_from_us_are_not_taken_for_none(database: Data) -> None:
    with database.connection() as connection:
        connection.execute("set role anon")
        (found,) = reviewed([Migration("1", "m", "truncate public.hidden")], connection)
    assert [(f.rule, f.object) for f in found.data_loss] == [("truncate", "public.hidden")]
