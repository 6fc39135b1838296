"""Differences in words: what differs is said, object by object."""

import pytest

from sbsync_tasks.databases.catalog import CatalogObject, Difference, told

LONG = "CREATE CONSTRAINT TRIGGER kept AFTER INSERT OR UPDATE ON public.orders_of_last_year DEFERRABLE INITIALLY "


def differs(left, right, kind="function", name="public.f()", about=""):
    return Difference(CatalogObject(kind, name, "public", about), left, right, ("here", "there"))


@pytest.mark.parametrize(
    ("left", "right", "said"),
    [
        ("a integer", "a bigint", "here a integer, there a bigint"),
        ("a\nb", "b\na", "here in the order a, b, there in the order b, a"),
        ("begin\n  a;\nend", "begin\na;  \n\nend", "in blanks and line breaks alone"),
        ("begin\nend\n", "begin\nend\n\ncomment 'c'", "here without, there comment 'c'"),
        ("a\na", "a", "here a, there without"),
        (
            f"{LONG}DEFERRED",
            f"{LONG}IMMEDIATE",
            "here …DEFERRABLE INITIALLY DEFERRED, there …DEFERRABLE INITIALLY IMMEDIATE",
        ),
    ],
)
def test_both_have_it_and_what_differs_is_said(left, right, said):
    assert told([differs(left, right)]) == [f"function public.f() differs: {said}"]


def test_no_two_sides_look_alike_however_long_they_are():
    text = "x " * 90
    (line,) = told([differs(f"{text}one {text}", f"{text}two {text}")])
    assert "one" in line
    assert "two" in line


def test_a_new_sequence_of_an_old_column_is_one_line():
    sequence, about = "sequence public.t_id_seq", "table public.t"
    found = [
        differs("integer", "integer\nidentity always", "column", "public.t.id", about),
        differs(None, "bigint start 1", "sequence", "public.t_id_seq", about),
        differs(None, "postgres", "owner", sequence, sequence),
        differs(None, "USAGE", "acl", f"anon on {sequence}", sequence),
    ]
    assert told(found) == [
        "sequence public.t_id_seq: only on there (bigint start 1)",
        "column public.t.id differs: here without, there identity always",
    ]


def test_an_index_of_a_partitioned_table_is_one_line_however_many_partitions_there_are():
    of_a_partition = differs(None, "CREATE INDEX p_a", "partition index", "public.t_a on public.p", "table public.p")
    index = differs(None, "CREATE INDEX t_a", "index", "public.t_a", "table public.t")
    assert told([index, of_a_partition]) == ["index public.t_a: only on there (CREATE INDEX t_a)"]
    assert told([of_a_partition]) == ["partition index public.t_a on public.p: only on there (CREATE INDEX p_a)"]
    renamed = differs("CREATE INDEX x", "CREATE INDEX y", "partition index", "public.t_a on public.p", "table public.p")
    assert len(told([index, renamed])) == 2


def test_all_that_comes_with_a_new_object_is_in_its_line():
    """A range type brings functions, and a foreign table an owner."""
    range_, table = "range type public.r", "foreign table public.t"
    found = [
        differs(None, "of integer", "range type", "public.r"),
        differs(None, "create function …", "function", "public.r(integer, integer)", range_),
        differs(
            None,
            "supabase_admin",
            "owner",
            "function public.r(integer, integer)",
            "function public.r(integer, integer)",
        ),
        differs(None, "server s", "foreign table", "public.t"),
        differs(None, "postgres", "owner", "table public.t", table),
    ]
    assert told(found) == ["range type public.r: only on there (of integer)", f"{table}: only on there"]
