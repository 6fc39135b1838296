"""One version for two migrations, of which there are two files, one, or none."""

from __future__ import annotations

import pytest

from sbsync_tasks.plan import Put, Rerecord
from sbsync_tasks.plan.conflicts import diagnose
from sbsync_tasks.plan.model import Kind
from sbsync_tasks.state.migrations import Migration
from tests.unit.plan.diagnosed import NEW, facts, moved, on_branch, one
from tests.unit.plan.world import NOW, A, B, C


def test_a_duplicate_of_what_was_applied():
    twin = Migration(B.version, "aa", C.sql)
    found = one([A, B, twin], [A, B], [A, B])
    assert (found.kind, found.actions) == (Kind.DUPLICATE, (Put(moved(twin, NEW), twin.file_name),))


def test_duplicates_of_which_none_was_applied():
    twin = Migration(B.version, "a_first", C.sql)
    assert one([A, B, twin], [A], [A]).actions == (Put(moved(B, NEW), B.file_name),)


def test_duplicates_each_of_which_one_database_has():
    twin = Migration(B.version, "twin", C.sql)
    found = one([A, B, twin], [A, twin], [A, B])
    assert found.actions == (Put(moved(twin, NEW), twin.file_name), Rerecord(((B.version, NEW),)))


def test_late_duplicates_all_move():
    twin = Migration(A.version, "twin", C.sql)
    found = one([A, twin, B], [B], [B])
    assert [a.migration.file_name for a in found.actions] == [f"{NEW}_a.sql", "20260601000001_twin.sql"]


@pytest.mark.parametrize("rows", [[], [B]])
def test_of_two_equal_files_only_the_user_knows_the_superfluous_one(rows):
    twin = Migration(B.version, "twin", f"-- the same\n{B.sql}")
    assert one([A, B, twin], [A, *rows], [A, *rows]).actions == ()


def test_a_duplicate_of_an_edited_file_is_told_by_the_name():
    edited, twin = Migration(B.version, "b", "select 1;"), Migration(B.version, "twin", C.sql)
    assert one([A, edited, twin], [A], [A, B]).actions == (Put(moved(twin, NEW), twin.file_name),)
    other = Migration(B.version, "other", "select 1;")
    assert one([A, other, twin], [A], [A, B]).actions == ()


@pytest.mark.parametrize("name", ["b", "mine"])
@pytest.mark.parametrize("applied", [True, False])
def test_of_two_migrations_of_one_version_neither_is_dropped(name, applied):
    mine = Migration(B.version, name, C.sql)
    found = one([A, mine], [A, mine] if applied else [A, B], [A, B], branches=on_branch(B))
    assert found.kind is Kind.DUPLICATE
    rerecord = (Rerecord(((B.version, NEW),)),) if applied else ()
    assert found.actions == (
        Put(moved(mine, NEW), mine.file_name), *rerecord, Put(B, source="branch feature (Ann, 2026-05-01)"),
    )  # fmt: skip
    assert "gets a later version" in found.ways[0].title


def test_a_file_that_was_renamed_over_another_one_is_not_applied_twice():
    over = Migration(C.version, "b", B.sql)
    found = diagnose(facts([A, over], [A, B, C], [A, B, C]), NOW)
    assert [c.kind for c in found] == [Kind.MISSING, Kind.EDITED]
    assert [a.migration.version for c in found for a in c.actions] == [B.version, C.version]


def test_what_builds_upon_a_migration_that_moves_stays_behind_it():
    mine, next_one = Migration(B.version, "b", C.sql), Migration(str(int(B.version) + 1), "next", "select 1;")
    found = one([A, mine, next_one], [A], [A, B])
    assert [a.migration.file_name for a in found.actions] == [f"{NEW}_b.sql", "20260601000001_next.sql", B.file_name]


def test_two_recorded_migrations_of_one_version_without_a_file():
    mine = Migration(B.version, "b", C.sql)
    found = one([A], [A, mine], [A, B])
    assert found.kind is Kind.MISSING
    new, rerecord, back = found.actions
    assert (new.migration.file_name, rerecord) == (f"{NEW}_b.sql", Rerecord(((B.version, NEW),)))
    assert "create table c" in new.migration.sql
    assert (back.migration.version, "create table b" in back.migration.sql) == (B.version, True)
