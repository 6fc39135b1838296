"""Transactions that a file opens or ends by itself: complete ones pass, all others are refused with their line."""

import pytest

from sbsync_tasks.checks import review, transactions
from sbsync_tasks.checks.transactions import faults
from sbsync_tasks.state.migrations import Migration

COMPLETE = [
    "begin;\nselect 1;\ncommit;",
    "BEGIN TRANSACTION ISOLATION LEVEL SERIALIZABLE; select 1; END WORK",
    "start transaction; select 1; rollback; begin; select 2; commit",
    "begin; begin; select 1; commit",  # a warning of PostgreSQL's, and nothing else
    "begin; savepoint a; select 1; rollback to a; release savepoint a; abort",
    "begin; commit and chain; select 1; commit and no chain",
    "create function f() returns int language sql begin atomic select 1; select 2; end;\nselect 1",
    "create procedure p() language plpgsql as $$ begin commit; end $$; call p()",
    "do $$ begin commit; end $$; select 1",
    "prepare q as select 1; deallocate q",
    "comment on table t is 'x; commit; begin;'; -- ; begin;\n/* ; commit; */ select 1",
    "set transaction isolation level serializable",
    "select 1; nonsense; begin",  # fails wherever it is run
    "select 'open; begin",
    "",
]


@pytest.mark.parametrize("sql", COMPLETE)
def test_complete_ones_pass(sql):
    assert faults(sql) == ()
    assert transactions.problem(Migration("1", "a", sql)) == ""


@pytest.mark.parametrize(
    ("sql", "lines", "word"),
    [
        ("select 1;\ncommit;\nbegin;\nselect 2;\n", [2, 3], "ends"),
        ("begin;\nselect 1", [1], "opens"),
        ("select 1;\n\n/* x */ START TRANSACTION READ WRITE", [3], "opens"),
        ("select 1;\nCOMMIT", [2], "ends"),
        ("select 1;\nend", [2], "ends"),
        ("rollback work;\nselect 1", [1], "ends"),
        ("select 1;\nabort", [2], "ends"),
        ("select 1;\ncommit and chain", [2], "ends"),
        ("begin;\nselect 1;\ncommit and chain;\nselect 2", [3], "opens"),
        ("begin;\nrollback and chain", [2], "opens"),
        ("begin;\nselect 1;\ncommit;\ncommit", [4], "ends"),
        ("savepoint a;\nselect 1", [1], "needs"),
        ("rollback to a", [1], "needs"),
        ("begin;\nselect 1;\nprepare transaction 'x'", [3, 1], "two-phase"),
        ("commit prepared 'x'", [1], "two-phase"),
        ("rollback prepared 'x'", [1], "two-phase"),
        ("\ufeffselect 1;\r\ncommit;\r\n", [2], "ends"),
        ("create function f() returns int language sql begin atomic select 1; end;\nbegin", [2], "opens"),
    ],
)
def test_all_others_are_faults_with_their_line(sql, lines, word):
    found = faults(sql)
    assert [f.line for f in found] == lines
    assert word in found[0].why
    assert f"1_a.sql, line {lines[0]}: `" in transactions.problem(Migration("1", "a", sql))
    assert [f.rule for f in review(sql).findings if f.rule == "open-transaction"] == ["open-transaction"] * len(lines)


def test_the_statement_itself_is_shown_where_several_stand_on_a_line():
    (found,) = [f for f in review("begin; drop table t").findings if f.rule == "open-transaction"]
    assert found.statement == "begin"


@pytest.mark.parametrize("sql", COMPLETE[:6])
def test_a_complete_one_is_noted_as_not_atomic(sql):
    (note,) = [f for f in review(sql).findings if f.rule == "explicit-transaction"]
    assert "not applied all or nothing" in note.why


@pytest.mark.parametrize(
    ("sql", "lines"),
    [
        ("begin;\nselect 1;\nrollback", [(3, 1)]),
        ("begin;\nselect 1;\ncommit;\nbegin;\nselect 2;\nabort", [(6, 4)]),
        ("begin;\ncommit and chain;\nselect 1;\nrollback", [(4, 2)]),
        ("begin; savepoint a; select 1; rollback to a; commit", []),
        ("begin;\nselect 1;\ncommit", []),
    ],
)
def test_what_a_rollback_takes_back_is_noted(sql, lines):
    found = [f for f in review(sql).findings if f.rule == "taken-back"]
    assert [(f.line, f"from line {begun} on" in f.why) for f, (_, begun) in zip(found, lines, strict=True)] == [
        (line, True) for line, _ in lines
    ]


def test_a_text_without_them_is_not_parsed(mocker):
    parse = mocker.spy(transactions, "parse")
    assert faults("create table of_this_test (begin_at int, a text default 'begin;'); select 1") == ()
    assert parse.call_count == 0
