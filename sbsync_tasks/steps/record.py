"""Recording pulled versions in the remote's history, named one by one: a pull's only write to the remote."""

from __future__ import annotations

from ..plan.actions import Record
from ..state import State
from .done import Done
from .marking import mark_applied
from .push import refuse_other_histories
from .run import Run
from .verify import histories_again


def record(run: Run, state: State, action: Record, done: Done) -> None:
    """Mark the migrations whose effect the remote has as applied there.

    Raises:
        RefusedError: another run has written there since the plan was made; nothing was changed.
        CliError: they could not be recorded.
    """
    refuse_other_histories(run, state)
    mark_applied(run, run.remote, action.migrations)
    done.recorded = tuple(m.version for m in action.migrations)
    if done.proof:
        done.proof = histories_again(run, state, done.proof)
