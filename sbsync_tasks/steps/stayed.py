"""Looking for what a push that failed has left on the remote: invalid indexes, and the first part of a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..databases.catalog import Catalog, Difference, compare, read_catalog
from ..databases.connection import connect
from ..errors import RefusedError, SbsyncError
from ..plan import partly
from ..state import State
from ..state.migrations import Migration
from .diff import Changes
from .run import Run

if TYPE_CHECKING:
    import psycopg

LOOKED_AT = 3  # files: the one that failed is the first that is pending, unless others have come before it since


def stayed(
    run: Run, base: Sequence[Migration], differences: Sequence[Difference], pending: Iterable[Migration]
) -> partly.Leftovers | None:
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
    tried = (partly.of(file, tuple(_fitting(run, base, file, found))) for file in suspects)
    part = next((this for this in tried if this), None)
    if not broken and not (part and part.least):
        return None
    return partly.Leftovers(run.remote.name, broken, part)


def refuse_leftovers(run: Run, state: State, found: Changes, what: str) -> None:
    """Stop where the remote has what a failed push has left: neither a push nor a pull gets past it.

    Raises:
        RefusedError: says `what`, and the way on.
    """
    left = of_remote(run, state, found)
    if left:
        raise RefusedError(f"{what}\n{left.said}", left.way_on)


def of_remote(run: Run, state: State, found: Changes) -> partly.Leftovers | None:
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
