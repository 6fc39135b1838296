"""Bringing a backup back: into the local database, or into a scratch database that stays up; never into a remote."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .. import backups
from ..backups import Backup
from ..backups import restore as restoring
from ..backups.take import scope
from ..databases import Database
from ..databases.open import RESTORED
from ..errors import RefusedError
from ..plan.actions import BackUp, Plan, Restore
from ..state import Risk, State
from . import preflight, reach
from .done import Done
from .run import Run

if TYPE_CHECKING:
    import psycopg

    from ..databases.embedded import Clusters

NEXT = f"{RESTORED}-next"


def planned(run: Run, named: str, tables: Sequence[str], *, to_scratch: bool) -> Plan:
    """What a restore does.

    Args:
        run: The run.
        named: The backup: its folder, its name, or the beginning of its name.
        tables: `schema.table` names whose rows come back; none for everything.
        to_scratch: Into a scratch database; otherwise into the local one.

    Raises:
        RefusedError: the backup does not have what is asked for.
        ConfigError: no backup is meant, or the local database is the remote.
    """
    backup = _found(run, named)
    backups.check(backup)
    if to_scratch:
        return (_to_scratch(run, backup, tables),)
    preflight.major_to_be(run)
    save = BackUp(run.local.label, Risk(None), "local", "before-restore")
    return (save, _to_local(run, backup, tables))


def _found(run: Run, named: str) -> Backup:
    """The backup that is meant, with programs that can read it."""
    from ..databases.embedded import find_client_tools

    found = backups.chosen(run.settings.backup_dir, named)
    assert found.manifest is not None  # noqa: S101 - only whole ones are chosen
    made_by = re.search(r"\d+", found.manifest.tools.partition(")")[2] or found.manifest.tools)
    tools = find_client_tools(int(made_by[0]) if made_by else 0, run.settings.pg_bindir)
    return Backup(found.path, found.manifest, tools)


def _to_local(run: Run, backup: Backup, tables: Sequence[str]) -> Restore:
    path, where = str(backup.path), run.local.name
    with run.local.connection() as connection:
        if tables:
            there = restoring.had(backup, scope(connection, tables).data)
            rows = ", ".join(f"{t.schema}.{t.name} ({t.rows:,})" for t in there)
            return Restore(path, where, rows, tuple(tables))
        if backup.manifest.partial:
            raise RefusedError(
                f"{backup.path.name} has {backups.holds(backup.manifest)}, and not of the others: {where} would lose "
                "those. Nothing was changed.",
                "--table brings single tables back; --to-scratch, all that the backup has.",
            )
        return Restore(path, where, _in_words(backup), roles=restoring.missing_roles(connection, backup))


def _to_scratch(run: Run, backup: Backup, tables: Sequence[str]) -> Restore:
    rows = f"schema, history, and the rows of {', '.join(tables)}" if tables else _in_words(backup)
    return Restore(
        str(backup.path), RESTORED, rows, tuple(tables), scratch=True,
        replaces=_clusters(run, backup).exists(RESTORED), loose=bool(tables or backup.manifest.partial),
    )  # fmt: skip


def _clusters(run: Run, backup: Backup) -> Clusters:
    return run.clusters(int(backup.manifest.server_version.partition(".")[0]))


def bring_back(run: Run, _state: State, action: Restore, done: Done) -> None:
    """Restore a backup; a database is as it was, or as it is to be."""
    backup = _found(run, action.backup)
    if action.scratch:
        done.url = _into_scratch(run, backup, _clusters(run, backup), action.tables)
        return
    with _strongest(run, run.local) as connection:
        if action.tables:
            restoring.rows(connection, backup, scope(connection, action.tables).data)
        else:
            _warn(run, restoring.whole(connection, backup))


@contextmanager
def _strongest(run: Run, database: Database) -> Iterator[psycopg.Connection[Any]]:
    """A connection as the superuser, where the server is ours; else as the role that the settings name."""
    from ..databases.embedded.cluster import as_admin, folder_of

    folder = folder_of(run.settings.root, database.endpoint)
    with as_admin(folder, database.endpoint.port) if folder else database.connection() as connection:
        yield connection


def _into_scratch(run: Run, backup: Backup, clusters: Clusters, tables: Sequence[str]) -> str:
    """Restore into a new database that takes the place of an earlier one; its URL."""
    from ..databases.embedded.cluster import as_admin
    from ..databases.embedded.place import place_of

    clusters.remove(NEXT)  # of a run that was cut off
    try:
        port = clusters.start(NEXT).port
        with as_admin(place_of(run.settings.root) / NEXT, port) as connection:
            _warn(run, restoring.whole(connection, backup, tables))
        clusters.replace(RESTORED, by=NEXT)
    except BaseException:
        clusters.remove(NEXT)
        raise
    return reach.url_of(run, clusters.start(RESTORED), RESTORED)


def _warn(run: Run, unfilled: Sequence[str]) -> None:
    for told in unfilled:
        run.console.say(f"This materialized view could not be refreshed and is empty: {told}", "warning")


def _in_words(backup: Backup) -> str:
    """What is brought back, and of when it is."""
    it = backup.manifest
    rows = f"schema, history, and {backups.holds(it)}" if it.tables else "schema and history, without any rows"
    return f"{it.label} of {it.created_at} ({it.reason}), {rows}"
