"""Recording versions in a database's history without running them; what the history held before is kept."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from ..databases import Database
from ..paths import state_dir
from ..state import histories
from ..state.migrations import Migration
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
