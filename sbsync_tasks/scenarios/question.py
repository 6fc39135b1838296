"""Planning, showing the plan, and asking; what the user edits is proved, and makes a new plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..errors import SbsyncError
from ..plan.actions import Plan, Push, lines, writes_to_remote, writing
from ..plan.goals import Places
from ..plan.options import Options
from ..state import Origin, State
from ..state.migrations import Migration
from ..steps import backup, commit, review
from ..steps.run import Run
from .edits import with_edits


@dataclass(frozen=True)
class Goal:
    """What a run is for.

    Attributes:
        plan: Leads from a state there.
        whose: The migrations that the run has made, and that the user may edit.
        review: Shows what the plan is about, and stops what must not be carried out.
    """

    plan: Callable[[State, Options, Places], Plan]
    whose: Origin
    review: Callable[[Run, State], None]


def places(run: Run) -> Places:
    """What the databases of a run are called."""
    return Places(run.local_label and run.local.name, run.remote.name, bool(run.settings.config.seeds))


def settled(run: Run, state: State, goal: Goal) -> tuple[State, Plan]:
    """The plan, once it is approved; in a dry run, once it is shown.

    Raises:
        RefusedError: something stands against it, or the answer was no.
    """
    edited: tuple[Migration, ...] = ()
    while True:
        try:
            if edited:
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
    state = commit.look(run, state)
    plan = goal.plan(state, run.options, places(run))
    if any(isinstance(action, Push) for action in plan):
        state = backup.weigh(run, state)
        plan = goal.plan(state, run.options, places(run))
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
    return review.approve(run, state.made(goal.whose), run.settings.protected and writes_to_remote(plan))
