"""What is a conflict and what is none; what is only explained."""

from __future__ import annotations

import pytest

from sbsync_tasks.databases.catalog import CatalogObject, Difference
from sbsync_tasks.plan.conflicts import diagnose
from sbsync_tasks.plan.model import Facts, Kind
from sbsync_tasks.plan.partly import Leftovers
from sbsync_tasks.state.migrations import Skipped
from tests.unit.plan.diagnosed import facts, on_branch, one
from tests.unit.plan.world import NOW, A, B, recorded


@pytest.mark.parametrize(
    ("files", "local", "remote"),
    [
        ([A, B], [A, B], [A, B]),
        ([A, B], [A, B], [A]),  # pending
        ([A, B], [A], [A, B]),  # not applied locally
        ([A, B], [A], [A]),
        ([A, B], [A, recorded(B, statements=("select 1",))], [A]),  # edited since it was applied locally
        ([], [], []),
        ([A], [], []),
    ],
)
def test_what_the_scenarios_do_by_themselves_is_no_conflict(files, local, remote):
    assert diagnose(facts(files, local, remote), NOW) == ()


def test_a_misnamed_file_is_explained():
    skipped = Skipped("add things.sql", "is not named <version>_<name>.sql")
    found = one([A], [A], [A], misnamed=(skipped,), ways={"add things.sql": "`mv it`"})
    assert (found.kind, found.name, found.actions) == (Kind.MISNAMED, "add things.sql", ())
    assert found.what == "supabase/migrations/add things.sql is not named <version>_<name>.sql."
    assert found.ways[0].title == "`mv it`"


def test_a_first_pull_with_history():
    found = one([], [], [A, B], branches=on_branch(B))
    assert (found.kind, found.actions) == (Kind.FIRST_PULL, ())
    assert "2 recorded migrations" in found.what
    assert "remote-to-local" in found.ways[0].title
    assert "Branch feature" in found.ways[1].title


def test_a_first_pull_without_history():
    assert one([], [], [], drift=("table public.t: only there",)).kind is Kind.FIRST_PULL


def test_an_empty_folder_with_local_work_is_no_first_pull():
    assert [c.kind for c in diagnose(facts([], [A, B], [A]), NOW)] == [Kind.MISSING, Kind.LOCAL_ONLY]


def test_drift():
    found = one([A], [A], [A], drift=("table public.t: only there",))
    assert (found.kind, found.details, found.actions) == (Kind.DRIFT, ("table public.t: only there",), ())


def test_what_a_push_that_failed_has_left_is_told_with_the_way_on():
    broken = Difference(CatalogObject("index", "public.i"), None, "CREATE INDEX i\ninvalid")
    made, left = facts([A], [A], [A]), Leftovers("staging", (broken,))
    lines = ("index public.i: only on staging",)
    (found,) = diagnose(Facts(made.folder, made.local, made.remote, "staging", drift=lines, left=left), NOW)
    assert "A push that failed leaves such things. Invalid, and used by no query: public.i." in found.what
    assert found.ways[0].title.startswith("The way on:\n  1. Run on staging: `drop index concurrently")
