"""Writing the migration files of a run into the folder, once they are approved."""

from __future__ import annotations

from ..plan.actions import Put, Write
from ..state import State
from ..state.migrations import write_file
from .done import Done
from .run import Run


def write_files(run: Run, _state: State, action: Write, _done: Done) -> None:
    """Write the new files; a renamed one keeps a copy under its old name in `.sbsync/replaced`.

    Each is one move, the latest first: cut off at any point, every migration is there under one of its names, and
    none that is pending stands before one that was pulled.
    """
    root = run.settings.root
    for old, new in sorted(action.renamed, reverse=True):
        write_file(root, new, old.file_name)
    renamed = {new for _, new in action.renamed}
    for migration in action.migrations:
        if migration not in renamed:
            write_file(root, migration)


def put_file(run: Run, _state: State, action: Put, done: Done) -> None:
    """Write one file; what it takes the place of is kept."""
    kept = write_file(run.settings.root, action.migration, action.replaces)
    done.kept = (*done.kept, *([kept] if kept else []))
