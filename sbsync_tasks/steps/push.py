"""Bringing pending migrations to the remote, and saying what landed when that fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..databases import FileFailedError
from ..databases import push as push_by_cli
from ..databases.catalog import told as differences_told
from ..databases.failures import AGAIN, ALREADY_THERE, Failure
from ..databases.pushed import told
from ..errors import RefusedError, SbsyncError
from ..plan.actions import Push
from ..plan.partly import Leftovers, is_atomic
from ..proof import except_for
from ..state import State, histories
from ..state.histories import History
from .diff import listed
from .done import Done
from .marking import mark_applied
from .run import Run
from .stayed import stayed

# One run at a time per database; the number stands for this tool among the advisory locks of a server.
LOCK_KEY = 7_366_797_363_110_001


@contextmanager
def writing_lock(run: Run) -> Iterator[None]:
    """Hold the remote's lock of this tool: two pushes at once would both run the SQL (the CLI takes no lock).

    Raises:
        RefusedError: another run holds it.
    """
    with run.remote.connection() as connection:
        row = connection.execute("select pg_try_advisory_lock(%s)", (LOCK_KEY,)).fetchone()
        if not row or not row[0]:
            raise RefusedError(
                f"Another run is writing to {run.remote.label} at this moment. Nothing was changed.",
                "Wait until it has ended, then run again.",
            )
        yield


def push(run: Run, state: State, action: Push, done: Done) -> None:
    """Push the pending migrations, after recording those that the remote has without knowing.

    Raises:
        RefusedError: another run has written there since the plan was made; nothing was changed.
        SbsyncError: a migration failed; says which ones the remote has and which not, as the remote says.
    """
    refuse_other_histories(run, state)
    if action.record:
        mark_applied(run, run.remote, action.record)
        done.recorded = tuple(m.version for m in action.record)
    try:
        if action.migrations:
            push_by_cli(
                run.cli, run.remote.endpoint, run.remote.label, state.files, action.migrations,
                include_all=run.options.include_all, lock_timeout=run.settings.lock_timeout,
            )  # fmt: skip
    except SbsyncError as error:
        raise _landed(run, state, action, error) from None
    done.pushed = tuple(m.version for m in action.migrations)


def refuse_other_histories(run: Run, state: State) -> None:
    """Make sure, right before it is written to, that the remote has recorded what it had when the plan was made.

    Raises:
        RefusedError: it has not.
    """
    now = run.remote.history()
    if told_versions := other_versions(state.remote_history, now):
        raise RefusedError(
            f"{run.remote.label} has changed since this run looked at it: {told_versions}. Nothing was written there.",
            "Somebody else has pushed: run again.",
        )


def other_versions(before: History, now: History) -> str:
    """What a history has recorded since, or no longer has, in words; empty where it is the same."""
    new, gone = sorted(now.keys() - before.keys()), sorted(before.keys() - now.keys())
    edited = sorted(v for v in now.keys() & before.keys() if now[v] != before[v])
    parts = ((new, "recorded"), (gone, "no longer recorded"), (edited, "recorded otherwise"))
    return "; ".join(f"{', '.join(versions)} {word}" for versions, word in parts if versions)


def _landed(run: Run, state: State, action: Push, error: SbsyncError) -> SbsyncError:
    """The error with what is in the way there, and with what the remote has now, as its history and catalog say."""
    failure = error.failure if isinstance(error, FileFailedError) else None
    try:
        with run.remote.connection() as connection:
            now = histories.read(connection)
            in_the_way = told(connection, failure) if failure else ""
    except SbsyncError as unreachable:
        return SbsyncError(
            f"{error.message}\nWhat of it the remote has cannot be told: {unreachable.message}",
            "Run again when it can be reached: what is true is read from there, and the rest is done.",
        )
    beyond, left = _left_behind(run, state, now)
    done = [m.file_name for m in action.migrations if m.version in now]
    lacking = [m.file_name for m in action.migrations if m.version not in now]
    there = (
        f"On the remote now: {', '.join(done) or 'none of the pending migrations'}. Not there: "
        f"{', '.join(lacking) or 'none'}."
    )
    stayed_there = left.said if left else _parts_stay(failure)
    hint = error.hint or "Correct what failed, then run the same command again."
    return SbsyncError(
        "\n".join(filter(None, (error.message, in_the_way, there, beyond, stayed_there))),
        _way_on(failure, hint, left) if left else hint if beyond or stayed_there else f"{hint} It goes on from there.",
    )


def _parts_stay(failure: Failure | None) -> str:
    """For a file that is not applied all or nothing, and of which no schema shows how much is there: rows, say."""
    if failure is None or failure.migration is None or is_atomic(failure.migration):
        return ""
    return (
        f"{failure.migration.file_name} is not applied all or nothing: what stands before the statement that failed "
        "may be there already, as far as it changes rows."
    )


def _left_behind(run: Run, state: State, now: History) -> tuple[str, Leftovers | None]:
    """What the remote has beyond its history since the push, in words, and what of it the push explains."""
    try:
        base = histories.as_migrations(now, state.files)
        differences = run.differences(run.shadow(base, run.remote_identity.major), run.remote)
        pending = [m for m in state.files if m.version not in now]
        left = stayed(run, base, differences, pending) if differences else None
    except SbsyncError as error:
        return f"Whether something else of it stayed there cannot be told: {error.message}", None
    beyond = except_for(state.drift, differences)
    words = f"Beyond its history the remote has now:\n{listed(differences_told(beyond))}" if beyond else ""
    return words, left


def _way_on(failure: Failure | None, hint: str, left: Leftovers) -> str:
    """The cause's way out, then that of what was left; where it is in its own way, that alone."""
    if failure and failure.sqlstate in ALREADY_THERE:
        return left.way_on
    return f"{hint.replace(f', {AGAIN}', '')} Then:\n{left.way_on}"
