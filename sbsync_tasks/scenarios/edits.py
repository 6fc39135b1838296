"""Taking over what the user has edited in the review."""

from __future__ import annotations

from ..databases.catalog import told
from ..errors import RefusedError
from ..histories import as_migrations
from ..migrations import Migration
from ..steps.diff import listed
from ..steps.left_out import left_out
from ..steps.run import Run, Work


def with_edits(run: Run, work: Work, edited: tuple[Migration, ...]) -> Work:
    """Take the user's edits over, and prove them as what was generated was proved.

    Raises:
        RefusedError: a pulled migration no longer is what the remote has.
        CliError: the edited SQL cannot be applied.
    """
    if not work.pulled:
        return _with_local_edits(run, work, edited)
    work = work.with_(pulled=edited)
    had = (*as_migrations(work.remote_history, work.folder.migrations), *work.to_record)
    left = run.differences(run.shadow(had, run.remote_identity.major), run.remote)
    if left:
        raise RefusedError(
            "The edited migration is no longer what the remote has:\n" + listed(told(left)) + "\nNothing was changed.",
            "Pull it unedited, and put further changes into a migration of their own.",
        )
    run.shadow(work.files, run.local_identity.major)
    return work


def _with_local_edits(run: Run, work: Work, edited: tuple[Migration, ...]) -> Work:
    kept = tuple(m for m in work.unrecorded_locally if m not in work.new)
    work = work.with_(new=edited, unrecorded_locally=(*kept, *edited))
    run.shadow(work.files, run.local_identity.major)
    base = (*as_migrations(work.local_history, work.folder.migrations), *work.unrecorded_locally)
    left = run.differences(run.shadow(base, run.local_identity.major), run.local)
    if left and not run.options.reset:
        raise RefusedError(
            "The edited migration is no longer what the local database has:\n" + listed(told(left))
            + "\nNothing was changed.",
            "Leave --no-reset out: the local database is then rebuilt from what you have written.",
        )  # fmt: skip
    return work.with_(left_out=left_out(run, left) if left else ())
