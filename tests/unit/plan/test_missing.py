"""What is recorded and has no file: the remote's, and what only the local database has."""

from __future__ import annotations

from sbsync_tasks.plan import Put, Rerecord
from sbsync_tasks.plan.conflicts import asks_branches, diagnose
from sbsync_tasks.plan.model import Kind
from sbsync_tasks.state.histories import Recorded
from sbsync_tasks.state.migrations import Migration
from tests.unit.plan.diagnosed import NEW, facts, moved, on_branch, one
from tests.unit.plan.world import NOW, A, B, C


def test_missing_with_a_branch_that_has_it():
    on_it = Migration(B.version, "b", f"-- Ann's.\n{B.sql}")
    found = one([A], [A], [A, B], branches=on_branch(on_it))
    assert (found.kind, found.version, found.name) == (Kind.MISSING, B.version, "b")
    assert "Branch feature (Ann, 2026-05-01) has had it, with these very statements." in found.what
    assert found.actions == (Put(on_it, source="branch feature (Ann, 2026-05-01)"),)


def test_missing_with_a_branch_that_has_something_else():
    found = one([A], [A], [A, B], branches=on_branch(Migration(B.version, "b", "select 1;")))
    assert "has a file of it, with other statements" in found.what
    (put,) = found.actions
    assert put.source == "the history of staging"
    assert put.migration == Migration(B.version, "b", "create table b (id int);\n\n")


def test_missing_where_no_branch_was_looked_at_says_nothing_of_branches():
    assert "branch" not in one([A], [A], [A, B]).what
    assert "No branch has had it." in one([A], [A], [A, B], branches={B.version: {}}).what


def test_missing_without_statements():
    bare = Recorded(B.version, "b", None)
    assert one([A], [A], [A, bare], branches={B.version: {}}).actions == ()
    found = one([A], [A], [A, bare], branches=on_branch(B))
    assert "taken at its word" in found.what
    assert found.actions[0].migration == B


def test_what_is_recorded_as_a_version_and_is_none_is_left_to_the_user():
    found = one([A], [A], [A, Recorded("latest", "b", ("select 1",))])
    assert (found.kind, found.actions) == (Kind.MISSING, ())
    assert "delete from supabase_migrations.schema_migrations where version = 'latest';" in found.ways[0].title


def test_a_version_without_a_name_gets_an_empty_file():
    found = one([A], [A], [A, Recorded(B.version, "", None)], branches={B.version: {}})
    (put,) = found.actions
    assert put.migration.file_name == f"{B.version}_unknown.sql"
    assert all(line.startswith("--") for line in put.migration.sql.splitlines())
    assert "`invoke remote-to-local`" in found.ways[0].title


def test_recorded_only_locally():
    found = one([A], [A, B], [A])
    assert found.kind is Kind.LOCAL_ONLY
    assert found.actions == (
        Put(Migration(B.version, "b", "create table b (id int);\n\n"), "", found.actions[0].source),
    )
    assert "local database" in found.actions[0].source
    assert "invoke reset" in found.ways[1].title


def test_recorded_only_locally_and_too_late():
    found = one([C], [C, B], [C], branches=on_branch(B))
    put = Put(moved(B, NEW), source="branch feature (Ann, 2026-05-01)")
    assert found.actions == (put, Rerecord(((B.version, NEW),)))


def test_what_stays_pending_and_is_brought_back_moves_with_what_it_comes_after():
    tight = moved(C, str(int(B.version) + 1))
    found = diagnose(facts([A, B], [B, tight], [B]), NOW)
    late, lost = (c.actions for c in found)
    assert late == (Put(moved(A, NEW), A.file_name),)
    (put, rerecord) = lost
    assert put.migration == Migration("20260601000001", "c", "create table c (id int);\n\n")
    assert rerecord == Rerecord(((tight.version, "20260601000001"),))


def test_which_versions_are_worth_looking_for():
    edited = Migration(A.version, "a", "select 1;")
    assert asks_branches(facts([edited, C], [A], [A, B])) == (A.version, B.version)
