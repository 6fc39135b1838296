"""Files out of order, and the later versions that they get."""

from __future__ import annotations

import pytest

from sbsync_tasks.plan import Put, Rerecord
from sbsync_tasks.plan.conflicts import diagnose
from sbsync_tasks.plan.model import Kind
from sbsync_tasks.plan.numbering import Pending, renumber
from sbsync_tasks.state.migrations import Migration
from tests.unit.plan.diagnosed import NEW, facts, moved, one
from tests.unit.plan.world import NOW, A, B, C, recorded


def test_out_of_order():
    found = one([A, B], [B], [B])
    assert (found.kind, found.actions) == (Kind.OUT_OF_ORDER, (Put(moved(A, NEW), A.file_name),))
    assert "--include-all" in found.ways[1].title


@pytest.mark.parametrize("had", [A, recorded(A, statements=("select 1",))])
def test_out_of_order_and_applied_locally(had):
    assert one([A, B], [had, B], [B]).actions == (Put(moved(A, NEW), A.file_name), Rerecord(((A.version, NEW),)))


def test_several_late_files_keep_their_order_and_stand_before_what_is_pending():
    late = Migration("20990101000000", "z", "select 1;")
    found = diagnose(facts([A, B, C, late], [], [C]), NOW)
    assert [a.migration.file_name for c in found for a in c.actions] == [f"{NEW}_a.sql", "20260601000001_b.sql"]


def numbers(*pending, head=C.version, known=()):
    taken = {head, *known, *(p.migration.version for p in pending)}
    return [[new.file_name for _, new in group] for group in renumber(pending, taken, now=NOW).values()]


def pending(version, name, moves=False):
    return Pending(Migration(version, name, ""), f"{version}_{name}.sql", moves)


def test_what_stays_is_left_alone():
    assert numbers(pending("20260801000000", "z"), pending(A.version, "late", moves=True)) == [[f"{NEW}_late.sql"]]


def test_without_room_what_comes_after_moves_too():
    tight = str(int(C.version) + 1)
    found = numbers(pending(tight, "z"), pending(A.version, "late", moves=True))
    assert found == [[f"{NEW}_late.sql", "20260601000001_z.sql"]]


def test_what_moves_itself_bounds_no_other():
    found = numbers(pending(A.version, "late", moves=True), pending("20260401000000", "twice", moves=True))
    assert found == [[f"{NEW}_late.sql"], ["20260601000001_twice.sql"]]


def test_a_version_that_is_taken_is_never_given():
    found = numbers(pending(A.version, "late", moves=True), known=[NEW, "20260701000000"])
    assert found == [["20260701000001_late.sql"]]


def test_of_one_version_the_file_that_stays_is_first():
    found = numbers(pending("20260801000000", "z"), pending("20260801000000", "a", moves=True))
    assert found == [["20260801000001_a.sql"]]
