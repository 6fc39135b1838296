"""Writing the migration files of a run into the folder, once they are approved."""

from __future__ import annotations

from pathlib import Path

from ..plan.actions import Write
from ..state.migrations import write_file


def write_files(root: Path, action: Write) -> None:
    """Write the new files; a renamed one keeps a copy under its old name in `.sbsync/replaced`.

    Each is one move, the latest first: cut off at any point, every migration is there under one of its names, and
    none that is pending stands before one that was pulled.
    """
    for old, new in sorted(action.renamed, reverse=True):
        write_file(root, new, old.file_name)
    renamed = {new for _, new in action.renamed}
    for migration in action.migrations:
        if migration not in renamed:
            write_file(root, migration)
