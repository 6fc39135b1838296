"""`invoke new`: an empty migration, later than everything that the files and both databases know."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from ..databases import Database
from ..errors import SbsyncError
from ..paths import shown
from ..state.migrations import VERSION_FORMAT, Folder, Migration, next_version, write
from .files import read_files, tell_skipped
from .review import open_editor
from .run import Run


def new(run: Run, name: str) -> None:
    """Write an empty migration file and print its path; at a terminal the editor opens it.

    Args:
        run: The run.
        name: The migration's name, checked.
    """
    folder = read_files(run)
    tell_skipped(run, folder)
    migration = Migration(_version(run, folder), name, "")
    path = f"supabase/migrations/{migration.file_name}"
    if run.options.dry_run:
        run.console.say(f"A run would write {path}.", "ok")
        return
    made = write(run.settings.root, migration)
    if run.console.interactive and sys.stdout.isatty():
        try:
            open_editor(made)
        except SbsyncError as error:
            run.console.say(f"{error.message} {error.hint} The file is there, and empty.", "warning")
    run.console.result(shown(run.settings.root, made))
    run.console.document({"file": path, "version": migration.version})


def _version(run: Run, folder: Folder) -> str:
    """Later than every version that is known; in the future only where one of these is."""
    taken = [*(m.version for m in folder.migrations), *_local(run), *_remote(run)]
    version = next_version(taken) or ""
    if version > datetime.now(UTC).strftime(VERSION_FORMAT):
        run.console.say(f"{version} lies in the future, since {max(taken)} does: a version has to be later.", "warning")
    return version


def _local(run: Run) -> list[str]:
    return [] if run.why_no_local() else _recorded(run.local)


def _remote(run: Run) -> list[str]:
    """The remote's versions; none where it cannot be asked, which is said."""
    if run.settings.remote is None:
        run.console.say("No remote is named: the version is later than those of the files.", "note")
        return []
    try:
        return _recorded(run.remote)
    except SbsyncError as error:
        run.console.say(f"{error.message} The version is chosen without the remote's history.", "warning")
        return []


def _recorded(database: Database) -> list[str]:
    return [*database.history()]
