"""A squash, and what only looks like one."""

from __future__ import annotations

import pytest

from sbsync_tasks.plan.conflicts import diagnose
from sbsync_tasks.plan.model import Kind
from sbsync_tasks.state.histories import Recorded
from sbsync_tasks.state.migrations import Migration
from tests.unit.plan.diagnosed import facts, moved, on_branch, one
from tests.unit.plan.world import NOW, A, B, C


@pytest.mark.parametrize("applied", [True, False])
def test_a_squash_is_explained_and_never_undone(applied):
    whole = Migration(B.version, "b", f"{A.sql}{B.sql}")
    found = one([whole, C], [whole] if applied else [A, B], [A, B, C], branches=on_branch(A))
    assert (found.kind, found.version, found.actions) == (Kind.SQUASHED, B.version, ())
    assert f"reverted {A.version}`" in found.ways[0].title
    assert f"applied {B.version}`" in found.ways[0].title


def test_a_file_that_only_the_squash_could_have_taken_in_is_no_sign_of_another_name():
    bare = Recorded(A.version, "a", None)
    whole = Migration(B.version, "b", A.sql + B.sql)
    (found,) = diagnose(facts([whole], [bare, B], [bare, B]), NOW)
    assert found.kind is Kind.SQUASHED


def test_a_file_that_is_gone_beside_an_edited_one_is_no_squash():
    edited = Migration(C.version, "c", "create table c (id bigint);")
    found = diagnose(facts([A, edited], [A, B, C], [A, B, C]), NOW)
    assert [c.kind for c in found] == [Kind.MISSING, Kind.EDITED]


def test_neither_a_renamed_file_nor_another_migration_is_a_squash():
    edited, later = Migration(B.version, "b", "create table b (id bigint);"), moved(A, C.version)
    assert [c.kind for c in diagnose(facts([edited, later], [], [A, B]), NOW)] == [Kind.RENAMED, Kind.EDITED]
    mine = moved(C, B.version)
    assert [c.kind for c in diagnose(facts([mine], [], [A, B]), NOW)] == [Kind.MISSING, Kind.DUPLICATE]


def test_pending_work_beside_lost_files_is_no_squash():
    assert [c.kind for c in diagnose(facts([C], [], [A, B]), NOW)] == [Kind.MISSING, Kind.MISSING]
