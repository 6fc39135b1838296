"""Files that were edited after they were applied, and what tells an edit from another migration."""

from __future__ import annotations

import pytest

from sbsync_tasks.plan import Put, edits
from sbsync_tasks.plan.model import Kind
from sbsync_tasks.state.histories import Recorded
from sbsync_tasks.state.migrations import Migration
from tests.unit.plan.diagnosed import moved, on_branch, one
from tests.unit.plan.world import A, B, C, recorded


def test_edited():
    edited = Migration(A.version, "a", "create table a (id bigint);\n")
    found = one([edited], [A], [A], branches=on_branch(A))
    assert found.kind is Kind.EDITED
    assert found.details == ("recorded: create table a (id int)", "in the file: create table a (id bigint)")
    assert found.actions == (Put(A, A.file_name, "branch feature (Ann, 2026-05-01)"),)
    assert "1 statement differs." in found.what


def test_statements_that_came_or_went_are_told_apart():
    longer = Migration(A.version, "a", A.sql + "select 1;\n")
    found = one([longer], [A], [A])
    assert found.details == ("added in the file: select 1",)
    shorter = recorded(A, statements=(A.sql.strip().rstrip(";"), "select 1"))
    assert one([A], [A], [shorter]).details == ("gone from the file: select 1",)


@pytest.mark.parametrize(
    ("sql", "changes"),
    [
        ("-- words\nselect 1;\n\nselect 2;;", ()),
        ("select 1; select 2; select 3 ; -- end", (("", "select 3"),)),
        ("select 1;", (("select 2", ""),)),
        ("select 0; select 1; select 2;", (("", "select 0"),)),
        ("select 1; select 'ü'; select 2; select 3", (("", "select 'ü'"), ("", "select 3"))),
        ("select 1; select 22; select 3", (("select 2", "select 22"), ("", "select 3"))),
        ("select 1; selec", (("select 1\n;\nselect 2", "select 1; selec"),)),
    ],
)
def test_the_comparison_of_statements(sql, changes):
    assert edits.compare(sql, ("select 1", "select 2")) == changes


@pytest.mark.parametrize("mine", [C, moved(C, B.version), Migration(B.version, "b", C.sql)])
def test_an_edit_is_told_from_another_migration(mine):
    """By its statements, and what they are about, rather than its name, which may be the default one."""
    assert edits.is_another(mine, recorded(B))


@pytest.mark.parametrize(
    ("sql", "name"),
    [
        ("create table b (id bigint);", "b"),  # about the same
        (f"{B.sql}create table c (id int);", "other"),  # a statement is the same
        (B.sql, "other"),
        ("select 1;", "b"),  # about nothing that is known
        ("selec", "other"),
    ],
)
def test_what_may_be_an_edit_is_one(sql, name):
    assert not edits.is_another(Migration(B.version, name, sql), recorded(B))


def test_nothing_recorded_is_nothing_else():
    assert not edits.is_another(B, None)
    assert not edits.is_another(C, Recorded(B.version, "", None))
