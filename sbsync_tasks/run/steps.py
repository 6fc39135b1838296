"""The guide's steps alone, and what stands around them: each a goal of its own, carried out as a scenario is."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .. import git
from ..databases.catalog import Difference, told
from ..databases.open import RESTORED
from ..databases.shadows import only_run
from ..errors import ConfigError, RefusedError, SbsyncError
from ..generate import Part
from ..git import commits
from ..paths import shown
from ..plan import BackUp, Commit, Plan, Restore, Write, goals
from ..plan.goals import problems_of_transactions, pull, refuse
from ..state import Origin, Risk
from ..state.histories import At
from ..state.migrations import VERSION_FORMAT, Migration, migrations_dir, next_version
from . import backup as restoring
from . import commit as committing
from .execute import execute
from .generate import generate
from .look import changes, listed, look, major_to_be, problems, tell_skipped, who_answers
from .question import Goal, carry_out
from .reset import refuse_what_stays
from .review import open_editor
from .session import Run


def reset(run: Run) -> None:
    """Rebuild the local database, after a backup, from what the folder holds; an embedded one in the remote's major."""
    run.refuse_config()
    state = look(run, ["local"])
    refuse(problems(run, state.folder))
    refuse(problems_of_transactions(e.migration for e in state.entries if e.local is not At.SAME))
    major = major_to_be(run)
    run.console.heading(run.local.label)
    run.shadow(state.files, major)  # proves that the files apply before anything is lost
    done = carry_out(run, state, Goal(goals.reset, refuse_what_stays, major=major))
    backup = shown(run.settings.root, done.backups[-1].path) if done.backups else ""
    if backup:
        run.console.say(f"{run.local.label} is what the migrations say. Backup of what it was: {backup}", "ok")
    run.console.document(
        {
            "plan": done.document(), "backup": backup, "migrations": [m.file_name for m in state.files],
            "seeds": [*done.seeds],
        }
    )  # fmt: skip


def commit(run: Run) -> None:
    """Commit the migration files that git does not have yet; those that seem to hold a credential stay out.

    Raises:
        RefusedError: nothing but such files is left.
    """
    repository = git.needed(run.settings.root)
    for warning in commits.check_ready(repository):
        run.console.say(warning, "warning")
    state = committing.look(run, look(run, []))
    tell_skipped(run, state.folder)
    plan = Goal(goals.commit).of(run, state)
    files = [m for action in plan if isinstance(action, Commit) for m in action.migrations]
    if state.in_git and state.in_git.secret:
        message = f"{', '.join(sorted(state.in_git.secret))} holds what looks like a credential, and is not committed."
        if not plan:
            raise RefusedError(message, f"{committing.FOR_EVER}.")
        run.console.say(message, "warning")
    if not plan:
        run.console.say("Nothing to commit: git has every migration.", "ok")
    folder = migrations_dir(run.settings.root)
    commits.check_ready(repository, [folder / m.file_name for m in files])
    done = carry_out(run, state, Goal(goals.commit))
    made = done.committed
    if made:
        run.console.say(f"committed {', '.join(made.files)} as {made.commit}", "ok")
    if done.rewritten:
        run.console.say(" ".join(committing.told_rewritten(done.rewritten)), "warning")
    run.console.document(
        {"plan": done.document(), "commit": made.commit if made else "", "files": list(made.files) if made else []}
    )


def restore(run: Run, named: str, tables: Sequence[str], *, to_scratch: bool) -> None:
    """Bring a backup back: all of it or the rows of `tables`, into the local database or a scratch one.

    Raises:
        RefusedError: the backup does not have what is asked for, or the user declined.
        ConfigError: no backup is meant, or the local database is the remote.
        SbsyncError: it failed; the database is as it was.
    """
    root, console = run.settings.root, run.console
    with only_run(root):
        plan = restoring.planned(run, named, tables, to_scratch=to_scratch)
        done = carry_out(run, who_answers(run, [] if to_scratch else ["local"]), Goal(lambda *_: plan))
    document: dict[str, Any] = {"plan": done.document()}
    if run.options.dry_run:
        console.document(document)
        return
    document["restored"] = next(shown(root, Path(a.backup)) for a in plan if isinstance(a, Restore))
    if to_scratch:
        console.say("`invoke sandbox.down` stops the scratch database and throws it away.", "note")
        console.result(done.url)
        console.document({**document, "database": RESTORED, "url": done.url})
        return
    saved = shown(root, done.backups[-1].path)
    console.say(f"{run.local.label} has what was asked for. Backup of what it was: {saved}", "ok")
    console.say("`invoke status` compares it with the migration files.", "note")
    console.document({**document, "database": run.local.label, "backup": saved})


