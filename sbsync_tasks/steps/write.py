"""Writing the migration files of a run into the folder, once they are approved."""

from __future__ import annotations

from ..replaced import put
from .run import Run, Work


def write_files(run: Run, work: Work) -> Work:
    """Write the new files; a renamed one keeps a copy under its old name in `.sbsync/replaced`.

    Each is one move, the latest first: cut off at any point, every migration is there under one of its names, and
    none that is pending stands before one that was pulled.
    """
    root = run.settings.root
    for old, new in sorted(work.renamed, reverse=True):
        put(root, new, old.file_name)
    renamed = {new for _, new in work.renamed}
    for migration in work.to_write:
        if migration not in renamed:
            put(root, migration)
    return work
