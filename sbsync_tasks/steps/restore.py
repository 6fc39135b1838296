"""`invoke restore`: a backup into the local database, or into a scratch database that stays up; never into a remote."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import backups
from ..backups import Backup
from ..backups import restore as restoring
from ..backups.scope import scope
from ..databases import Database
from ..databases.open import RESTORED
from ..databases.shadows import only_run
from ..errors import RefusedError
from ..paths import shown
from . import backup as saving
from . import reach, reset
from .run import Run

if TYPE_CHECKING:
    import psycopg

    from ..databases.embedded import Clusters

NEXT = f"{RESTORED}-next"


@dataclass(frozen=True)
class Plan:
    """What a restore does.

    Attributes:
        lines: In words, in order.
        act: Does it, and says what has come of it, as JSON data.
    """

    lines: tuple[str, ...]
    act: Callable[[], dict[str, Any]]


def restore(run: Run, named: str, tables: Sequence[str], *, to_scratch: bool) -> None:
    """Bring a backup back, after showing what that does and asking.

    Args:
        run: The run.
        named: The backup: its folder, its name, or the beginning of its name.
        tables: `schema.table` names whose rows come back; none for everything.
        to_scratch: Into a scratch database; otherwise into the local one.

    Raises:
        RefusedError: the backup does not have what is asked for, or the user declined.
        ConfigError: no backup is meant, or the local database is the remote.
        SbsyncError: it failed; the database is as it was.
    """
    backup = _checked(run, named)
    with only_run(run.settings.root):
        plan = _to_scratch(run, backup, tables) if to_scratch else _to_local(run, backup, tables)
        console = run.console
        console.numbered("What a run would do" if run.options.dry_run else "What will be done", plan.lines)
        if run.options.dry_run:
            console.document({"plan": plan.lines})
            return
        console.confirm("Go on?")
        console.document({"plan": plan.lines, **plan.act()})


def _checked(run: Run, named: str) -> Backup:
    """The backup that is meant, found whole by programs that can read it."""
    from ..databases.embedded import find_client_tools

    found = backups.chosen(run.settings.backup_dir, named)
    assert found.manifest is not None  # noqa: S101 - only whole ones are chosen
    made_by = re.search(r"\d+", found.manifest.tools.partition(")")[2] or found.manifest.tools)
    tools = find_client_tools(int(made_by[0]) if made_by else 0, run.settings.pg_bindir)
    backup = Backup(found.path, found.manifest, tools)
    backups.check(backup)
    return backup


def _to_local(run: Run, backup: Backup, tables: Sequence[str]) -> Plan:
    reset.major_to_be(run)
    save = f"back up {run.local.label}, all of it"
    if tables:
        with run.local.connection() as connection:
            there = scope(connection, tables).data
        rows = ", ".join(f"{t.schema}.{t.name} ({t.rows:,})" for t in restoring.had(backup, there))
        lines = [save, f"put the rows of the backup in the place of those in {run.local.name}: {rows}"]
        return Plan(tuple(lines), lambda: _into_local(run, backup, lambda c: restoring.rows(c, backup, there)))
    if backup.manifest.partial:
        raise RefusedError(
            f"{backup.path.name} has {backups.holds(backup.manifest)}, and not of the others: {run.local.name} would "
            "lose those. Nothing was changed.",
            "--table brings single tables back; --to-scratch, all that the backup has.",
        )
    with run.local.connection() as connection:
        roles = restoring.missing_roles(connection, backup)
    lines = [save, f"make {run.local.name} what it was in the backup: {_in_words(backup)}"]
    if roles:
        lines.append(f"make the roles that it lacks, without passwords: {', '.join(roles)}")
    return Plan(tuple(lines), lambda: _into_local(run, backup, lambda c: restoring.whole(c, backup)))


def _into_local(
    run: Run, backup: Backup, act: Callable[[psycopg.Connection[Any]], Sequence[str] | None]
) -> dict[str, Any]:
    local, root = run.local, run.settings.root
    with run.console.step("backup", f"back up {local.name}"):
        saved = shown(root, saving.take(run, local, "local", "before-restore", None).path)
    with run.console.step("restore", f"restore {backup.path.name}"), _strongest(run, local) as connection:
        _warn(run, act(connection) or ())
    run.console.say(f"{local.label} has what was asked for. Backup of what it was: {saved}", "ok")
    run.console.say("`invoke status` compares it with the migration files.", "note")
    return {"restored": shown(root, backup.path), "database": local.label, "backup": saved}


@contextmanager
def _strongest(run: Run, database: Database) -> Iterator[psycopg.Connection[Any]]:
    """A connection as the superuser, where the server is ours; else as the role that the settings name."""
    from ..databases.embedded.cluster import as_admin, folder_of

    folder = folder_of(run.settings.root, database.endpoint)
    with as_admin(folder, database.endpoint.port) if folder else database.connection() as connection:
        yield connection


def _to_scratch(run: Run, backup: Backup, tables: Sequence[str]) -> Plan:
    it = backup.manifest
    clusters = run.clusters(int(it.server_version.partition(".")[0]))
    rows = f"schema, history, and the rows of {', '.join(tables)}" if tables else _in_words(backup)
    lines = [f"make a scratch database that holds the backup: {rows}"]
    if clusters.exists(RESTORED):
        lines.append("throw away the scratch database that an earlier restore made")
    if tables or it.partial:
        lines.append("leave out foreign keys, since rows that they point to may be missing")
    return Plan(tuple(lines), lambda: _into_scratch(run, backup, clusters, tables))


def _into_scratch(run: Run, backup: Backup, clusters: Clusters, tables: Sequence[str]) -> dict[str, Any]:
    from ..databases.embedded.cluster import as_admin
    from ..databases.embedded.place import place_of

    with run.console.step("restore", f"restore {backup.path.name}"):
        clusters.remove(NEXT)  # of a run that was cut off
        try:
            port = clusters.start(NEXT).port
            with as_admin(place_of(run.settings.root) / NEXT, port) as connection:
                _warn(run, restoring.whole(connection, backup, tables))
            clusters.replace(RESTORED, by=NEXT)
        except BaseException:
            clusters.remove(NEXT)
            raise
        url = reach.url_of(run, clusters.start(RESTORED), RESTORED)
    run.console.say("`invoke sandbox.down` stops the scratch database and throws it away.", "note")
    run.console.result(url)
    return {"restored": shown(run.settings.root, backup.path), "database": RESTORED, "url": url}


def _warn(run: Run, unfilled: Sequence[str]) -> None:
    for told in unfilled:
        run.console.say(f"This materialized view could not be refreshed and is empty: {told}", "warning")


def _in_words(backup: Backup) -> str:
    """What is brought back, and of when it is."""
    it = backup.manifest
    rows = f"schema, history, and {backups.holds(it)}" if it.tables else "schema and history, without any rows"
    return f"{it.label} of {it.created_at} ({it.reason}), {rows}"
