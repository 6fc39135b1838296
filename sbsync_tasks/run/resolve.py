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
from ..git import earlier_texts
from ..paths import shown
from ..plan import Put
from ..plan.conflicts import asks_branches, diagnose
from ..plan.goals import consistent
from ..plan.model import Conflict, Facts
from ..plan.partly import Leftovers
from ..state import State
from ..state.migrations import Migration
from .look import changes, facts, look
from .push import of_remote
from .question import Goal, carry_out
from .session import Run


def resolve(run: Run) -> None:
    """Explain every conflict; after one question, cure those that can be cured; look again and say what is left.

    With `--json` the document is `{"environment", "dry_run", "conflicts", "plan", "done", "kept", "left"}`.

    Raises:
        RefusedError: declined, or something is left that has to be decided by the user.
    """
    state = look(run)
    run.introduce()
    drift = _drift(run, state)
    found = left = diagnose(_facts(run, state, drift))
    with run.console.as_result():
        _show(run, found)
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
    return replace(known, branches=_branches(run.settings.root, asks_branches(known)))


def _branches(root: Path, versions: Sequence[str]) -> Mapping[str, Mapping[Migration, str]]:
    try:
        repository = git.find_repository(root) if versions else None
    except MissingToolError:
        return {}
    return earlier_texts(repository, versions) if repository else {}


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


def _show(run: Run, found: Sequence[Conflict]) -> None:
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
