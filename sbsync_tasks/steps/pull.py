"""What the remote has and the files have not: adopted from its history, or made from its changes."""

from __future__ import annotations

from ..errors import RefusedError
from ..state import Origin, State
from ..state.histories import Status
from ..state.migrations import Migration, next_version
from .diff import Changes
from .generate import Applied, generate, ignored, refuse_unwritable
from .run import Run


def adopt(state: State) -> State:
    """Take migrations without a file over from the remote's history, as it recorded them."""
    rows = state.rows_of(Status.MISSING)
    return state.joined_by(Origin.HISTORY, [row.remote.as_migration() for row in rows if row.remote])


def made_from(run: Run, state: State, found: Changes, name: str, applied: Applied = ignored) -> State:
    """Make migrations from the remote's changes.

    They stand after the remote's head and before the oldest pending file, so that the next push finds just the
    pending ones; where there is no room, the pending files get later versions.

    Args:
        run: The run.
        state: What is known.
        found: The remote's changes.
        name: The new migrations' name.
        applied: As for `generate`.

    Raises:
        RefusedError: there is no room, and the local database, which has a pending file, is not to be rebuilt; or not
            every change can be written.
        SbsyncError: as `generate`.
    """
    if not found.differences:
        return state
    adopted = state.made(Origin.HISTORY)
    head = [*state.remote_history, *(m.version for m in (*adopted, *found.by_hand))]
    before = min((m.version for m in state.pending), default="")
    if before and not _room(head, before):
        return _pull_before_renamed(run, state, found, name)
    taken = head if before else state.versions
    made = generate(run, run.remote, found.base, name, taken, before, applied)
    refuse_unwritable(run, "The remote", made)
    return state.joined_by(Origin.REMOTE, made.migrations)


def _room(head: list[str], before: str) -> bool:
    version = next_version(head, before=before)
    # Two seconds more, since one diff may become several files.
    return version is not None and next_version([*head, version], before=before) is not None


def _pull_before_renamed(run: Run, state: State, found: Changes, name: str) -> State:
    applied = [m for m in state.pending if m.version in state.local_history]
    if applied and not run.options.reset:
        raise RefusedError(
            f"The pulled changes come before {applied[0].file_name}, and there is no room for a version before it.",
            "That file has to get a later version, and the local database to be rebuilt: leave --no-reset out.",
        )
    made = generate(run, run.remote, found.base, name, state.versions)
    refuse_unwritable(run, "The remote", made)
    taken = [*state.versions, *(m.version for m in made.migrations)]
    later: dict[Migration, Migration] = {}
    for old in state.pending:
        version = next_version(taken) or ""
        taken.append(version)
        later[old] = Migration(version, old.name, old.sql)
    return state.joined_by(Origin.REMOTE, made.migrations).moved(later)
