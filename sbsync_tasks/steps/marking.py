"""Recording versions in a database's history without running them; what the history held before is kept."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from ..databases import Database
from ..errors import RefusedError
from ..paths import state_dir
from ..plan.actions import Rerecord
from ..state import State, histories
from ..state.migrations import Migration
from .done import Done
from .run import Run


def mark_applied(run: Run, database: Database, migrations: Sequence[Migration]) -> None:
    """Mark these migrations, named one by one, as applied in a database's history.

    Args:
        run: The run.
        database: Whose history.
        migrations: What it has without having recorded it.

    Raises:
        CliError: it could not be recorded.
    """
    keep_history(run, database)
    run.cli.mark_applied(database.endpoint, migrations)


def rerecord(run: Run, _state: State, action: Rerecord, done: Done) -> None:
    """Change versions in the local history, all or none, rows and their statements staying what they are."""
    kept = keep_history(run, run.local)
    with run.local.connection() as connection, connection.transaction():
        for old, new in action.versions:
            changed = connection.execute(
                "update supabase_migrations.schema_migrations set version = %s where version = %s", (new, old)
            )
            if changed.rowcount != 1:
                raise RefusedError(f"The local history no longer has {old}; it is left as it is.", "Run again.")
    done.kept = (*done.kept, kept)


def keep_history(run: Run, database: Database) -> Path:
    """Write a history's rows, all columns, to `.sbsync/histories/<time>-<environment or local>.json`."""
    with database.connection() as connection:
        rows = histories.read_rows(connection)
    name = "local" if database.side == "local" else run.settings.env
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    path = state_dir(run.settings.root, "histories") / f"{moment}-{name}.json"
    path.touch(mode=0o600, exist_ok=False)
    path.write_text(json.dumps(rows, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path
