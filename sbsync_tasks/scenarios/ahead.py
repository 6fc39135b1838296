"""What a run begins with before anybody was asked: shadows, and the database that a rebuild would put in place."""

from __future__ import annotations

from ..plan.goals import rebuilds
from ..state import State
from ..state.migrations import Migration
from ..steps import reset
from ..steps.generate import Applied
from ..steps.run import Run


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
