"""`invoke diff`: the unrecorded changes of one database, as SQL or as files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..databases.catalog import Difference, told
from ..errors import ConfigError, RefusedError
from ..generate import Part
from ..plan.goals import pull
from ..state import Origin
from ..state.migrations import Migration
from ..steps.diff import changes, listed
from ..steps.files import tell_skipped
from ..steps.generate import generate
from ..steps.preflight import look
from ..steps.run import Run
from .execute import execute
from .question import Goal


@dataclass(frozen=True)
class Unrecorded:
    """A database's unrecorded changes.

    Attributes:
        migrations: The changes as migrations; files where a name was given.
        sql: Their exact text for stdout; empty where it holds a secret of the settings.
        by_hand: Files whose effect is there without being recorded.
        unwritable: Differences that no SQL is written for.
        written: Whether the migrations stand in the folder now.
        parts: The statements of the migrations, with where each comes from.
    """

    migrations: tuple[Migration, ...]
    sql: str
    by_hand: tuple[Migration, ...]
    unwritable: tuple[Difference, ...]
    written: bool
    parts: tuple[Part, ...] = ()

    @property
    def none(self) -> bool:
        """Whether there are no changes at all."""
        return not (self.sql or self.migrations or self.by_hand or self.unwritable)

    def document(self) -> dict[str, Any]:
        """The changes as JSON data."""
        return {
            "sql": self.sql,
            "files": [m.file_name for m in self.migrations] if self.written else [],
            "unrecorded_files": [m.file_name for m in self.by_hand],
            "statements": [{"origin": p.origin, "why": p.why, "sql": p.text} for p in (self.parts if self.sql else ())],
            "without_sql": told(self.unwritable),
        }


def unrecorded(run: Run, *, remote: bool, verbatim: bool = False) -> Unrecorded:
    """The unrecorded changes of one database, proved on a shadow; written where a name was given.

    Args:
        run: The run.
        remote: Look at the remote instead of the local database.
        verbatim: Give the engine's own text, neither completed nor proved; nothing is written.

    Raises:
        ConfigError: a name was given all the same.
        RefusedError: the SQL holds a secret of the settings.
    """
    if verbatim and run.options.name:
        raise ConfigError("--verbatim writes no file: its SQL is not proved.", "Leave out --name, or --verbatim.")
    name = run.options.name or "changes"
    side = "remote" if remote else "local"
    database, state = run.database(side), look(run, [side])
    tell_skipped(run, state.folder)
    found = changes(run, state, side)
    if not found.differences:
        return Unrecorded((), "", found.by_hand, (), written=False)
    if verbatim:
        shadow = run.shadow(found.base, run.major(database))
        sql = _exact(run, run.cli.diff(shadow.endpoint, database.endpoint, run.settings.schemas), written=False)
        return Unrecorded((), sql, found.by_hand, () if sql else found.differences, written=False)
    made = generate(run, database, found.base, name, state.versions)
    state = state.joined_by(Origin.REMOTE if remote else Origin.LOCAL, made.migrations)
    plan = Goal(pull).of(run, state) if run.options.name else ()
    written = bool(plan) and not run.options.dry_run
    sql = _exact(run, "\n".join(m.sql for m in made.migrations), written=written)
    execute(run, state, plan)
    parts = tuple(part for parts in made.parts for part in parts)
    return Unrecorded(made.migrations, sql, (), made.unwritable, written, parts)


def _exact(run: Run, sql: str, *, written: bool) -> str:
    """The SQL as it is, or nothing: masked, it would look whole and do something else.

    Raises:
        RefusedError: it holds a secret of the settings, and no file takes it instead.
    """
    if not run.console.redact.holds(sql):
        return sql
    if written:
        return ""
    raise RefusedError(
        "The SQL holds a password or token of the settings, so it is not printed.",
        "Keep such a value in Supabase Vault; or --name NAME writes the SQL into a file (which no task commits).",
    )


def tell_changes(run: Run, found: Unrecorded) -> None:
    """What was found, in words, on stderr."""
    console = run.console
    if found.none:
        console.say("No unrecorded changes.", "ok")
    for migration in found.by_hand:
        console.say(f"{migration.file_name}: its effect is there, and it is not recorded", "warning")
    if found.unwritable:
        console.say(
            "These could not be carried into a migration:\n" + listed(told(found.unwritable)),
            "warning",
        )
        if run.options.name and not found.migrations:
            console.say("There is nothing to write: no file was made.", "note")
    if found.written:
        for migration in found.migrations:
            console.say(f"wrote supabase/migrations/{migration.file_name}", "ok")
        if not found.sql:
            console.say("It holds a password or token of the settings: it is not printed, nor committed.", "warning")
