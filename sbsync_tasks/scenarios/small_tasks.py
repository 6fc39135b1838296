"""The guide's steps alone, and what stands around them: each a goal of its own, carried out as a scenario is."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .. import git
from ..databases.open import RESTORED
from ..databases.shadows import only_run
from ..errors import RefusedError, SbsyncError
from ..paths import shown
from ..plan import goals
from ..plan.actions import Commit, Restore, Write
from ..plan.stops import of_transactions, refuse
from ..state import At
from ..state.migrations import VERSION_FORMAT, Migration, migrations_dir, next_version
from ..steps import commit as committing
from ..steps import leftovers
from ..steps import restore as restoring
from ..steps.files import problems, tell_skipped
from ..steps.preflight import look, major_to_be
from ..steps.review import open_editor
from ..steps.run import Run
from .execute import execute
from .question import Goal, carry_out


def reset(run: Run) -> None:
    """Rebuild the local database, after a backup, from what the folder holds; an embedded one in the remote's major."""
    run.refuse_config()
    state = look(run, ["local"])
    refuse(problems(run, state.folder))
    refuse(of_transactions(e.migration for e in state.entries if e.local is not At.SAME))
    major = major_to_be(run)
    run.console.heading(run.local.label)
    run.shadow(state.files, major)  # proves that the files apply before anything is lost
    done = carry_out(run, state, Goal(goals.reset, leftovers.refuse_what_stays, major=major))
    backup = shown(run.settings.root, done.backups[-1].path) if done.backups else ""
    if backup:
        run.console.say(f"{run.local.label} is what the migrations say. Backup of what it was: {backup}", "ok")
    run.console.document(
        {
            "plan": done.document(), "backup": backup, "migrations": [m.file_name for m in state.files],
            "seeds": [*done.seeds],
        }
    )  # fmt: skip


def commit(run: Run) -> None:
    """Commit the migration files that git does not have yet; those that seem to hold a credential stay out.

    Raises:
        RefusedError: nothing but such files is left.
    """
    repository = git.needed(run.settings.root)
    for warning in git.check_ready(repository):
        run.console.say(warning, "warning")
    state = committing.look(run, look(run, []))
    tell_skipped(run, state.folder)
    plan = Goal(goals.commit).of(run, state)
    files = [m for action in plan if isinstance(action, Commit) for m in action.migrations]
    if state.in_git and state.in_git.secret:
        message = f"{', '.join(sorted(state.in_git.secret))} holds what looks like a credential, and is not committed."
        if not plan:
            raise RefusedError(message, f"{committing.FOR_EVER}.")
        run.console.say(message, "warning")
    if not plan:
        run.console.say("Nothing to commit: git has every migration.", "ok")
    folder = migrations_dir(run.settings.root)
    git.check_ready(repository, [folder / m.file_name for m in files])
    done = carry_out(run, state, Goal(goals.commit))
    made = done.committed
    if made:
        run.console.say(f"committed {', '.join(made.files)} as {made.commit}", "ok")
    run.console.document(
        {"plan": done.document(), "commit": made.commit if made else "", "files": list(made.files) if made else []}
    )


def restore(run: Run, named: str, tables: Sequence[str], *, to_scratch: bool) -> None:
    """Bring a backup back: all of it or the rows of `tables`, into the local database or a scratch one.

    Raises:
        RefusedError: the backup does not have what is asked for, or the user declined.
        ConfigError: no backup is meant, or the local database is the remote.
        SbsyncError: it failed; the database is as it was.
    """
    root, console = run.settings.root, run.console
    with only_run(root):
        plan = restoring.planned(run, named, tables, to_scratch=to_scratch)
        done = carry_out(run, look(run, [] if to_scratch else ["local"]), Goal(lambda *_: plan))
    document: dict[str, Any] = {"plan": done.document()}
    if run.options.dry_run:
        console.document(document)
        return
    document["restored"] = next(shown(root, Path(a.backup)) for a in plan if isinstance(a, Restore))
    if to_scratch:
        console.say("`invoke sandbox.down` stops the scratch database and throws it away.", "note")
        console.result(done.url)
        console.document({**document, "database": RESTORED, "url": done.url})
        return
    saved = shown(root, done.backups[-1].path)
    console.say(f"{run.local.label} has what was asked for. Backup of what it was: {saved}", "ok")
    console.say("`invoke status` compares it with the migration files.", "note")
    console.document({**document, "database": run.local.label, "backup": saved})


def new(run: Run, name: str) -> None:
    """Write an empty migration file and print its path; at a terminal the editor opens it.

    Args:
        run: The run.
        name: The migration's name, checked.
    """
    state, console = look(run, []), run.console
    tell_skipped(run, state.folder)
    migration = Migration(_version(run, state.versions), name, "")
    execute(run, state, (Write((migration,)),))
    made = migrations_dir(run.settings.root) / migration.file_name
    path = shown(run.settings.root, made)
    if run.options.dry_run:
        console.say(f"A run would write {path}.", "ok")
        return
    if console.interactive and sys.stdout.isatty():
        try:
            open_editor(made)
        except SbsyncError as error:
            console.say(f"{error.message} {error.hint} The file is there, and empty.", "warning")
    console.result(path)
    console.document({"file": path, "version": migration.version})


def _version(run: Run, files: Sequence[str]) -> str:
    """Later than every version that is known; in the future only where one of these is."""
    taken = [*files, *(look(run, ["local"]).versions if not run.why_no_local() else ()), *_remote(run)]
    version = next_version(taken) or ""
    if version > datetime.now(UTC).strftime(VERSION_FORMAT):
        run.console.say(f"{version} lies in the future, since {max(taken)} does: a version has to be later.", "warning")
    return version


def _remote(run: Run) -> list[str]:
    """The remote's versions; none where it cannot be asked, which is said."""
    if run.settings.remote is None:
        run.console.say("No remote is named: the version is later than those of the files.", "note")
        return []
    try:
        return look(run, ["remote"]).versions
    except SbsyncError as error:
        run.console.say(f"{error.message} The version is chosen without the remote's history.", "warning")
        return []
