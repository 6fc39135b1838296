"""What the remote has and the files have not: adopted from its history, or made from its changes."""

from __future__ import annotations

from ..errors import RefusedError
from ..histories import Verdict
from ..migrations import Migration, next_version
from .diff import Changes
from .generate import Applied, generate, ignored, refuse_unwritable
from .run import Run, Work


def adopt(work: Work) -> Work:
    """Take migrations without a file over from the remote's history, as it recorded them."""
    rows = work.rows_of(Verdict.MISSING)
    return work.with_(adopted=tuple(row.remote.as_migration() for row in rows if row.remote))


def pull(run: Run, work: Work, found: Changes, name: str, applied: Applied = ignored) -> Work:
    """Make migrations from the remote's changes.

    They stand after the remote's head and before the oldest pending file, so that the next push finds just the
    pending ones; where there is no room, the pending files get later versions.

    Args:
        run: The run.
        work: What is known.
        found: The remote's changes.
        name: The new migrations' name.
        applied: As for `generate`.

    Raises:
        RefusedError: there is no room, and the local database, which has a pending file, is not to be rebuilt; or not
            every change can be written.
        SbsyncError: as `generate`.
    """
    if not found.differences:
        return work
    head = list(work.remote_history) + [m.version for m in (*work.adopted, *found.by_hand)]
    pending = work.pending
    before = min((m.version for m in pending), default="")
    if before and not _room(head, before):
        return _pull_before_renamed(run, work, found, name)
    taken = head if before else work.versions
    made = generate(run, run.remote, found.base, name, taken, before, applied)
    refuse_unwritable(run, "The remote", made)
    return work.with_(pulled=made.migrations)


def _room(head: list[str], before: str) -> bool:
    version = next_version(head, before=before)
    # Two seconds more, since one diff may become several files.
    return version is not None and next_version([*head, version], before=before) is not None


def _pull_before_renamed(run: Run, work: Work, found: Changes, name: str) -> Work:
    applied = [m for m in work.pending if m.version in work.local_history]
    if applied and not run.options.reset:
        raise RefusedError(
            f"The pulled changes come before {applied[0].file_name}, and there is no room for a version before it.",
            "That file has to get a later version, and the local database to be rebuilt: leave --no-reset out.",
        )
    made = generate(run, run.remote, found.base, name, work.versions)
    refuse_unwritable(run, "The remote", made)
    taken = [*work.versions, *(m.version for m in made.migrations)]
    later: dict[Migration, Migration] = {}
    for old in work.pending:
        version = next_version(taken) or ""
        taken.append(version)
        later[old] = Migration(version, old.name, old.sql)
    return work.with_(
        pulled=made.migrations,
        renamed=tuple((old, new) for old, new in later.items() if old not in work.new),
        new=tuple(later.get(m, m) for m in work.new),  # they are not written yet: a later version is all they need
        unrecorded_locally=tuple(later.get(m, m) for m in work.unrecorded_locally),
    )
