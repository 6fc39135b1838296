"""Files that are applied one after the other: what a later one puts right is not said of an earlier one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbsync_tasks.checks import Met, Severity, changed_rows, review, review_together

NEW = "create table public.t (a int);\n"
SECURED = "-- Later.\n\nalter table t enable row level security"


def found(*texts):
    return [[(f.rule, f.object, f.line) for f in reviewed.findings] for reviewed in review_together(texts)]


def test_a_later_file_may_switch_row_level_security_on():
    assert found(NEW, SECURED) == [[], []]
    assert found(NEW, "select 1", f"\ufeff{SECURED}") == [[], [], []]


def test_what_remains_uncovered_stays_a_finding_of_its_own_file_and_line():
    others = "-- Two.\ncreate table u (a int);\ncreate table v (a int)"
    assert found(NEW, others, "alter table public.u enable row level security;", SECURED) == [
        [],
        [("table-without-rls", "public.v", 3)],
        [],
        [],
    ]


@pytest.mark.parametrize(
    ("later", "uncovered"),
    [
        ("alter table t rename to u", "public.u"),
        ("alter table t rename to u; alter table u enable row level security", ""),
        ("drop table t", ""),
        ("set search_path = app; alter table t enable row level security", "public.t"),
        ("oops (", "public.t"),
    ],
)
def test_it_is_the_table_that_counts_not_its_name(later, uncovered):
    first, _ = found(NEW, later)
    assert first == ([("table-without-rls", uncovered, 1)] if uncovered else [])


def test_an_earlier_file_neither_covers_a_new_table_nor_moves_the_search_path():
    expected = ("table-without-rls", "public.t", 1)
    assert expected in found("set search_path = app;\n", "create table t (a int)")[1]
    assert expected in found(SECURED, "drop table t", NEW)[2]


def test_a_file_may_end_without_a_semicolon_or_with_a_comment():
    found = changed_rows("update t set a = 1", "set search_path = app, public -- x", "update u set a = 1")
    assert (found.tables, found.unknown) == ({"public.t", "public.u"}, False)


def test_a_temporary_table_of_one_file_hides_no_table_from_the_backup_of_another():
    assert changed_rows("create temp table t (a int); delete from t", "drop table t").tables == {"public.t"}


def lost(*texts, met=None):
    return [[f.object for f in reviewed.data_loss] for reviewed in review_together(texts, met)]


def test_what_an_earlier_file_made_was_never_there_to_lose():
    made = "create table t (a int, b int); create type m as enum ('a')"
    assert lost(made, "alter table t drop b", "truncate t; drop type m", "drop table t") == [[], [], [], []]
    assert lost(made, "alter table t rename to u", "drop table u; drop table t") == [[], [], ["public.t"]]


def test_what_the_database_does_not_have_is_no_loss():
    there = Met(frozenset(["public.t", "schema public"]), {"public.t.a": "integer"})
    texts = (
        "drop table if exists gone; drop type if exists mood cascade; drop schema if exists app cascade",
        "create table if not exists u (a int); drop table u; alter table t drop column gone",
        "alter table t drop column a",
        "alter table t rename column a to b; alter table t drop column b",
    )
    assert lost(*texts, met=there) == [[], [], ["public.t.a"], ["public.t.b"]]
    assert lost("drop owned by app", met=there) == [["owned by app"]]
    assert review("drop policy if exists p on gone; revoke all on gone from anon", there).findings == ()


@pytest.mark.parametrize(
    ("moved", "now"),
    [
        ("alter table t rename to u", "public.u"),
        ("alter table t set schema app", "app.t"),
        ("alter schema public rename to app", "app.t"),
        ("do $$ begin execute 'alter table t rename to u'; end $$", "public.u"),
        ("create function f() returns void language sql as 'alter table t set schema app'; select f()", "app.t"),
    ],
)
def test_what_was_there_is_lost_under_its_new_name_too(moved, now):
    there = Met(frozenset(["public.t"]), {})
    assert lost(moved, f"drop table {now}", met=there)[1] == [now]


@pytest.mark.parametrize("moved", ["alter table t rename column a to b", "alter table t rename to u"])
def test_under_a_new_name_a_role_may_do_what_it_could_do_before(moved):
    rights = {("public.t", "anon"): frozenset(["select"])}
    there = Met(frozenset(["public.t", "public.other"]), {"public.t.a": "integer"}, rights)
    name = "u" if "to u" in moved else "t"
    for right, rule in (("select", []), ("insert", ["grant"])):
        _, found = review_together([moved, f"grant {right} on {name} to anon"], there)
        assert [f.rule for f in found.findings] == rule


def test_what_a_later_file_makes_again_is_not_gone():
    texts = ("drop policy p on t; drop view v; drop function f(int)", "create policy p on t using (a = auth.uid())")
    assert [o for _, o, _ in found(*texts)[0]] == ["view public.v", "function public.f(int4)"]
    again = "create or replace view v with (security_invoker) as select 1; create function f(int) returns int return 1"
    assert found(*texts, again) == [[], [], []]


@given(st.lists(st.sampled_from([NEW, SECURED, "drop table x;", "\n\ncreate table u (a int)", "oops ("]), max_size=4))
def test_what_files_say_together_each_says_alone(texts):
    for text, reviewed in zip(texts, review_together(texts), strict=True):
        alone = review(text)
        assert reviewed.statements == alone.statements
        assert set(reviewed.findings) <= set(alone.findings)
        graver = {f for f in alone.findings if f.severity is Severity.DATA_LOSS or f.blocking}
        assert graver <= set(reviewed.findings)


SHOWS = "create view members with (security_invoker = true) as select * from users"
AGAIN = "create view users with (security_invoker = true) as select * from members;"


def test_a_view_and_its_table_may_change_names():
    swapped = f"drop view members; alter table users rename to members; {AGAIN}"
    assert lost(SHOWS, f"{swapped} update users set a = 1 where id = 3") == [[], []]
    assert lost(SHOWS, f"{swapped} update users set a = 1") == [[], ["public.members"]]
    assert lost(SHOWS, f"{AGAIN} update users set a = 1 where id = 3") == [[], []]  # a circle, which PostgreSQL refuses


@pytest.mark.parametrize(
    ("then", "changed"),
    [
        ("alter table users rename to people; update members set a = 1", "public.people"),
        ("alter view members rename to m; update m set a = 1", "public.users"),
        ("alter view members rename to m; update members set a = 1", "public.members"),
        ("drop view members; update members set a = 1", "public.members"),
        ("alter view members rename to m; alter table users rename to members; update m set a = 1", "public.members"),
    ],
)
def test_a_change_reaches_the_table_that_a_view_shows_now(then, changed):
    assert changed in lost(SHOWS, then)[1]


@pytest.mark.parametrize("made", ["create table members (a int)", "select 1 as a into members"])
def test_a_table_with_the_name_of_a_view_is_itself(made):
    assert lost(SHOWS, f"drop view members; {made}; update members set a = 1") == [[], []]


def test_what_has_another_name_is_as_new_as_before():
    made = "create trigger a after insert on t execute function f(); create policy a on t using (false);"
    renamed = f"{made} alter trigger a on t rename to b; alter policy a on t rename to b;"
    assert found(f"{renamed} drop trigger b on t; drop policy b on t") == [[]]
