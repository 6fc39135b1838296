"""Committing exactly the migration files of a run."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from .. import git
from ..migrations import Migration, migrations_dir, read_folder
from .run import Run, Work

REMOTE_CHANGES = "Add migration for remote changes"
LOCAL_CHANGES = "Add migration for local changes"


def not_in_git(run: Run, migrations: Iterable[Migration]) -> list[Path]:
    """The files of these migrations that git does not have as they are; empty outside a repository."""
    root = run.settings.root
    if git.repository(root) is None:
        return []
    paths = [migrations_dir(root) / m.file_name for m in migrations]
    return list(git.untracked_or_modified(root, [p for p in paths if p.exists()]))


def of_this_run(work: Work) -> tuple[Migration, ...]:
    """The migrations that a run has made or brought somewhere; after a resumed run those of the one cut off too."""
    pushed = [m for m in work.files if m.version in work.pushed]
    return tuple(sorted({*work.to_write, *work.unrecorded_remotely, *pushed}))


def commit(run: Run, work: Work, migrations: Iterable[Migration], message: str) -> Work:
    """Commit those of these migrations that git does not have yet, and nothing else."""
    files = not_in_git(run, migrations)
    gone = [migrations_dir(run.settings.root) / old.file_name for old, _ in work.renamed]
    return work.with_(committed=git.commit(run.settings.root, [*files, *gone], message))


def commit_files(run: Run, message: str) -> None:
    """Commit the migration files that git does not have yet."""
    root = run.settings.root
    for warning in git.check_ready(root):
        run.console.say(warning, "warning")
    files = read_folder(root).migrations
    left = not_in_git(run, files)
    if not left:
        run.console.say("Nothing to commit: git has every migration.", "ok")
        run.console.document({"commit": "", "files": []})
        return
    names = ", ".join(p.name for p in left)
    if run.options.dry_run:
        run.console.say(f"A run would commit {names}.", "ok")
        return
    run.console.confirm(f"Commit {names}?")
    made = git.commit(root, left, message)
    run.console.say(f"committed {names} as {made.commit}", "ok")
    run.console.document({"commit": made.commit, "files": list(made.files)})
