"""Planning, showing the plan, asking, and carrying it out; what the user edits is proved, and makes a new plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

from .. import plan as actions
from ..databases.catalog import compare, told
from ..errors import RefusedError, SbsyncError
from ..options import Options
from ..plan import Action, Plan, Push, lines, writes_to_remote, writing
from ..plan.goals import Places
from ..state import Origin, Side, State
from ..state.histories import as_migrations
from ..state.migrations import Migration
from . import backup, files, proof, push, reset, review
from .look import listed, look, who_answers
from .losses import left_out, weigh
from .session import Done, Run

# What can be done with an edit that a database has not.
FROM_WHAT_IS_WRITTEN = "Leave --no-reset out: the local database is then rebuilt from what you have written."
UNEDITED = "Pull it unedited, and put further changes into a migration of their own."


@dataclass(frozen=True)
class Goal:
    """What a run is for.

    Attributes:
        plan: Leads from a state there.
        review: Shows what the plan is about, and stops what must not be carried out.
        whose: The migrations that the run has made, and that the user may edit.
        major: The major version that a rebuild gives the local database.
    """

    plan: Callable[[State, Options, Places], Plan]
    review: Callable[[Run, State], None] = lambda _run, _state: None
    whose: Origin | None = None
    major: int | None = None

    def of(self, run: Run, state: State) -> Plan:
        """The plan that leads there."""
        local, remote = (run.database(side).name if side in state.sides else "" for side in ("local", "remote"))
        return self.plan(state, run.options, Places(local, remote, bool(run.settings.config.seeds), self.major))


def carry_out(run: Run, state: State, goal: Goal) -> Done:
    """Plan, ask, and do it; a RefusedError where something stands against it, or the answer was no."""
    return execute(run, *settled(run, state, goal))


def settled(run: Run, state: State, goal: Goal) -> tuple[State, Plan]:
    """The plan, once it is approved (a RefusedError where it is not); in a dry run, once it is shown."""
    edited: tuple[Migration, ...] = ()
    while True:
        try:
            if edited and goal.whose:
                state = with_edits(run, state, goal.whose, edited)
            state, plan = _planned(run, state, goal)
            edited = _asked(run, state, plan, goal) if writing(plan) else ()
        except review.DeclinedError:
            raise
        except SbsyncError as error:
            if not edited:
                raise
            edited = review.edit_again(run, edited, error)
        if not edited:
            return state, plan


def _planned(run: Run, state: State, goal: Goal) -> tuple[State, Plan]:
    state = files.look_at_git(run, state)
    plan = goal.of(run, state)
    if any(isinstance(action, Push) for action in plan):
        state = weigh(run, state)
        plan = goal.of(run, state)
    return state, plan


def _asked(run: Run, state: State, plan: Plan, goal: Goal) -> tuple[Migration, ...]:
    """Review and ask; what the user has edited, nothing where the answer was yes."""
    goal.review(run, state)
    if run.options.dry_run:
        run.console.numbered("A run would do this (nothing has been done)", lines(plan))
        return ()
    run.console.numbered("What will be done", lines(plan))
    if state.left_out:
        lost = "\n".join(f"  - {line}" for line in state.left_out)
        run.console.say(f"Your edit leaves this out of the migration, so {run.local.name} loses it:\n{lost}", "warning")
    made = state.made(goal.whose) if goal.whose else ()
    return review.approve(run, made, run.settings.protected and writes_to_remote(plan))


# --- what the user edits ---


def with_edits(run: Run, state: State, whose: Origin, edited: tuple[Migration, ...]) -> State:
    """Take the user's edits over, and prove them as what was generated was proved; an SbsyncError where they fail."""
    state = state.joined_by(whose, edited)
    if whose is Origin.LOCAL:
        database, history, had, where = run.local, state.local_history, state.unrecorded_locally, "local database"
        way_on, rebuilt = FROM_WHAT_IS_WRITTEN, run.options.reset
    else:
        database, history, had, where = run.remote, state.remote_history, state.to_record, "remote"
        way_on, rebuilt = UNEDITED, False
    base = (*as_migrations(history, state.folder.migrations), *had)
    left = run.differences(run.shadow(base, run.major(database), database), database)
    if left and not rebuilt:
        raise RefusedError(
            f"The edited migration is no longer what the {where} has:\n" + listed(told(left))
            + "\nNothing was changed.",
            way_on,
        )  # fmt: skip
    run.shadow(state.files, run.local_identity.major)
    return replace(state, left_out=left_out(run, left) if left else ())


# --- carrying it out ---

# How each action is done.
PERFORM: Mapping[type[Action], Callable[[Run, State, Any, Done], None]] = {
    actions.Write: files.write_files,
    actions.Put: files.put_file,
    actions.Rerecord: push.rerecord,
    actions.Rebuild: reset.rebuild,
    actions.BringUp: reset.bring_up,
    actions.BackUp: backup.as_planned,
    actions.Push: push.push,
    actions.Restore: backup.bring_back,
    actions.Prove: proof.prove,
    actions.Commit: files.commit,
    actions.Record: proof.record,
}


def execute(run: Run, state: State, plan: Plan) -> Done:
    """Do each action; nothing of a plan that would change something is done in a dry run.

    Refused, and nothing written, where another run is writing to the remote, or the state is another than the planned.
    """
    done = Done(state, plan)
    if run.options.dry_run and writing(plan):
        return done
    with push.writing_lock(run) if writes_to_remote(plan) else nullcontext():
        if writing(plan):
            again = who_answers if all(action.whatever_is_there for action in writing(plan)) else look
            _refuse_another_state(run, state, again(run, state.sides))
        for action in plan:
            if action.needs_proof and done.disproved:
                continue
            with run.console.step(action.step, str(action)):
                PERFORM[type(action)](run, state, action, done)
    return done


def _refuse_another_state(run: Run, state: State, now: State) -> None:
    changed = {"supabase/migrations": "its files are others" if now.folder != state.folder else ""}
    changed |= {run.database(side).label: _since(run, before, now.sides[side]) for side, before in state.sides.items()}
    for where, what in changed.items():
        if what:
            raise RefusedError(
                f"{where} has changed since this run looked at it: {what.rstrip('.')}.\nNothing was written.",
                "Run the same command again: it looks again, and makes a new plan.",
            )


def _since(run: Run, before: Side, now: Side) -> str:
    """What has changed in a database, in words; empty for nothing."""
    if before.identity != now.identity:
        return "another server answers there, or the same one was started anew"
    if versions := push.other_versions(before.history, now.history):
        return versions
    different = compare(before.catalog, now.catalog, run.claims, ("before", "now"))
    return "\n" + listed(told(different)) if different else ""
