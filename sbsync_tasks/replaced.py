"""Migration files that give way to others: a copy of each is kept in `.sbsync/replaced`."""

from __future__ import annotations

import shutil
from itertools import count
from pathlib import Path

from .errors import RefusedError
from .migrations import Migration, migrations_dir, write, write_sql
from .paths import state_dir


def keep(root: Path, file: str) -> Path:
    """Copy a file of `supabase/migrations` to `.sbsync/replaced`; an earlier copy is never overwritten.

    Args:
        root: The project's root.
        file: The file's name.
    """
    source = migrations_dir(root) / file
    folder = state_dir(root, "replaced")
    names = (file if number == 1 else f"{file}.{number}" for number in count(1))
    target = next(folder / name for name in names if not (folder / name).exists())
    shutil.copy2(source, target)
    return target


def put(root: Path, migration: Migration, replaces: str = "") -> Path | None:
    """Write a migration file, in one move, in the place of another one or as a new one.

    A file that only gets another name keeps its bytes.

    Args:
        root: The project's root.
        migration: The file as it is to be.
        replaces: The name of the file whose place it takes, which may be its own; empty for none.

    Returns:
        Where the replaced file is kept; None for a new file.

    Raises:
        RefusedError: another file of that name is there.
    """
    target = migrations_dir(root) / migration.file_name
    if target.exists() and migration.file_name != replaces:
        raise RefusedError(
            f"supabase/migrations/{migration.file_name} is there already.", "Look at it, then run again."
        )
    if not replaces:
        write(root, migration)
        return None
    kept = keep(root, replaces)
    if migration.file_name != replaces:
        (migrations_dir(root) / replaces).rename(target)
        return kept
    draft = state_dir(root, "drafts") / migration.file_name
    write_sql(draft, migration.sql)
    shutil.copymode(target, draft)
    draft.replace(target)
    return kept
