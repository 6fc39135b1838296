"""Taking over what the user has edited in the review."""

from __future__ import annotations

from ..databases.catalog import told
from ..errors import RefusedError
from ..state import Origin, State
from ..state.histories import as_migrations
from ..state.migrations import Migration
from ..steps.diff import listed
from ..steps.left_out import left_out
from ..steps.run import Run


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
    left = run.differences(run.shadow(base, run.local_identity.major), run.local)
    if left and not run.options.reset:
        raise RefusedError(
            "The edited migration is no longer what the local database has:\n" + listed(told(left))
            + "\nNothing was changed.",
            "Leave --no-reset out: the local database is then rebuilt from what you have written.",
        )  # fmt: skip
    return state.with_(left_out=left_out(run, left) if left else ())
