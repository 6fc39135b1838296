"""Writing the migration files of a run into the folder, once they are approved."""

from __future__ import annotations

from ..migrations import migrations_dir, write
from ..paths import state_dir
from .run import Run, Work


def write_files(run: Run, work: Work) -> Work:
    """Write the new files; renamed ones keep a copy under their old name in `.sbsync/replaced`."""
    root = run.settings.root
    for old, _ in work.renamed:
        path = migrations_dir(root) / old.file_name
        path.replace(state_dir(root, "replaced") / old.file_name)
    for migration in work.to_write:
        write(root, migration)
    return work
