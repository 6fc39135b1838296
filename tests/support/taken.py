"""A backup, taken of a database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg

from sbsync_tasks.backups import Backup
from sbsync_tasks.backups.take import take
from sbsync_tasks.endpoint import Endpoint


def connect(endpoint: Endpoint) -> psycopg.Connection[Any]:
    """An open connection in autocommit mode."""
    return psycopg.connect(**endpoint.conninfo(), autocommit=True)


def backed_up(endpoint: Endpoint, tools: Path, folder: Path, tables: list[str] | None) -> Backup:
    """A backup of everything, or of the rows of these tables alone."""
    with connect(endpoint) as connection:
        return take(
            endpoint=endpoint, tools=tools, directory=folder, label="local", reason="before-reset",
            tables=tables, connection=connection,
        )  # fmt: skip
