"""Allowing a loss of data by name: what a name covers, and that the one that a finding shows does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbsync_tasks.checks import Severity, review, unallowed


@pytest.mark.parametrize(
    ("sql", "allowed"),
    [
        ("drop table t", "public.t"),
        ("drop table t", '"public"."t"'),
        ("drop table t", "PUBLIC.T"),
        ("drop table t", " table t "),
        ('drop table "T"', 'public."T"'),
        ('drop table app."a.b"', 'app."a.b"'),
        ("alter table t drop a", "public.t.a"),
        ("alter table t drop a", "column public.t.a"),
        ("drop schema app cascade", "SCHEMA app"),
        ("drop type mood cascade", 'type "public".mood'),
        ("drop view v cascade", "view v"),
        ("drop materialized view v cascade", "materialized view public.v"),
        ("drop extension pg_cron", "extension pg_cron"),
        ('drop extension "uuid-ossp" cascade', 'extension "uuid-ossp"'),
        ('drop extension "uuid-ossp" cascade', "extension uuid-ossp"),
        ("drop owned by app", "owned by app"),
        ("drop function f(int) cascade", "function f(int)"),
        ("drop function f(int) cascade", "function public.f(integer)"),
        ("drop function f(int) cascade", "function f"),
        ('drop function app."F"(int, text[], app.mood) cascade', 'function app."F"(int4, text[], app.mood)'),
        ("drop procedure p(a int, b text) cascade", "procedure p(int, text)"),
        ("drop function f() cascade", "function f()"),
    ],
)
def test_an_allowance_is_read_as_sql_reads_names(sql, allowed):
    assert unallowed(review(sql), []) != ()
    assert unallowed(review(sql), [allowed]) == ()


@pytest.mark.parametrize(
    ("sql", "allowed"),
    [
        ("drop table t", "public.*"),
        ("drop table t", "*"),
        ("drop table t", ""),
        ("drop table t", "public"),
        ("drop table t", "app.t"),
        ("drop table t", 'public."T"'),
        ('drop table "T"', "public.T"),
        ("alter table t drop a", "public.t"),
        ("drop table t", "public.t.a"),
        ("drop table app.t", "schema app"),
        ("drop schema app cascade", "app"),
        ('drop table "a.b"', "a.b"),
        ("drop function f(int) cascade", "function f(text)"),
        ("drop function f(int) cascade", "function f()"),
        ("drop function f(int) cascade", "f"),
    ],
)
def test_an_allowance_covers_nothing_else(sql, allowed):
    assert [f.severity for f in unallowed(review(sql), [allowed])] == [Severity.DATA_LOSS]


@given(st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), min_size=1, max_size=20))
def test_the_name_that_a_finding_shows_allows_it(name):
    quoted = '"' + name.replace('"', '""') + '"'
    for sql in (
        f"drop table {quoted}.{quoted}",
        f"alter table {quoted} drop {quoted}",
        f"drop schema {quoted} cascade",
    ):
        reviewed = review(sql)
        (lost,) = reviewed.data_loss
        assert unallowed(reviewed, [lost.object]) == ()
