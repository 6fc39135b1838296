"""From the remote to the local database and git, and `pull` alone."""

from __future__ import annotations

from dataclasses import replace

from ..console import counted
from ..databases import FileFailedError
from ..databases.catalog import told
from ..errors import RefusedError
from ..plan import goals
from ..state import Origin, State
from ..state.histories import Status
from ..state.migrations import Migration, next_version
from . import commit, review
from .execute import execute
from .generate import Applied, generate, ignored, refuse_unwritable
from .look import Changes, changes, facts, listed, look
from .push import refuse_leftovers
from .question import Goal, all_files_apply, apply_and_build, carry_out, check_before_asking, rebuilt_ahead
from .session import Done, Run

WITHOUT_COMMIT = "run it with --no-commit"


def remote_to_local(run: Run) -> Done:
    """Bring the remote's changes to the files, the local database and git, and prove it."""
    goals.refuse_contradictions(run.options)
    if run.options.reset:
        run.refuse_config()
    state = look(run)
    run.introduce()
    with run.console.step("preflight", f"look at {run.local.name} and its history"):
        state = _local_changes(run, _adopted(run, state))
    with run.console.step("pull", f"compare {run.remote.name} with a shadow of its history"):
        state = _pulled(run, state, rebuilt_ahead(run, state))
    with run.console.step("diff", f"build a shadow from {counted(len(state.files), 'migration')}"):
        state = _applied(run, state)
    return carry_out(run, state, Goal(goals.remote_to_local, _review, Origin.REMOTE))


def pull(run: Run) -> Done:
    """Write the remote's changes into the folder; nothing else is changed, so nobody is asked."""
    state = look(run)
    run.introduce()
    with run.console.step("preflight", f"look at {run.remote.name} and its history"):
        state = _adopted(run, state)
    with run.console.step("pull", f"compare {run.remote.name} with a shadow of its history"):
        state = _pulled(run, state, ignored)
        _refuse_renaming(state)
        _show(run, state)
    with run.console.step("diff", f"build a shadow from {counted(len(state.files), 'migration')}"):
        all_files_apply(run, state)
    return execute(run, state, Goal(goals.pull).of(run, state))


def _adopted(run: Run, state: State) -> State:
    goals.refuse(goals.problems_of_pull(state, facts(run, state), run.options))
    return adopt(state)


def _local_changes(run: Run, state: State) -> State:
    found = changes(run, state, "local")
    options = run.options
    state = state.with_unrecorded("local", found.by_hand)
    if not found.differences or options.discard_local:
        return replace(state, local_changed=bool(found.differences))
    if not options.keep_local:
        raise RefusedError(
            f"{run.local.label} has changes that no migration records:\n" + listed(told(found.differences)),
            _ways_with(run, state, found),
        )
    made = generate(run, run.local, found.base, "local_changes", state.versions)
    refuse_unwritable(run, "The local database", made)
    return state.joined_by(Origin.LOCAL, made.migrations)


def _ways_with(run: Run, state: State, here: Changes) -> str:
    """What can be done with local changes; a push is no way where the remote has changed as well."""
    there = changes(run, state, "remote")
    if not there.differences:
        return (
            "--keep-local records them as a migration first, --discard-local drops them (after a backup), "
            "`invoke local-to-remote` pushes them."
        )
    both = ({(d.object, d.left, d.right) for d in found.differences} for found in (here, there))
    if next(both) == next(both):
        return (
            f"{run.remote.name} has the same: `invoke diff --name NAME` writes a migration of it, and `invoke "
            "local-to-remote` records that on both sides."
        )
    return (
        f"{run.remote.name} has changed as well. --keep-local records the local changes as a migration after the "
        "remote's, --discard-local drops them (after a backup)."
    )


def _applied(run: Run, state: State) -> State:
    try:
        return apply_and_build(run, state)
    except FileFailedError as error:
        failed = error.failure.migration
        if failed is None or failed.version not in {m.version for m in state.made(Origin.LOCAL)}:
            raise
        raise RefusedError(
            f"The local changes do not apply after the remote's: {error.failure.words}\nNothing was changed.",
            "Both sides have changed the same. --discard-local drops the local changes (after a backup); or change the "
            "local database by hand until both fit, then run the same command again.",
        ) from None


def _pulled(run: Run, state: State, applied: Applied) -> State:
    found = changes(run, state, "remote")
    state = state.with_unrecorded("remote", found.by_hand)
    what = f"{run.remote.label} has what a push that failed leaves behind:\n{listed(told(found.differences))}"
    refuse_leftovers(run, state, found, what)
    if found.differences:
        commit.check_early(run, WITHOUT_COMMIT)
    return made_from(run, state, found, run.options.name or "remote_changes", applied)


def _review(run: Run, state: State) -> None:
    check_before_asking(run, state, Origin.REMOTE, WITHOUT_COMMIT)
    _show(run, state, () if run.options.reset else state.to_apply)


def _show(run: Run, state: State, applied: tuple[Migration, ...] = ()) -> None:
    """The files, with what there is to say of them to the local database and to readers: the remote has had them."""
    with run.local.connection() as connection:
        review.show_all(run.console, state.to_write, connection, new=state.made(Origin.REMOTE), run=applied)


def _refuse_renaming(state: State) -> None:
    if state.renamed:
        raise RefusedError(
            f"There is no room for the pulled version before {state.renamed[0][0].file_name}: that file would have to "
            "get a later version.",
            "`invoke remote-to-local` does that as a part of its plan.",
        )


# --- migrations from the remote's history and changes ---


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
