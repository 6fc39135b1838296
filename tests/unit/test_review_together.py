"""Files that are applied one after the other: what a later one puts right is not said of an earlier one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbsync_tasks.findings import changed_rows, joined, review, review_together

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
        ("alter table t rename to u", True),
        ("alter table t rename to u; alter table u enable row level security", False),
        ("drop table t", False),
        ("set search_path = app; alter table t enable row level security", True),
        ("oops (", True),
    ],
)
def test_it_is_the_table_that_counts_not_its_name(later, uncovered):
    first, _ = found(NEW, later)
    assert first == ([("table-without-rls", "public.t", 1)] if uncovered else [])


def test_an_earlier_file_neither_covers_a_new_table_nor_moves_the_search_path():
    expected = ("table-without-rls", "public.t", 1)
    assert expected in found("set search_path = app;\n", "create table t (a int)")[1]
    assert expected in found(SECURED, "drop table t", NEW)[2]


def test_a_file_may_end_without_a_semicolon_or_with_a_comment():
    texts = ["select 1", "select 2 -- two", "\ufeffdrop table t"]
    whole = review(joined(texts))
    assert not whole.blocking
    assert [f.object for f in whole.data_loss] == ["public.t"]
    assert changed_rows(joined(["update t set a = 1", "set search_path = app", "update u set a = 1"])).tables == {
        "public.t",
        "public.u",
    }


@given(st.lists(st.sampled_from([NEW, SECURED, "drop table x;", "\n\ncreate table u (a int)", "oops ("]), max_size=4))
def test_all_other_findings_are_those_of_each_file_alone(texts):
    for text, reviewed in zip(texts, review_together(texts), strict=True):
        alone = review(text)
        assert reviewed.statements == alone.statements
        left_out = set(alone.findings) - set(reviewed.findings)
        assert {f.rule for f in left_out} <= {"table-without-rls"}
        assert set(reviewed.findings) <= set(alone.findings)
