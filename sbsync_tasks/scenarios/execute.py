"""Carrying a plan out, on the state that it was made for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from ..databases import Database
from ..databases.catalog import compare, told
from ..errors import RefusedError
from ..plan.actions import (
    Action,
    BackUp,
    BringUp,
    Commit,
    Plan,
    Prove,
    Push,
    Rebuild,
    Record,
    Write,
    writes_to_remote,
    writing,
)
from ..process import in_parallel
from ..state import State
from ..state.histories import History
from ..state.migrations import read_folder
from ..steps import backup, commit, push, record, reset, verify, write
from ..steps.diff import listed
from ..steps.done import Done
from ..steps.run import Run


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
            with run.console.step(action.step, action.doing):
                _perform(run, state, action, done)
    return done


def _perform(run: Run, state: State, action: Action, done: Done) -> None:
    match action:
        case Write():
            write.write_files(run.settings.root, action)
        case Rebuild():
            reset.rebuild(run, action, done)
        case BringUp():
            reset.bring_up(run, state, action, done)
        case BackUp():
            done.backups = (*done.backups, backup.remote_before_push(run, action))
        case Push():
            push.push(run, state, action, done)
        case Prove():
            done.proof = verify.remote_against_files(run, state) if action.files else verify.verify(run, state)
        case Commit():
            done.committed = commit.commit(run, state, action)
        case Record():
            record.record(run, state, action, done)


@contextmanager
def _as_planned(run: Run, state: State, plan: Plan) -> Iterator[None]:
    """Hold the remote's lock where it is written to, and see that nothing has changed since the plan was made."""
    with push.writing_lock(run) if writes_to_remote(plan) else nullcontext():
        if writing(plan):
            _refuse_another_state(run, state)
        yield


def _refuse_another_state(run: Run, state: State) -> None:
    if read_folder(run.settings.root) != state.folder:
        raise _changed("supabase/migrations", "its files are others")
    remote, local = in_parallel(
        lambda: _since(run, state, run.remote, state.remote_history),
        lambda: _since(run, state, run.local, state.local_history) if "local" in state.catalogs else "",
    )
    if remote or local:
        raise _changed(run.remote.label if remote else run.local.label, remote or local)


def _since(run: Run, state: State, database: Database, history: History) -> str:
    """What has changed in a database since it was looked at, in words; empty for nothing."""
    now = database.history()
    if versions := push.other_versions(history, now):
        return versions
    names = ("before", "now")
    different = compare(state.catalogs[database.side], run.catalog(database), run.claims, names)
    return "\n" + listed(told(different)) if different else ""


def _changed(where: str, what: str) -> RefusedError:
    return RefusedError(
        f"{where} has changed since this run looked at it: {what.rstrip('.')}.\nNothing was written.",
        "Run the same command again: it looks again, and makes a new plan.",
    )
