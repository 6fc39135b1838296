"""SQL text: statements, tokens, comparison, transaction units."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbsync_tasks import sqltext
from sbsync_tasks.same_sql import same
from sbsync_tasks.sqltext import UnparsableSql, split, transaction_units

DEEP = "select " + " || ".join(["'a'"] * 90)


def test_a_statement_has_its_own_line_and_text():
    found = split("-- é ;\n\nselect 'é'; /* x */\n  drop table t -- end\n;")
    assert [(s.line, s.text) for s in found] == [(3, "select 'é'"), (4, "drop table t")]


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("create unlogged table t ()", "CREATE TABLE"),
        ("create /* x */ or replace function f() returns int language sql as ''", "CREATE FUNCTION"),
        ("create materialized view m as select 1", "CREATE MATERIALIZED VIEW"),
        ("alter default privileges grant select on tables to anon", "ALTER DEFAULT PRIVILEGES"),
        ("create unique index on t (a)", "CREATE INDEX"),
        ("create type mood as enum ('a')", "CREATE TYPE"),
        ("with d as (select 1) delete from t", "DELETE"),
        ("(select 1)", "SELECT"),
        ("REVOKE all on t from anon", "REVOKE"),
        ("do $$ begin end $$", "DO"),
    ],
)
def test_kind(sql, kind):
    assert [s.kind for s in split(sql)] == [kind]


def test_a_statement_too_deep_for_the_tree_hides_none_of_its_neighbours():
    found = split(f"-- drop table a\nselect 1;\n{DEEP};\n-- drop table b\ndrop table b")
    assert [(s.line, s.kind) for s in found] == [(2, "SELECT"), (3, "SELECT"), (5, "DROP TABLE")]


@pytest.mark.parametrize(
    ("sql", "line", "hint"),
    [
        ("select 1;\nselect from from x", 2, "Correct"),
        ("select 'é';\n\\restrict abc\nselect 1;", 2, "psql commands"),
        ("copy t from stdin;\n1\ta\n\\.\n", 2, "COPY"),
        ("select 1;\nselect 'open", 2, "Correct"),
        ("select 1;\n\0; drop table t", 2, ""),
        ("select '\ud800'", 1, ""),
    ],
    ids=["syntax", "psql", "copy-data", "open-quote", "nul", "surrogate"],
)
def test_what_cannot_be_read_says_where(sql, line, hint):
    with pytest.raises(UnparsableSql, match=f"line {line}: ") as error:
        split(sql)
    assert error.value.line == line
    assert hint in error.value.hint


def test_a_byte_order_mark_is_dropped_as_the_cli_drops_it():
    assert split("\ufeffselect 1")[0].text == "select 1"


def test_tokens_have_no_comments_and_semicolons():
    sql = "select 'a;--b', $x$ ; $x$ -- c\n/* d /* e */ ; */ ; ;"
    assert sqltext.tokens(sql) == ("select", "'a;--b'", ",", "$x$ ; $x$")


@given(
    st.lists(st.sampled_from(["select", "'a;'", "$$;$$", '"b c"', "1"]), min_size=1),
    st.lists(st.sampled_from([" ", "\n", " -- x;\n", "/* ; */", "\t"]), min_size=1),
)
def test_comments_and_white_space_do_not_count(words, gaps):
    # A comma keeps strings on neighbouring lines from being one.
    noisy = "".join(f"{w}{gaps[i % len(gaps)]} , " for i, w in enumerate(words))
    assert sqltext.tokens(noisy) == tuple(t for w in words for t in (w, ","))


def test_the_comment_at_the_top_says_whether_a_file_is_one_transaction():
    assert not sqltext.is_transactional("-- pg-delta: transaction=false\n\n-- second\nselect 1")
    assert not sqltext.is_transactional("\ufeff-- first\n\n-- pg-delta: transaction=false\nselect 1")
    assert sqltext.is_transactional("select 1;\n-- pg-delta: transaction=false")


def test_an_enum_value_is_added_in_an_earlier_file_than_it_is_used():
    sql = "create table a (m mood);\nalter type mood add value 'x'; -- é\n\nselect 'x'::mood;\n"
    first, second = transaction_units(sql)
    assert same(first, "create table a (m mood); alter type mood add value 'x'")
    assert "-- é" in first
    assert second == "select 'x'::mood;\n"


def test_values_added_one_after_the_other_stay_together():
    sql = "alter type m add value 'a';alter type m add value 'b' after 'a';select 'b'::m"
    assert [len(split(u)) for u in transaction_units(sql)] == [2, 1]


def test_what_runs_in_no_transaction_is_alone_and_settings_are_repeated():
    sql = "set local x = 1; select 1; create index concurrently on t (a); select 2; vacuum"
    first, second, third, fourth = transaction_units(sql)
    assert same(first, "set local x = 1; select 1")
    assert same(second, "create index concurrently on t (a)")
    assert same(third, "set local x = 1; select 2")
    assert same(fourth, "vacuum")


def test_a_setting_that_a_unit_makes_itself_is_not_repeated():
    sql = "set local x = 1; alter type m add value 'a'; set local x = 1; select 'a'::m"
    assert same(transaction_units(sql)[1], "set local x = 1; select 'a'::m")


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "-- nothing",
        "select 1; select 2",
        "create index concurrently on t (a)",
        "alter type m rename value 'a' to 'b'; select 1",
        "select 1; alter type m add value 'a';\n-- end",
        "-- pg-delta: transaction=false\ncreate index concurrently on t (a); select 1",
    ],
)
def test_nothing_to_cut_leaves_the_text_as_it_is(sql):
    assert transaction_units(sql) == (sql,)


@pytest.mark.parametrize(
    ("sql", "alone"),
    [
        ("drop index concurrently i", True),
        ("reindex (concurrently) table t", True),
        ("reindex database d", True),
        ("reindex table t", False),
        ("alter table t detach partition p concurrently", True),
        ("alter table t detach partition p", False),
        ("alter system set x = 1", True),
        ("create database d", True),
        ("analyze t", False),
        ("drop table t", False),
    ],
)
def test_stands_alone(sql, alone):
    (parsed,) = sqltext.parse(sql)
    assert sqltext.stands_alone(parsed) is alone


def test_importing_loads_no_parser():
    import subprocess
    import sys

    code = "import sys, sbsync_tasks.findings; sys.exit('postgast' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
