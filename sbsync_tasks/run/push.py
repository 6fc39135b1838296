"""Bringing migrations to the remote, recording what a database has, and what a push that failed has left there."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..databases import Database, FileFailedError
from ..databases import push as push_by_cli
from ..databases.catalog import MIGRATIONS, Catalog, Difference, compare, read_catalog
from ..databases.catalog import told as differences_told
from ..databases.connection import connect
from ..databases.failures import AGAIN, ALREADY_THERE, Failure
from ..databases.pushed import told
from ..errors import RefusedError, SbsyncError
from ..paths import state_dir
from ..plan import Push, Rerecord, partly
from ..plan.partly import Leftovers, Partly, is_atomic
from ..state import State, histories
from ..state.histories import History
from ..state.migrations import Migration
from .look import Changes, listed
from .proof import except_for
from .session import Done, Run

if TYPE_CHECKING:
    import psycopg


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
        held, found = run.catalog(run.shadow(base, run.remote_identity.major)), run.catalog(run.remote)
        differences = compare(held, found, run.claims, (MIGRATIONS, run.remote.name))  # the pending files' claims, too
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


# --- recording without running, and what a push that failed has left ---


def mark_applied(run: Run, database: Database, migrations: Sequence[Migration]) -> None:
    """Mark these migrations, named one by one, as applied in a database's history.

    Args:
        run: The run.
        database: Whose history.
        migrations: What it has without having recorded it.

    Raises:
        CliError: it could not be recorded.
    """
    keep_history(run, database)
    run.cli.mark_applied(database.endpoint, migrations)


def rerecord(run: Run, _state: State, action: Rerecord, done: Done) -> None:
    """Change versions in the local history, all or none, rows and their statements staying what they are."""
    kept = keep_history(run, run.local)
    with run.local.connection() as connection, connection.transaction():
        for old, new in action.versions:
            changed = connection.execute(
                "update supabase_migrations.schema_migrations set version = %s where version = %s", (new, old)
            )
            if changed.rowcount != 1:
                raise RefusedError(f"The local history no longer has {old}; it is left as it is.", "Run again.")
    done.kept = (*done.kept, kept)


def keep_history(run: Run, database: Database) -> Path:
    """Write a history's rows, all columns, to `.sbsync/histories/<time>-<environment or local>.json`."""
    with database.connection() as connection:
        rows = histories.read_rows(connection)
    name = "local" if database.side == "local" else run.settings.env
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    path = state_dir(run.settings.root, "histories") / f"{moment}-{name}.json"
    path.touch(mode=0o600, exist_ok=False)
    path.write_text(json.dumps(rows, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


LOOKED_AT = 3  # files: the one that failed is the first that is pending, unless others have come before it since


def stayed(
    run: Run, base: Sequence[Migration], differences: Sequence[Difference], pending: Iterable[Migration]
) -> Leftovers | None:
    """What of the remote's differences a failed push explains; None where it explains nothing.

    How much of a file is there is tried: its statements are run one by one on a copy of a shadow, until that is what
    the remote is.

    Args:
        run: The run.
        base: What the remote's history stands for.
        differences: What the remote has otherwise.
        pending: The files that its history does not know.
    """
    broken = partly.invalid(differences)
    suspects = [m for m in pending if partly.may_leave_parts(m)][:LOOKED_AT] if differences else []
    found = partly.mended(run.catalog(run.remote), broken)
    tried = ((file, tuple(_fitting(run, base, file, found))) for file in suspects)
    part = next((Partly(file, min(fits), max(fits)) for file, fits in tried if fits), None)
    if not broken and not (part and part.least):
        return None
    return Leftovers(run.remote.name, broken, part)


def refuse_leftovers(run: Run, state: State, found: Changes, what: str) -> None:
    """Stop where the remote has what a failed push has left: neither a push nor a pull gets past it.

    Raises:
        RefusedError: says `what`, and the way on.
    """
    left = of_remote(run, state, found)
    if left:
        raise RefusedError(f"{what}\n{left.said}", left.way_on)


def of_remote(run: Run, state: State, found: Changes) -> Leftovers | None:
    """As `stayed`, from the remote's changes."""
    pending = [m for m in state.files if m.version not in state.remote_history]
    return stayed(run, found.base, found.differences, pending) if found.differences else None


def _fitting(run: Run, base: Sequence[Migration], file: Migration, found: Catalog) -> Iterator[int]:
    """After how many of a file's statements the shadow is what was found; stops at the first that fails there."""
    import psycopg

    try:
        with (
            run.shadows.scratch(base, run.remote_identity.major) as endpoint,
            connect(endpoint, "a scratch copy of the shadow") as scratch,
        ):
            for number, statement in enumerate((None, *partly.statements(file))):
                if statement:
                    scratch.execute(statement.text.encode())
                if _is_idle(scratch) and not compare(read_catalog(scratch, run.settings.schemas), found, run.claims):
                    yield number
    except (SbsyncError, psycopg.Error):
        return


def _is_idle(connection: psycopg.Connection[Any]) -> bool:
    from psycopg.pq import TransactionStatus

    return connection.info.transaction_status == TransactionStatus.IDLE
