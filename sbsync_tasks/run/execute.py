"""Carrying a plan out, on the state that it was made for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

from ..databases.catalog import compare, told
from ..errors import RefusedError
from ..plan import (
    Action,
    BackUp,
    BringUp,
    Commit,
    Plan,
    Prove,
    Push,
    Put,
    Rebuild,
    Record,
    Rerecord,
    Restore,
    Write,
    writes_to_remote,
    writing,
)
from ..state import Side, State
from ..state.migrations import write_file
from . import backup, commit, push, reset, verify
from .backup import bring_back
from .look import listed, look, who_answers
from .push import rerecord
from .session import Done, Run
from .verify import record


def write_files(run: Run, _state: State, action: Write, _done: Done) -> None:
    """Write the new files; a renamed one keeps a copy under its old name in `.sbsync/replaced`.

    Each is one move, the latest first: cut off at any point, every migration is there under one of its names, and
    none that is pending stands before one that was pulled.
    """
    root = run.settings.root
    for old, new in sorted(action.renamed, reverse=True):
        write_file(root, new, old.file_name)
    renamed = {new for _, new in action.renamed}
    for migration in action.migrations:
        if migration not in renamed:
            write_file(root, migration)


def put_file(run: Run, _state: State, action: Put, done: Done) -> None:
    """Write one file; what it takes the place of is kept."""
    kept = write_file(run.settings.root, action.migration, action.replaces)
    done.kept = (*done.kept, *([kept] if kept else []))


# How each action is done.
PERFORM: Mapping[type[Action], Callable[[Run, State, Any, Done], None]] = {
    Write: write_files,
    Put: put_file,
    Rerecord: rerecord,
    Rebuild: reset.rebuild,
    BringUp: reset.bring_up,
    BackUp: backup.as_planned,
    Push: push.push,
    Restore: bring_back,
    Prove: verify.prove,
    Commit: commit.commit,
    Record: record,
}


def execute(run: Run, state: State, plan: Plan) -> Done:
    """Do each action; nothing of a plan that would change something is done in a dry run.

    Raises:
        RefusedError: another run is writing to the remote, or the state is no longer the one that was planned on.
            Nothing was written.
    """
    done = Done(state, plan)
    if run.options.dry_run and writing(plan):
        return done
    with _as_planned(run, state, plan):
        for action in plan:
            if action.needs_proof and done.disproved:
                continue
            with run.console.step(action.step, str(action)):
                PERFORM[type(action)](run, state, action, done)
    return done


@contextmanager
def _as_planned(run: Run, state: State, plan: Plan) -> Iterator[None]:
    """Hold the remote's lock where it is written to, and see that nothing has changed since the plan was made."""
    with push.writing_lock(run) if writes_to_remote(plan) else nullcontext():
        if writing(plan):
            again = who_answers if all(action.whatever_is_there for action in writing(plan)) else look
            _refuse_another_state(run, state, again(run, state.sides))
        yield


def _refuse_another_state(run: Run, state: State, now: State) -> None:
    if now.folder != state.folder:
        raise _changed("supabase/migrations", "its files are others")
    for side, before in state.sides.items():
        if what := _since(run, before, now.sides[side]):
            raise _changed(run.database(side).label, what)


def _since(run: Run, before: Side, now: Side) -> str:
    """What has changed in a database, in words; empty for nothing."""
    if before.identity != now.identity:
        return "another server answers there, or the same one was started anew"
    if versions := push.other_versions(before.history, now.history):
        return versions
    different = compare(before.catalog, now.catalog, run.claims, ("before", "now"))
    return "\n" + listed(told(different)) if different else ""


def _changed(where: str, what: str) -> RefusedError:
    return RefusedError(
        f"{where} has changed since this run looked at it: {what.rstrip('.')}.\nNothing was written.",
        "Run the same command again: it looks again, and makes a new plan.",
    )
