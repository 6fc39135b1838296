"""Files that were renamed after they were applied."""

from __future__ import annotations

from sbsync_tasks.plan import Put, Rerecord
from sbsync_tasks.plan.conflicts import diagnose
from sbsync_tasks.plan.model import Kind
from sbsync_tasks.state.histories import Recorded
from sbsync_tasks.state.migrations import Migration
from tests.unit.plan.diagnosed import facts, moved, one
from tests.unit.plan.world import NOW, A, B, C


def test_renamed_after_the_remote_had_it():
    other = Migration(C.version, "b_now", B.sql)
    found = one([A, other], [A, other], [A, B])
    assert found.kind is Kind.RENAMED
    back = Migration(B.version, "b_now", B.sql)
    assert found.actions == (Put(back, other.file_name), Rerecord(((other.version, B.version),)))


def test_renamed_after_only_the_local_database_had_it():
    other = moved(B, C.version)
    found = one([A, other], [A, B], [A])
    assert (found.kind, found.actions) == (Kind.RENAMED, (Rerecord(((B.version, other.version),)),))


def test_a_late_file_renamed_by_hand_is_only_recorded_anew():
    other = moved(A, B.version)
    assert one([C, other], [C, A], [C]).actions == (Rerecord(((A.version, other.version),)),)


def test_a_row_without_statements_is_nobodys_other_name():
    found = diagnose(facts([A, C], [A], [A, Recorded(B.version, "b", None)]), NOW)
    assert [c.kind for c in found] == [Kind.MISSING]
