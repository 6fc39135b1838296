"""Plans: on every state they lead to their goal, write nothing twice and lose nothing."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from sbsync_tasks.options import Options
from sbsync_tasks.plan import (
    BackUp,
    BringUp,
    Commit,
    Prove,
    Push,
    Rebuild,
    Record,
    Rerecord,
    Restore,
    Write,
    goals,
    lines,
    writes_to_remote,
    writing,
)
from sbsync_tasks.state import InGit, Origin, Risk, Side, State
from sbsync_tasks.state.histories import At, Status
from sbsync_tasks.state.migrations import Folder, Migration
from tests.unit.plan.world import A, B, World, history, recorded, sound

PLACES = goals.Places("local", "staging", seeds=True)
NEW = Migration("20260201000000", "new", "create table made_here (id int);\n")
PULLED = Migration("20260131000000", "pulled", "create table made_there (id int);\n")
options = st.builds(Options, reset=st.booleans(), commit=st.booleans(), record=st.booleans())


@st.composite
def looked_at(draw: st.DrawFn) -> tuple[World, State]:
    """A world, and what a look at both databases may find: files whose effect is there, and git."""
    world = draw(sound())
    state = world.state
    for side, lacking in (("local", state.to_apply), ("remote", state.pending)):
        count = draw(st.integers(0, len(lacking)))
        state = state.with_unrecorded(side, lacking[:count])
    lacks = draw(st.sets(st.sampled_from([m.file_name for m in world.files]))) if world.files else set()
    git = draw(st.sampled_from([None, InGit(frozenset(lacks))]))
    return world, replace(state, in_git=git)


def pushes(drawn, made: bool):
    world, state = drawn
    return world, state.joined_by(Origin.LOCAL, [NEW]) if made else state


@given(looked_at(), options, st.booleans())
def test_local_to_remote_leads_to_two_databases_that_are_what_the_files_say(drawn, chosen, made):
    world, state = pushes(drawn, made)
    plan = goals.local_to_remote(state, chosen, PLACES)
    after = world.after(plan)
    assert sorted(after.files) == sorted({*world.files, *([NEW] if made else [])})
    assert list(after.remote) == [m.version for m in sorted(after.files)]
    stale = any(e.local is At.OTHER for e in state.entries)
    if chosen.reset or not stale:  # an edited file is refused before that, without a reset
        assert list(after.local) == [m.version for m in sorted(after.files)]
        assert writing(goals.local_to_remote(after.state, Options(reset=chosen.reset), PLACES)) == ()


@given(looked_at(), options, st.booleans())
def test_nothing_is_run_where_its_effect_is(drawn, chosen, made):
    _, state = pushes(drawn, made)
    local = {e.migration for e in state.entries if e.local is At.UNRECORDED}
    remote = {e.migration for e in state.entries if e.remote is At.UNRECORDED}
    for action in goals.local_to_remote(state, chosen, PLACES):
        if isinstance(action, Push):
            assert set(action.record) == remote
            assert not remote & set(action.migrations)
        if isinstance(action, BringUp):
            assert set(action.record) == local
            assert not local & set(action.apply)


@given(looked_at(), options, st.booleans())
def test_what_is_written_is_described_before_and_stands_in_the_documents(drawn, chosen, made):
    _, state = pushes(drawn, made)
    for action in writing(goals.local_to_remote(state, chosen, PLACES)):
        assert str(action)
        told = json.dumps(action.document())
        touched = [*getattr(action, "migrations", ()), *getattr(action, "record", ()), *getattr(action, "apply", ())]
        assert [m for m in touched if m.file_name not in told] == []


@given(looked_at(), options, st.booleans())
def test_the_order_of_a_push(drawn, chosen, made):
    _, state = pushes(drawn, made)
    plan = goals.local_to_remote(state, chosen, PLACES)
    kinds = [type(action) for action in plan]
    wanted = [Write, Rebuild, BringUp, BackUp, Push, Prove, Commit]
    assert kinds == sorted(kinds, key=wanted.index)
    assert (BackUp in kinds) == (Push in kinds)
    assert not (Rebuild in kinds and BringUp in kinds)
    for action in plan:
        for files in (getattr(action, name, ()) for name in ("migrations", "record", "apply")):
            assert list(files) == sorted(files)


@given(looked_at(), options, st.booleans())
def test_remote_to_local_writes_nothing_but_history_on_the_remote(drawn, chosen, found):
    world, state = drawn
    pending = state.pending
    if found:
        later = {m: Migration(f"2026030{n}000000", m.name, m.sql) for n, m in enumerate(pending, 1)}
        state = state.joined_by(Origin.REMOTE, [PULLED]).moved(later)
    plan = goals.remote_to_local(state, chosen, PLACES)
    after = world.after(plan)
    kinds = [type(action) for action in plan]
    assert kinds == sorted(kinds, key=[Write, Rebuild, BringUp, Prove, Commit, Record].index)
    assert not {Push, BackUp} & set(kinds)
    # Nothing that is pending is dropped, and it stays pending.
    assert {m.sql for m in pending} <= {m.sql for m in after.files if m.version not in after.remote}
    assert sorted(m.sql for m in after.files) == sorted(
        {*(m.sql for m in world.files), *([PULLED.sql] if found else [])}
    )
    assert len({m.version for m in after.files}) == len(after.files)
    recorded_now = {m.version for m in state.to_record} if chosen.record else set()
    assert set(after.remote) == {*world.remote, *recorded_now}
    if chosen.reset:
        assert list(after.local) == [m.version for m in sorted(after.files)]


@given(looked_at())
def test_a_push_alone_leaves_files_and_the_local_database_alone(drawn):
    world, state = drawn
    plan = goals.push(state, Options(), PLACES)
    after = world.after(plan)
    assert (after.files, after.local) == (world.files, world.local)
    assert list(after.remote) == [m.version for m in sorted(world.files)]
    assert plan[-1] == Prove("staging", "the migration files", "remote")


@given(looked_at())
def test_a_pull_alone_only_writes_files(drawn):
    _, state = drawn
    assert goals.pull(state, Options(), PLACES) == ()
    plan = goals.pull(state.joined_by(Origin.REMOTE, [PULLED]), Options(), PLACES)
    assert plan == (Write((PULLED,)),)


@given(looked_at())
def test_a_reset_leaves_the_local_database_with_the_files_and_all_else_alone(drawn):
    world, state = drawn
    plan = goals.reset(state, Options(), goals.Places("local", "", seeds=True, major=15))
    after = world.after(plan)
    assert (after.files, after.remote) == (world.files, world.remote)
    assert list(after.local) == [m.version for m in sorted(world.files)]
    assert plan == (Rebuild("local", state.files, seeds=True, major=15), Prove("local", "the migration files", "local"))


@given(looked_at(), options)
def test_what_is_shown_is_what_is_done_and_the_remote_is_locked_where_it_is_written_to(drawn, chosen):
    _, state = drawn
    for goal in (goals.local_to_remote, goals.remote_to_local, goals.push, goals.pull, goals.reset, goals.commit):
        plan = goal(state, chosen, PLACES)
        assert lines(plan) == tuple(str(action) for action in plan if not isinstance(action, Prove))
        assert writes_to_remote(plan) == any(isinstance(action, Push | Record) for action in plan)


# --- what is rebuilt ---


def test_changes_that_are_dropped_rebuild_a_database_that_is_up_to_date():
    state = World((A,), history(recorded(A)), history(recorded(A))).state
    assert not goals.rebuilds(state, Options())
    assert goals.rebuilds(replace(state, local_changed=True), Options())
    assert not goals.rebuilds(replace(state, local_changed=True), Options(reset=False))


def test_a_version_that_only_the_local_database_has_rebuilds_it():
    state = World((A,), history(recorded(A), recorded(B)), history(recorded(A))).state
    (rebuild, _) = goals.local_to_remote(state, Options(), PLACES)
    assert rebuild == Rebuild("local", (A,), seeds=True)


# --- what is committed ---


def committed(state, goal=goals.local_to_remote, **chosen):
    found = [a for a in goal(state, Options(commit=True, **chosen), PLACES) if isinstance(a, Commit)]
    return found[0] if found else None


def pending_b(lacks=(), had=()):
    world = World((A, B), history(recorded(A), recorded(B)), history(recorded(A)))
    return replace(
        world.state, in_git=InGit(frozenset(m.file_name for m in lacks), frozenset(m.file_name for m in had))
    )


def test_a_push_commits_what_it_brings_and_what_a_run_that_was_cut_off_has_left():
    assert committed(pending_b(lacks=[B])) == Commit((B,), goals.LOCAL_CHANGES)
    assert committed(pending_b(lacks=[A, B])).migrations == (A, B)
    assert committed(pending_b()) is None
    assert committed(replace(pending_b(lacks=[B]), in_git=None)) is None


def test_what_the_user_has_not_committed_is_not_committed_with_a_new_version():
    later = Migration("20260301000000", B.name, B.sql)
    moved = pending_b(lacks=[B]).joined_by(Origin.REMOTE, [PULLED]).moved({B: later})
    assert committed(moved, goals.remote_to_local) == Commit((PULLED,), goals.REMOTE_CHANGES)
    known = pending_b(had=[B]).joined_by(Origin.REMOTE, [PULLED]).moved({B: later})
    assert committed(known, goals.remote_to_local).migrations == (PULLED, later)


def alone(state, **chosen):
    return goals.commit(state, Options(**chosen), PLACES)


def test_a_commit_alone_takes_what_git_lacks_but_what_seems_secret():
    git = InGit(frozenset([A.file_name, B.file_name]), gone=("20250101000000_a.sql",))
    state = replace(pending_b(), in_git=git)
    assert alone(state) == (Commit((A, B), "Add 2 migrations", git.gone),)
    assert str(alone(state)[0]) == f"commit {A.file_name}, {B.file_name}, 20250101000000_a.sql (its old name)"
    held = replace(state, in_git=replace(git, secret=frozenset([B.file_name])))
    assert alone(held, message="Mine") == (Commit((A,), "Mine", git.gone),)
    assert alone(held)[0].message == "Add migration a"  # nobody has said whose changes these are
    assert alone(pending_b()) == alone(replace(pending_b(), in_git=None)) == ()


def test_what_is_not_to_be_committed_is_not():
    assert not [a for a in goals.local_to_remote(pending_b(lacks=[B]), Options(), PLACES) if isinstance(a, Commit)]


# --- the state ---


def test_edits_take_the_place_of_what_was_made():
    state = World((A,), history(recorded(A)), history(recorded(A))).state.joined_by(Origin.LOCAL, [NEW])
    edited = Migration(NEW.version, NEW.name, "select 1;\n")
    assert state.joined_by(Origin.LOCAL, [edited]).files == (A, edited)


def test_a_look_that_finds_nothing_leaves_the_entries_as_they_are():
    state = pending_b()
    assert state.with_unrecorded("remote", []).entries == state.entries
    assert state.rows_of(Status.PENDING) == (state.rows[1],)
    assert state.versions.count(B.version) == 2  # the file's, and the local database's


def test_a_database_that_nobody_looked_at_counts_as_being_where_the_other_one_is():
    folder, had = Folder((A, B), ()), Side(history(recorded(A)))
    for side in ("local", "remote"):
        state = State.of(folder, {side: had})
        assert [(e.local, e.remote) for e in state.entries] == [(At.SAME, At.SAME), (At.NOT, At.NOT)]
    assert State.of(folder, {}).pending == (A, B)


def test_what_is_adopted_is_known_to_the_database_that_has_it():
    state = World((), history(recorded(A)), history(recorded(A), recorded(B))).state
    adopted = state.joined_by(Origin.HISTORY, [A, B])
    assert [(e.local, e.remote) for e in adopted.entries] == [(At.SAME, At.SAME), (At.NOT, At.SAME)]
    assert (adopted.pending, adopted.to_record, adopted.to_write) == ((), (), (A, B))


def test_a_file_that_is_moved_twice_is_renamed_once():
    once, twice = (Migration(f"2026030{n}000000", B.name, B.sql) for n in (1, 2))
    state = pending_b().moved({B: once}).moved({once: twice})
    assert state.renamed == ((B, twice),)
    assert state.to_apply == (twice,)  # the local database has recorded it under another version
    made = state.joined_by(Origin.LOCAL, [NEW]).moved({NEW: Migration("20260401000000", NEW.name, NEW.sql)})
    assert made.renamed == ((B, twice),)  # what is not written yet only gets another version


# --- the words ---


def test_the_words_of_a_plan():
    many = tuple(Migration(f"2026010{n}000000", "m", "") for n in range(1, 6))
    said = "5 migrations (20260101000000_m.sql … 20260105000000_m.sql) into supabase/migrations"
    assert str(Write(many)).endswith(said)
    assert str(Push("staging", (A,), (B,))) == (
        "record 20260101000000_a.sql in its history, not run again: it has their effect, then push "
        "20260102000000_b.sql to staging"
    )
    assert str(Push("staging", (A,), ())).startswith("staging: record")
    assert str(BringUp("local", (A,), ())).endswith("its data stays")
    assert str(BringUp("local", (), (A,))).startswith("back up local, then apply")
    assert str(Rebuild("local", (A,), seeds=False)) == "back up local, rebuild it from 1 migration"
    assert str(Rebuild("local", (A, B), seeds=True)).endswith("from 2 migrations and run the seeds")
    assert str(Commit((A,), "")) == "commit 20260101000000_a.sql"
    assert str(Record("staging", (A,))).endswith("in the history of staging (nothing else is written there)")
    assert str(Prove("local", "staging")) == "compare local with staging"
    one, two = ("1", "2"), ("3", "4")
    assert str(Rerecord((one,))) == "record 1 as 2 in the local database's history; the row is kept"
    assert str(Rerecord((one, two))) == "record 1 as 2 and 3 as 4 in the local database's history; the rows are kept"


def test_the_words_of_a_restore():
    whole = Restore("2026-local", "local", "schema, history", roles=("app",))
    assert str(whole) == (
        "make local what it was in the backup: schema, history; make the roles that it lacks, without passwords: app"
    )
    rows = Restore("2026-local", "local", "public.a (3)", ("public.a",))
    assert str(rows) == "put the rows of the backup in the place of those in local: public.a (3)"
    scratch = Restore("2026-local", "restored", "schema", scratch=True, replaces=True, loose=True)
    assert str(scratch).startswith("make a scratch database that holds the backup: schema; throw away the scratch")
    assert str(scratch).endswith("; leave out foreign keys, since rows that they point to may be missing")
    assert scratch.document()["scratch"] is True


def test_a_backup_says_which_rows_it_keeps():
    tables = tuple(f"public.t{n}" for n in range(7))
    assert str(BackUp("staging", Risk())) == "back up staging: schema, roles, history"
    assert str(BackUp("staging", Risk(None, "9 MB"))).endswith(", and every row (9 MB)")
    assert str(BackUp("staging", Risk(tables[:2], "8 kB"))).endswith("the rows of public.t0, public.t1 (8 kB)")
    assert "public.t4 and 2 more (" in str(BackUp("staging", Risk(tables, "9 MB")))
    assert str(BackUp("local", Risk(None), "local", "before-restore")).endswith(", and every row")
    assert BackUp("staging", Risk(None, "9 MB")).document()["risk"] == {"tables": None, "size": "9 MB"}
