"""`invoke resolve`: conflicts between files and histories, each explained, and cured where there is one safe way.

The remote is only read. Files that give way and history rows that change are kept first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from .. import git
from ..checks import mask
from ..console import counted
from ..databases.catalog import told
from ..errors import MissingToolError, RefusedError, SbsyncError
from ..git.earlier import Candidate, earlier_texts
from ..paths import shown
from ..plan.conflicts import asks_branches, diagnose
from ..plan.model import Conflict, Drift, Facts, Put, Remedy, Rerecord
from ..state import State
from ..state.migrations import write_file
from . import preflight
from .diff import changes
from .marking import keep_history
from .run import Run
from .stayed import of_remote


def resolve(run: Run) -> None:
    """Explain every conflict; after one question, cure those that can be cured; look again and say what is left.

    With `--json` the document is `{"environment", "dry_run", "conflicts", "plan", "done", "kept", "left"}`.

    Raises:
        RefusedError: declined, or something is left that has to be decided by the user.
    """
    state = preflight.look(run)
    run.introduce()
    drift = _drift(run, state)
    facts = _facts(run, state, drift)
    found = diagnose(facts)
    actions = [action for conflict in found for action in conflict.actions]
    with run.console.as_result():
        _show(run, found, actions)
    if not actions or run.options.dry_run:
        _document(run, found, actions, done=False, kept=(), left=found)
        _refuse_left([c for c in found if not c.actions], "has" if not actions else "would still have")
        return
    run.console.confirm("Do this?")
    with run.console.step("resolve", f"do {counted(len(actions), 'thing')}, in files and the local history"):
        kept = _act(run, facts, actions)
    left = diagnose(_facts(run, preflight.look(run), drift))
    _document(run, found, actions, done=True, kept=kept, left=left)
    for path in kept:
        run.console.say(f"kept: {shown(run.settings.root, path)}", "note")
    _refuse_left(left, "still has")
    run.console.say("Nothing is in conflict any more; `invoke status` shows what is pending.", "ok")


# --- looking ---


def _facts(run: Run, state: State, drift: Drift) -> Facts:
    facts = replace(preflight.facts(run, state), drift=drift)
    return replace(facts, branches=_branches(run.settings.root, asks_branches(facts)))


def _branches(root: Path, versions: Sequence[str]) -> Mapping[str, tuple[Candidate, ...]]:
    try:
        repository = git.find_repository(root) if versions else None
    except MissingToolError:
        return {}
    return earlier_texts(repository, versions) if repository else {}


def _drift(run: Run, state: State) -> Drift:
    """How the remote differs from its own history; where that cannot be told, a warning says so."""
    duplicates = state.folder.duplicates
    files = [m for m in state.folder.migrations if m.version not in duplicates]
    try:
        found = changes(run, run.remote, state.remote_history, files)
    except SbsyncError as error:
        text = f"Whether {run.remote.name} differs from its own history cannot be told: {error.message}"
        run.console.say(text, "warning")
        return Drift()
    left = of_remote(run, state, found)
    return Drift(tuple(told(found.differences)), left.said if left else "", left.way_on if left else "")


# --- acting ---


def _act(run: Run, facts: Facts, actions: Sequence[Remedy]) -> tuple[Path, ...]:
    now = preflight.look(run)
    if (now.folder, now.local_history, now.remote_history) != (facts.folder, facts.local, facts.remote):
        what = "Files or histories have changed since they were looked at. Nothing was changed."
        raise RefusedError(what, "Run `invoke resolve` again: it looks again.")
    root = run.settings.root
    kept = [write_file(root, a.migration, a.replaces) for a in actions if isinstance(a, Put)]
    rows = [a for a in actions if isinstance(a, Rerecord)]
    history = [_rerecord(run, rows)] if rows else []
    return tuple(path for path in (*kept, *history) if path)


def _rerecord(run: Run, rows: Sequence[Rerecord]) -> Path:
    """Change versions in the local history, all or none, rows and their statements staying what they are.

    Returns:
        Where the history is kept as it was.
    """
    kept = keep_history(run, run.local)
    with run.local.connection() as connection, connection.transaction():
        for row in rows:
            done = connection.execute(
                "update supabase_migrations.schema_migrations set version = %s where version = %s", (row.new, row.old)
            )
            if done.rowcount != 1:
                raise RefusedError(f"The local history no longer has {row.old}; it is left as it is.", "Run again.")
    return kept


# --- telling ---


def _show(run: Run, found: Sequence[Conflict], actions: Sequence[Remedy]) -> None:
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
    for action in actions:
        if isinstance(action, Put) and not action.replaces:
            console.heading(f"supabase/migrations/{action.migration.file_name}")
            console.sql(mask(action.migration.sql))
    if actions:
        console.numbered("What would be done" if run.options.dry_run else "What will be done", actions)


def _document(
    run: Run, found: Sequence[Conflict], actions: Sequence[Remedy], *, done: bool, kept: Sequence[Path],
    left: Sequence[Conflict],
) -> None:  # fmt: skip
    run.console.document(
        {
            "environment": run.settings.env, "dry_run": run.options.dry_run,
            "conflicts": [c.document() for c in found], "plan": [str(a) for a in actions],
            "done": done, "kept": [shown(run.settings.root, p) for p in kept],
            "left": [c.document() for c in left],
        }
    )  # fmt: skip


def _refuse_left(left: Sequence[Conflict], verb: str) -> None:
    if not left:
        return
    listed = "\n".join(f"  - {c.what}" for c in left)
    curable = any(c.actions for c in left)
    raise RefusedError(
        f"The project {verb} {counted(len(left), 'conflict')}:\n{listed}",
        "Run `invoke resolve` again: it cures these, too." if curable else "The ways out are named above.",
    )
