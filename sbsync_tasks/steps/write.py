"""Writing the migration files of a run into the folder, once they are approved."""

from __future__ import annotations

from ..migrations import migrations_dir, write
from ..replaced import keep
from .run import Run, Work


def write_files(run: Run, work: Work) -> Work:
    """Write the new files; renamed ones keep a copy under their old name in `.sbsync/replaced`."""
    root = run.settings.root
    for old, _ in work.renamed:
        keep(root, old.file_name)
        (migrations_dir(root) / old.file_name).unlink()
    for migration in work.to_write:
        write(root, migration)
    return work
