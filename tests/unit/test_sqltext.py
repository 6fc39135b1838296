"""SQL text: statements, tokens, comparison, transaction units."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbsync_tasks import sqltext
from sbsync_tasks.sqltext import UnparsableSql, split
from sbsync_tasks.state.same_sql import key

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


def test_a_text_is_parsed_once_and_what_compares_it_changes_nothing(mocker):
    import postgast

    parse = mocker.spy(postgast, "parse")
    sql = "create table parsed_once (a int default 1); select 'parsed once'"
    first = sqltext.parse(sql)
    written = [p.node.SerializeToString(deterministic=True) for p in first]
    assert key(sql) == key(sql)
    assert sqltext.split(sql) == tuple(p.statement for p in first)
    assert [p.node.SerializeToString(deterministic=True) for p in sqltext.parse(sql)] == written
    assert parse.call_count == 1


def test_too_many_characters_are_forgotten(mocker):
    import postgast

    mocker.patch.object(sqltext, "_REMEMBERED", 50)
    parse = mocker.spy(postgast, "parse")
    for sql in ("select 1, 'forgotten a'", "select 2, 'forgotten b'", "select 3, 'forgotten c'") * 2:
        assert len(sqltext.parse(sql)) == 1
    assert parse.call_count > 3


@pytest.mark.parametrize(
    "sql", ["do language plpgsql", "create function f() returns int return 1",
            "create function f() returns int language plpgsql"]
)  # fmt: skip
def test_what_has_no_body_between_quotes_is_refused(sql):
    with pytest.raises(UnparsableSql, match="no body"):
        sqltext.plpgsql(sql)


def test_the_body_of_a_trigger_function_can_be_read():
    body = "begin if tg_op = 'DELETE' then delete from t where a = '{}},'; end if; return new; end"
    tree = sqltext.plpgsql(f"create function f() returns trigger language plpgsql as $$ {body} $$")
    assert "delete from t where a = '{}},'" in str(tree)


def test_a_function_in_standard_sql_has_no_body_in_plpgsql():
    """PostgreSQL's library would end the process."""
    with pytest.raises(sqltext.UnparsableSql):
        sqltext.plpgsql("create function f(a int) returns int return a + 1")


def test_importing_loads_no_parser():
    import subprocess
    import sys

    code = "import sys, sbsync_tasks.checks; sys.exit('postgast' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
