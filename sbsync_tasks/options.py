"""What the user asked for on the command line."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """The flags of a task.

    Attributes:
        yes: Every ordinary question is answered with yes.
        dry_run: Only look: nothing but throw-away shadows is written.
        name: The name for new migrations, checked; empty for the scenario's own.
        message: The message of a commit; empty for one that names the migration.
        allow_data_loss: Objects of the remote whose loss is accepted.
        reset: Rebuild the local database; otherwise its data is kept.
        commit: Commit the new migration files.
        record: Record pulled versions in the remote's history.
        keep_local: Record local changes as a migration before anything is pulled.
        discard_local: Drop local changes, after a backup.
        ignore_drift: Go on although the remote differs from its own history.
        include_all: Also push files older than the remote's newest version, where the order does not matter.
        start: Start the CLI's local stack where it does not run.
    """

    yes: bool = False
    dry_run: bool = False
    name: str = ""
    message: str = ""
    allow_data_loss: tuple[str, ...] = ()
    reset: bool = True
    commit: bool = False
    record: bool = True
    keep_local: bool = False
    discard_local: bool = False
    ignore_drift: bool = False
    include_all: bool = False
    start: bool = False
