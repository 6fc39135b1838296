"""Stops and remedies: every stop has a way out, what can be cured is cured at once, and nothing is lost by it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbsync_tasks.errors import ConfigError, RefusedError, SbsyncError
from sbsync_tasks.options import Options
from sbsync_tasks.plan import Put, Rerecord, goals
from sbsync_tasks.plan.conflicts import conflicts, diagnose
from sbsync_tasks.plan.model import Kind
from sbsync_tasks.state.histories import Recorded
from sbsync_tasks.state.migrations import Migration, Skipped
from sbsync_tasks.state.same_sql import key
from tests.unit.plan.world import NOW, A, B, C, World, history, recorded, sound, worlds

ROUNDS = 4  # where several conflicts meet, one may only show once another one is cured
options = st.builds(Options, reset=st.booleans(), include_all=st.booleans(), discard_local=st.just(False))


def curing(world):
    found = conflicts(world.facts, NOW)
    plan = goals.consistent(found)
    cures = [action for conflict in found for action in conflict.actions]
    assert [a for a in plan if isinstance(a, Put)] == [a for a in cures if isinstance(a, Put)]
    versions = [each for a in cures if isinstance(a, Rerecord) for each in a.versions]
    assert plan[sum(isinstance(a, Put) for a in cures) :] == ((Rerecord(tuple(versions)),) if versions else ())
    return plan


def texts(world):
    """Everything that a user could miss: files, kept ones, and what only a history holds."""
    rows = [row.text for row in (*world.local.values(), *world.remote.values()) if row.statements is not None]
    return {key(text) for text in (*(m.sql for m in world.files), *world.kept, *rows)}


@given(worlds())
def test_every_conflict_has_a_way_out(world):
    for conflict in diagnose(world.facts, NOW):
        assert conflict.what
        assert [way for way in conflict.ways if not way.title] == []
        assert conflict.ways
        assert conflict.document()["kind"] == conflict.kind.value


@given(worlds())
def test_cures_come_to_an_end_and_lose_nothing(world):
    for _ in range(ROUNDS):
        remedies = curing(world)
        after = world.after(remedies)
        assert texts(world) <= texts(after)
        assert {m.sql for m in world.files} <= {m.sql for m in after.files} | after.kept
        assert after.remote == world.remote
        world = after
        if not remedies:
            break
    assert curing(world) == ()
    left = {c.what for c in conflicts(world.facts, NOW)}
    for stop in (goals.problems_of_push, goals.problems_of_pull):
        assert {p.message for p in stop(world.state, world.facts, Options())} <= left  # what was left to the user


@given(worlds(), options)
def test_every_stop_says_what_to_do(world, chosen):
    problems = goals.problems_of_push(world.state, world.facts, chosen)
    assert [p for p in problems if not (p.message and p.hint)] == []
    if problems:
        with pytest.raises(RefusedError):
            goals.refuse(problems)
    else:
        goals.refuse(problems)


@given(sound())
def test_a_project_in_order_is_not_stopped(world):
    assert goals.problems_of_push(world.state, world.facts, Options()) == ()
    assert goals.problems_of_pull(world.state, world.facts, Options()) == ()


# --- what a pull settles by itself ---


def of_pull(world, **chosen):
    return goals.problems_of_pull(world.state, world.facts, Options(**chosen))


def test_a_pull_adopts_what_was_recorded_and_stops_for_what_was_not():
    assert of_pull(World((A,), history(recorded(A)), history(recorded(A), recorded(B)))) == ()
    bare = Recorded(B.version, "b", None)
    (problem,) = of_pull(World((A,), history(recorded(A)), history(recorded(A), bare)))
    assert f"has recorded {B.version}" in problem.message


def test_a_pull_drops_what_only_the_local_database_had_where_that_is_asked_for():
    world = World((A,), history(recorded(A), recorded(B)), history(recorded(A)))
    (problem,) = of_pull(world)
    assert problem.hint.startswith("`invoke resolve` does this: ")
    assert "`invoke reset`" in problem.hint
    assert of_pull(world, discard_local=True) == ()
    renamed = World((A, Migration(C.version, "b", B.sql)), world.local, world.remote)
    assert [c.kind for c in conflicts(renamed.facts)] == [Kind.RENAMED]
    assert len(of_pull(renamed)) == 1
    assert of_pull(renamed, discard_local=True) == ()


def test_a_pull_is_not_stopped_by_the_order_of_what_is_pending():
    world = World((A, B), history(recorded(A), recorded(B)), history(recorded(B)))
    assert of_pull(world) == ()
    assert len(goals.problems_of_push(world.state, world.facts, Options())) == 1
    assert goals.problems_of_push(world.state, world.facts, Options(include_all=True)) == ()


@pytest.mark.parametrize(
    "chosen", [{"discard_local": True, "reset": False}, {"discard_local": True, "keep_local": True}]
)
def test_flags_that_contradict_each_other(chosen):
    with pytest.raises(ConfigError, match="contradict each other"):
        goals.refuse_contradictions(Options(**chosen))
    goals.refuse_contradictions(Options(keep_local=True))


def test_a_file_with_a_transaction_of_its_own_stops_before_it_is_run_and_not_after():
    open_ended = Migration(B.version, "b", "begin;\ncreate table b (id int);\n")
    pending = World((A, open_ended), history(recorded(A)), history(recorded(A)))
    assert len(of_pull(pending)) == 1
    assert of_pull(World(pending.files, pending.local, history(recorded(A), recorded(open_ended)))) == ()


def test_what_was_edited_since_the_local_database_had_it_stops_a_run_that_keeps_that():
    world = World((A,), history(Recorded(A.version, "a", ("select 1",))), {})
    assert of_pull(world) == ()
    (problem,) = of_pull(world, reset=False)
    assert "edited after it was applied locally" in problem.message


def test_several_problems_are_told_at_once():
    two = (RefusedError("One is wrong.", "Do this."), RefusedError("Another one.", "Do that."))
    with pytest.raises(SbsyncError, match=r"(?s)2 problems have to be fixed first:\n  - One is wrong\.\n    Do this\."):
        goals.refuse(two)
    goals.refuse(())


def test_a_file_that_the_cli_would_skip_stops_both():
    state = World((A,), history(recorded(A)), history(recorded(A)))
    folder = state.state.folder.__class__((A,), (Skipped("B.SQL", "is not named <version>_<name>.sql"),))
    facts = state.facts.__class__(folder, state.local, state.remote, ways={"B.SQL": "Rename it."})
    for problems in (
        goals.problems_of_push(state.state, facts, Options()),
        goals.problems_of_pull(state.state, facts, Options()),
    ):
        (found,) = problems
        assert found.message == "supabase/migrations/B.SQL is not named <version>_<name>.sql."
        assert found.hint == "Rename it."
