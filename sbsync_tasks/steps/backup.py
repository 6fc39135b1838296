"""Backups before something is destroyed or written."""

from __future__ import annotations

from collections.abc import Iterable

from .. import backups
from ..backups import Backup
from ..databases import Database
from ..findings import Finding, Severity, review
from ..migrations import Migration
from .run import Run, Work


def whole_local(run: Run, work: Work) -> Work:
    """The whole local database, before it is rebuilt."""
    return work.with_(backups=(*work.backups, take(run, run.local, "local", "before-reset", None)))


def remote_before_push(run: Run, work: Work) -> Work:
    """The remote, before anything is written to it."""
    tables = None if run.settings.backup == "full" else at_risk(run, work.pending)
    made = take(run, run.remote, run.settings.env, "before-push", tables)
    return work.with_(backups=(*work.backups, made))


def take(run: Run, database: Database, label: str, reason: str, tables: list[str] | None) -> Backup:
    """Take a backup, which is checked to be complete and readable, and let old ones of its kind go.

    Args:
        run: The run.
        database: What is backed up.
        label: The environment's name, or `local`.
        reason: Why, as a slug.
        tables: The tables whose rows are kept; None keeps all.
    """
    from ..databases.embedded import find_client_tools

    tools = find_client_tools(database.identity().major, run.settings.pg_bindir)
    with database.connection() as connection:
        made = backups.take(
            endpoint=database.endpoint, tools=tools, directory=run.settings.backup_dir, label=label,
            reason=reason, tables=tables, connection=connection,
        )  # fmt: skip
    for path in backups.prune(made.path, run.settings.backup_keep):
        run.console.say(f"old backup removed: {path.name}", "note")
    return made


def at_risk(run: Run, migrations: Iterable[Migration]) -> list[str] | None:
    """The tables of the remote whose rows these migrations can damage; None where that cannot be told."""
    found = review("\n".join(m.sql for m in migrations)).findings
    if any(f.severity is Severity.OPAQUE for f in found):
        return None
    losses = [f for f in found if f.severity is Severity.DATA_LOSS]
    if not losses:
        return []
    with run.remote.connection() as connection:
        rows = connection.execute(
            "select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace"
            " where c.relkind in ('r', 'p')"
        ).fetchall()
    tables = [f"{schema}.{name}" for schema, name in rows]
    matched = [_tables_of(finding, tables) for finding in losses]
    if not all(matched):
        return None
    return sorted({table for names in matched for table in names})


def _tables_of(finding: Finding, tables: list[str]) -> list[str]:
    name = finding.object
    if name.startswith("schema "):
        return [t for t in tables if t.startswith(f"{name.removeprefix('schema ')}.")]
    return [t for t in tables if name == t or name.startswith(f"{t}.")]


def back_up(run: Run, *, local: bool, schema_only: bool) -> None:
    """Take a backup on request."""
    database = run.local if local else run.remote
    label = "local" if local else run.settings.env
    tables: list[str] | None = [] if schema_only else None
    if run.options.dry_run:
        run.console.say(f"A run would back up {database.name}.", "ok")
        return
    with run.console.step("backup", f"back up {database.name}"):
        made = take(run, database, label, "on-request", tables)
    run.console.result(str(made.path))
    run.console.document({"backup": str(made.path)})
