"""The guide's steps alone, and what stands around them: each a goal of its own, carried out as a scenario is."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .. import git
from ..checks import mask
from ..console import counted
from ..databases.catalog import told
from ..databases.database import RESTORED
from ..databases.shadows import only_run
from ..errors import ConfigError, MissingToolError, RefusedError, SbsyncError
from ..folders import shown
from ..git import commits, earlier_texts
from ..plan import BackUp, Commit, Put, Restore, Write, goals
from ..plan.conflicts import asks_branches, diagnose
from ..plan.goals import consistent, problems_of_transactions, pull, refuse
from ..plan.model import Conflict, Facts
from ..plan.partly import Leftovers
from ..state import Origin, Risk, State
from ..state.histories import At
from ..state.migrations import VERSION_FORMAT, Migration, migrations_dir, next_version
from . import backup as restoring
from . import files
from .execute import Goal, carry_out, execute
from .files import problems, tell_skipped
from .generate import Generated, generate
from .look import changes, facts, listed, look, major_to_be, who_answers
from .push import of_remote
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
    """Commit the migration files that git does not have yet; those that seem to hold a credential stay out."""
    repository = git.needed(run.settings.root)
    for warning in commits.check_ready(repository):
        run.console.say(warning, "warning")
    state = files.look_at_git(run, look(run, []))
    tell_skipped(run, state.folder)
    plan = Goal(goals.commit).of(run, state)
    chosen = [m for action in plan if isinstance(action, Commit) for m in action.migrations]
    if state.in_git and state.in_git.secret:
        message = f"{', '.join(sorted(state.in_git.secret))} holds what looks like a credential, and is not committed."
        if not plan:
            raise RefusedError(message, f"{files.FOR_EVER}.")
        run.console.say(message, "warning")
    if not plan:
        run.console.say("Nothing to commit: git has every migration.", "ok")
    folder = migrations_dir(run.settings.root)
    commits.check_ready(repository, [folder / m.file_name for m in chosen])
    done = carry_out(run, state, Goal(goals.commit))
    made = done.committed
    if made:
        run.console.say(f"committed {', '.join(made.files)} as {made.commit}", "ok")
    if done.rewritten:
        run.console.say(" ".join(files.told_rewritten(done.rewritten)), "warning")
    run.console.document(
        {"plan": done.document(), "commit": made.commit if made else "", "files": list(made.files) if made else []}
    )


def restore(run: Run, named: str, tables: Sequence[str], *, to_scratch: bool) -> None:
    """Bring a backup back: all of it or the rows of `tables`, into the local database or a scratch one."""
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
    """Write an empty migration file and print its path; at a terminal the editor opens it."""
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


def diff(run: Run, *, remote: bool, verbatim: bool) -> bool:
    """Show one database's unrecorded changes, proved on a shadow, as SQL on stdout; as files where a name was given.

    `verbatim` is the engine's own text, neither completed nor proved, so no file takes it. Refused where the SQL holds
    a secret of the settings. True where there are changes.
    """
    if verbatim and run.options.name:
        raise ConfigError("--verbatim writes no file: its SQL is not proved.", "Leave out --name, or --verbatim.")
    side = "remote" if remote else "local"
    database, state = run.database(side), look(run, [side])
    tell_skipped(run, state.folder)
    found = changes(run, state, side)
    made, sql = Generated(()), ""
    if found.differences and verbatim:
        shadow = run.shadow(found.base, run.major(database), database)
        sql = run.cli.diff(shadow.endpoint, database.endpoint, run.settings.schemas)
        made = Generated((), () if sql else found.differences)
    elif found.differences:
        made = generate(run, database, found.base, run.options.name or "changes", state.versions)
        sql = "\n".join(m.sql for m in made.migrations)
    state = state.joined_by(Origin.REMOTE if remote else Origin.LOCAL, made.migrations)
    plan = Goal(pull).of(run, state) if run.options.name else ()
    written = made.migrations if plan and not run.options.dry_run else ()
    printed = _exact(run, sql, written=bool(written))
    done = execute(run, state, plan)
    _tell(run, found.by_hand, made, written, printed)
    parts = [part for parts in made.parts for part in parts] if printed else []
    run.console.document(
        {
            "plan": done.document(), "sql": printed, "files": [m.file_name for m in written],
            "unrecorded_files": [m.file_name for m in found.by_hand],
            "statements": [{"origin": p.origin, "why": p.why, "sql": p.text} for p in parts],
            "without_sql": told(made.unwritable),
        }
    )  # fmt: skip
    return bool(sql or found.by_hand or made.unwritable)


def _exact(run: Run, sql: str, *, written: bool) -> str:
    """The SQL as it is, or nothing, since masked it would look whole; refused where no file takes it instead."""
    if not run.console.redact.holds(sql):
        return sql
    if written:
        return ""
    raise RefusedError(
        "The SQL holds a password or token of the settings, so it is not printed.",
        "Keep such a value in Supabase Vault; or --name NAME writes the SQL into a file (which no task commits).",
    )


def _tell(run: Run, by_hand: Sequence[Migration], made: Generated, written: Sequence[Migration], sql: str) -> None:
    console = run.console
    console.result(sql)
    if not (made.migrations or sql or by_hand or made.unwritable):
        console.say("No unrecorded changes.", "ok")
    for migration in by_hand:
        console.say(f"{migration.file_name}: its effect is there, and it is not recorded", "warning")
    if made.unwritable:
        console.say("These could not be carried into a migration:\n" + listed(told(made.unwritable)), "warning")
        if run.options.name and not made.migrations:
            console.say("There is nothing to write: no file was made.", "note")
    for migration in written:
        console.say(f"wrote supabase/migrations/{migration.file_name}", "ok")
    if written and not sql:
        console.say("It holds a password or token of the settings: it is not printed, nor committed.", "warning")


# --- invoke resolve ---


def resolve(run: Run) -> None:
    """Explain every conflict; after one question, cure those that can be cured; look again and say what is left.

    With `--json` the document is `{"environment", "dry_run", "conflicts", "plan", "done", "kept", "left"}`. Refused
    where something is left that has to be decided by the user.
    """
    state = look(run)
    run.introduce()
    drift = _drift(run, state)
    found = left = diagnose(_facts(run, state, drift))
    with run.console.as_result():
        _show_conflicts(run, found)
    done = carry_out(run, state, Goal(lambda *_: consistent(found)))
    changed = bool(done.plan) and not run.options.dry_run
    if changed:
        left = diagnose(_facts(run, look(run), drift))
    kept = [shown(run.settings.root, path) for path in done.kept]
    run.console.document(
        {
            "environment": run.settings.env, "dry_run": run.options.dry_run,
            "conflicts": [c.document() for c in found], "plan": [a.document() for a in done.plan],
            "done": changed, "kept": kept, "left": [c.document() for c in left],
        }
    )  # fmt: skip
    for path in kept:
        run.console.say(f"kept: {path}", "note")
    if not changed:
        _refuse_left([c for c in left if not c.actions], "would still have" if done.plan else "has")
        return
    _refuse_left(left, "still has")
    run.console.say("Nothing is in conflict any more; `invoke status` shows what is pending.", "ok")


# --- looking ---

Drift = tuple[tuple[str, ...], Leftovers | None]


def _facts(run: Run, state: State, drift: Drift) -> Facts:
    known = replace(facts(run, state), drift=drift[0], left=drift[1])
    versions = asks_branches(known)
    try:
        repository = git.find_repository(run.settings.root) if versions else None
    except MissingToolError:
        return known
    return replace(known, branches=earlier_texts(repository, versions)) if repository else known


def _drift(run: Run, state: State) -> Drift:
    """How the remote differs from its own history; where that cannot be told, a warning says so."""
    clear = tuple(e for e in state.entries if e.migration.version not in state.folder.duplicates)
    try:
        found = changes(run, replace(state, entries=clear), "remote")
    except SbsyncError as error:
        text = f"Whether {run.remote.name} differs from its own history cannot be told: {error.message}"
        run.console.say(text, "warning")
        return (), None
    return tuple(told(found.differences)), of_remote(run, state, found)


# --- telling ---


def _show_conflicts(run: Run, found: Sequence[Conflict]) -> None:
    console = run.console
    if not found:
        console.say("Files and both histories are not in conflict.", "ok")
    for conflict in found:
        console.say(f"{conflict.kind.value}: {conflict.what}", "warning")
        for line in conflict.details:
            console.say(f"      {line}")
        for way in conflict.ways:
            default = way is conflict.ways[0] and way.actions
            console.say(f"  {'→' if default else '-'} {way.title}")
    for action in consistent(found):
        if isinstance(action, Put) and not action.replaces:
            console.heading(f"supabase/migrations/{action.migration.file_name}")
            console.sql(mask(action.migration.sql))


def _refuse_left(left: Sequence[Conflict], verb: str) -> None:
    if not left:
        return
    listed = "\n".join(f"  - {c.what}" for c in left)
    curable = any(c.actions for c in left)
    raise RefusedError(
        f"The project {verb} {counted(len(left), 'conflict')}:\n{listed}",
        "Run `invoke resolve` again: it cures these, too." if curable else "The ways out are named above.",
    )
