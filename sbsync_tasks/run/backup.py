"""Backups before something is destroyed or written, and bringing one back."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import backups
from ..backups import Backup, Manifest
from ..backups import restore as restoring
from ..backups.take import scope, take
from ..databases.database import RESTORED, Database
from ..errors import RefusedError, SbsyncError
from ..folders import shown
from ..plan import BackUp, Plan, Restore
from ..state import Risk, State
from . import reach
from .look import major_to_be
from .session import Done, Run

if TYPE_CHECKING:
    import psycopg

    from ..databases.embedded import Clusters


def whole_local(run: Run) -> Backup:
    """The whole local database, before it is rebuilt."""
    return _take(run, BackUp(run.local.name, Risk(None), "local", "before-reset"))


def as_planned(run: Run, _state: State, action: BackUp, done: Done) -> None:
    """A database, as it is; where one is brought back afterwards, that backup stays."""
    in_use = [Path(planned.backup) for planned in done.plan if isinstance(planned, Restore)]
    done.backups = (*done.backups, _take(run, action, in_use))


def _take(run: Run, action: BackUp, in_use: Collection[Path] = ()) -> Backup:
    """Take a backup, which is checked to be complete and readable, and let old ones of its kind go but those in use."""
    from ..databases.embedded.binaries import find_client_tools

    database, label = run.database(action.side), "local" if action.side == "local" else run.settings.env
    tools = find_client_tools(run.major(database), run.settings.pg_bindir)
    with database.connection() as connection:
        made = take(
            endpoint=database.endpoint, tools=tools, directory=run.settings.backup_dir, label=label,
            reason=action.reason, tables=action.risk.tables, connection=connection,
        )  # fmt: skip
    for path in backups.prune(made.path, run.settings.backup_keep, in_use):
        run.console.say(f"old backup removed: {path.name}", "note")
    return made


def show_list(run: Run) -> None:
    """List the backups: when, of what, why, how big, and what is in them."""
    there = backups.listed(run.settings.backup_dir)
    if there:
        with run.console.as_result():
            run.console.table(["backup", "of", "why", "size", "holds"], [_row(*one) for one in there.items()])
    else:
        run.console.say(f"There are no backups in {shown(run.settings.root, run.settings.backup_dir)} yet.", "note")
    run.console.document({"backups": [_data(run, *one) for one in there.items()]})


def _row(path: Path, it: Manifest | SbsyncError) -> tuple[str, ...]:
    if isinstance(it, SbsyncError):
        return (path.name, "", "", "", "not complete")
    return (path.name, it.label, it.reason, it.size, it.holds)


def _data(run: Run, path: Path, it: Manifest | SbsyncError) -> dict[str, Any]:
    name = shown(run.settings.root, path)
    if isinstance(it, SbsyncError):
        return {"backup": name, "problem": it.message, "bytes": 0}
    return {"backup": name, "problem": None, "bytes": it.bytes, **asdict(it)}


NEXT = f"{RESTORED}-next"


def planned(run: Run, named: str, tables: Sequence[str], *, to_scratch: bool) -> Plan:
    """What a restore does: with the whole of the backup, or with the rows of `tables` (`schema.table`) alone.

    Raises:
        RefusedError: the backup does not have what is asked for.
        ConfigError: no backup is meant, or the local database is the remote.
    """
    backup = _found(run, named)
    backups.check(backup)
    if not to_scratch:
        major_to_be(run)
        save = BackUp(run.local.label, Risk(None), "local", "before-restore")
        return (save, _to_local(run, backup, tables))
    rows = f"schema, history, and the rows of {', '.join(tables)}" if tables else _in_words(backup)
    into_scratch = Restore(
        str(backup.path), RESTORED, rows, tuple(tables), scratch=True,
        replaces=_clusters(run, backup).exists(RESTORED), loose=bool(tables or backup.manifest.partial),
    )  # fmt: skip
    return (into_scratch,)


def _found(run: Run, named: str) -> Backup:
    """The backup that is meant, with programs that can read it."""
    from ..databases.embedded.binaries import find_client_tools

    path, manifest = backups.chosen(run.settings.backup_dir, named)
    made_by = re.search(r"\d+", manifest.tools.partition(")")[2] or manifest.tools)
    tools = find_client_tools(int(made_by[0]) if made_by else 0, run.settings.pg_bindir)
    return Backup(path, manifest, tools)


def _to_local(run: Run, backup: Backup, tables: Sequence[str]) -> Restore:
    path, where = str(backup.path), run.local.name
    with run.local.connection() as connection:
        if tables:
            there = restoring.had(backup, scope(connection, tables).data)
            rows = ", ".join(f"{t.schema}.{t.name} ({t.rows:,})" for t in there)
            return Restore(path, where, rows, tuple(tables))
        if backup.manifest.partial:
            raise RefusedError(
                f"{backup.path.name} has {backup.manifest.holds}, and not of the others: {where} would lose "
                "those. Nothing was changed.",
                "--table brings single tables back; --to-scratch, all that the backup has.",
            )
        return Restore(path, where, _in_words(backup), roles=restoring.missing_roles(connection, backup))


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
    from ..databases.embedded import as_admin, folder_of

    folder = folder_of(run.settings.root, database.endpoint)
    with as_admin(folder, database.endpoint.port) if folder else database.connection() as connection:
        yield connection


def _into_scratch(run: Run, backup: Backup, clusters: Clusters, tables: Sequence[str]) -> str:
    """Restore into a new database that takes the place of an earlier one; its URL."""
    from ..databases.embedded import as_admin
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
    rows = f"schema, history, and {it.holds}" if it.tables else "schema and history, without any rows"
    return f"{it.label} of {it.created_at} ({it.reason}), {rows}"