def back_up(run: Run, *, local: bool, schema_only: bool) -> None:
    """Take a backup on request, and print its path."""
    side = "local" if local else "remote"
    action = BackUp(run.database(side).name, Risk(() if schema_only else None), side, "on-request")
    done = execute(run, who_answers(run, [side]), (action,))
    path = shown(run.settings.root, done.backups[-1].path) if done.backups else ""
    if not path:
        run.console.say(f"A run would {action}.", "ok")
    run.console.result(path)
    run.console.document({"plan": done.document(), "backup": path})


def new(run: Run, name: str) -> None:
    """Write an empty migration file and print its path; at a terminal the editor opens it.

    Args:
        run: The run.
        name: The migration's name, checked.
    """
    state, console = look(run, []), run.console
    tell_skipped(run, state.folder)
    migration = Migration(_version(run, state.versions), name, "")
    done = execute(run, state, (Write((migration,)),))
    made = migrations_dir(run.settings.root) / migration.file_name
    path = shown(run.settings.root, made)
    if run.options.dry_run:
        console.say(f"A run would write {path}.", "ok")
        path = ""
    elif console.interactive and sys.stdout.isatty():
        try:
            open_editor(made)
        except SbsyncError as error:
            console.say(f"{error.message} {error.hint} The file is there, and empty.", "warning")
    console.result(path)
    console.document({"plan": done.document(), "file": path, "version": migration.version})


def _version(run: Run, files: Sequence[str]) -> str:
    """Later than every version that is known; in the future only where one of these is."""
    taken = [*files, *(run.local.history() if not run.why_no_local() else ()), *_remote(run)]
    version = next_version(taken) or ""
    if version > datetime.now(UTC).strftime(VERSION_FORMAT):
        run.console.say(f"{version} lies in the future, since {max(taken)} does: a version has to be later.", "warning")
    return version


def _remote(run: Run) -> list[str]:
    """The remote's versions; none where it cannot be asked, which is said."""
    if run.settings.remote is None:
        run.console.say("No remote is named: the version is later than those of the files.", "note")
        return []
    try:
        return [*run.remote.history()]
    except SbsyncError as error:
        run.console.say(f"{error.message} The version is chosen without the remote's history.", "warning")
        return []


# --- invoke diff ---


@dataclass(frozen=True)
class Unrecorded:
    """A database's unrecorded changes.

    Attributes:
        migrations: The changes as migrations; files where a name was given.
        sql: Their exact text for stdout; empty where it holds a secret of the settings.
        by_hand: Files whose effect is there without being recorded.
        unwritable: Differences that no SQL is written for.
        plan: What is done with them; empty without a name.
        written: Whether that was done: the migrations stand in the folder now.
        parts: The statements of the migrations, with where each comes from.
    """

    migrations: tuple[Migration, ...]
    sql: str
    by_hand: tuple[Migration, ...]
    unwritable: tuple[Difference, ...]
    plan: Plan = ()
    written: bool = False
    parts: tuple[Part, ...] = ()

    @property
    def none(self) -> bool:
        """Whether there are no changes at all."""
        return not (self.sql or self.migrations or self.by_hand or self.unwritable)

    def document(self) -> dict[str, Any]:
        """The changes as JSON data."""
        return {
            "plan": [action.document() for action in self.plan],
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
        return Unrecorded((), "", found.by_hand, ())
    if verbatim:
        shadow = run.shadow(found.base, run.major(database), database)
        sql = _exact(run, run.cli.diff(shadow.endpoint, database.endpoint, run.settings.schemas), written=False)
        return Unrecorded((), sql, found.by_hand, () if sql else found.differences)
    made = generate(run, database, found.base, name, state.versions)
    state = state.joined_by(Origin.REMOTE if remote else Origin.LOCAL, made.migrations)
    plan = Goal(pull).of(run, state) if run.options.name else ()
    written = bool(plan) and not run.options.dry_run
    sql = _exact(run, "\n".join(m.sql for m in made.migrations), written=written)
    execute(run, state, plan)
    parts = tuple(part for parts in made.parts for part in parts)
    return Unrecorded(made.migrations, sql, (), made.unwritable, plan, written, parts)


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
