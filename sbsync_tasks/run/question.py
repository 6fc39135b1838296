"""Planning, showing the plan, and asking; what the user edits is proved, and makes a new plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from ..databases.catalog import told
from ..errors import RefusedError, SbsyncError
from ..options import Options
from ..plan import Plan, Push, lines, writes_to_remote, writing
from ..plan.goals import Places, rebuilds, to_commit
from ..state import Origin, State
from ..state.histories import as_migrations
from ..state.migrations import Migration
from . import backup, commit, reset, review
from .execute import execute
from .generate import Applied
from .look import listed
from .losses import left_out
from .reset import refuse_what_stays
from .session import Done, Run


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
    """Plan, ask, and do it.

    Raises:
        RefusedError: something stands against it, or the answer was no.
    """
    return execute(run, *settled(run, state, goal))


def check_before_asking(run: Run, state: State, whose: Origin, without_commit: str) -> None:
    """Stop before anybody is asked where a rebuild or the commit at the end could not be made as planned.

    Raises:
        SbsyncError: says what stands against it.
    """
    if rebuilds(state, run.options):
        reset.refuse_unseen_loss(run, state)
        refuse_what_stays(run, state)
    commit.check(run, state, to_commit(state, whose), without_commit)


def settled(run: Run, state: State, goal: Goal) -> tuple[State, Plan]:
    """The plan, once it is approved; in a dry run, once it is shown.

    Raises:
        RefusedError: something stands against it, or the answer was no.
    """
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
    state = commit.look(run, state)
    plan = goal.of(run, state)
    if any(isinstance(action, Push) for action in plan):
        state = backup.weigh(run, state)
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


# --- what is begun before anybody is asked, and what the user edits ---


def rebuilt_ahead(run: Run, state: State) -> Applied:
    """Begin with the rebuild while the new migrations are still compared, where it takes just these."""
    known = set(state.files)

    def begin(applied: tuple[Migration, ...]) -> None:
        if known <= set(applied):
            reset.prepare(run, applied)

    return begin


def all_files_apply(run: Run, state: State) -> None:
    """See that they do, on a fresh database, in their order."""
    run.shadow(state.files, run.local_identity.major)


def apply_and_build(run: Run, state: State) -> State:
    """The same, and begin with what a rebuild will need."""
    all_files_apply(run, state)
    if rebuilds(state, run.options):
        reset.prepare(run, state.files)
    return state


def with_edits(run: Run, state: State, whose: Origin, edited: tuple[Migration, ...]) -> State:
    """Take the user's edits over, and prove them as what was generated was proved.

    Raises:
        RefusedError: a pulled migration no longer is what the remote has.
        CliError: the edited SQL cannot be applied.
    """
    state = state.joined_by(whose, edited)
    if whose is Origin.REMOTE:
        _refuse_another_remote(run, state)
    run.shadow(state.files, run.local_identity.major)
    return _left_out(run, state) if whose is Origin.LOCAL else state


def _refuse_another_remote(run: Run, state: State) -> None:
    had = (*as_migrations(state.remote_history, state.folder.migrations), *state.to_record)
    left = run.differences(run.shadow(had, run.remote_identity.major), run.remote)
    if left:
        raise RefusedError(
            "The edited migration is no longer what the remote has:\n" + listed(told(left)) + "\nNothing was changed.",
            "Pull it unedited, and put further changes into a migration of their own.",
        )


def _left_out(run: Run, state: State) -> State:
    """What the local database has and the edit has not: a rebuild drops it.

    Raises:
        RefusedError: the local database is not to be rebuilt.
    """
    base = (*as_migrations(state.local_history, state.folder.migrations), *state.unrecorded_locally)
    left = run.differences(run.shadow(base, run.local_identity.major, run.local), run.local)
    if left and not run.options.reset:
        raise RefusedError(
            "The edited migration is no longer what the local database has:\n" + listed(told(left))
            + "\nNothing was changed.",
            "Leave --no-reset out: the local database is then rebuilt from what you have written.",
        )  # fmt: skip
    return replace(state, left_out=left_out(run, left) if left else ())
