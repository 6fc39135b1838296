"""Making the proof: reading everything again, after the work; and what is recorded once it holds."""

from __future__ import annotations

from dataclasses import replace

from ..databases import Database
from ..plan import Prove, Record
from ..plan.goals import refuse
from ..process import in_parallel
from ..state import State, histories
from ..state.histories import History, as_migrations
from ..state.migrations import Migration
from . import reset
from .look import engine_and_catalogs, look, look_at_histories, problems
from .proof import Compared, Proof, except_for
from .push import mark_applied, refuse_other_histories
from .session import Done, Run


def prove(run: Run, state: State, action: Prove, done: Done) -> None:
    """Read everything again, and compare."""
    match action.side:
        case "local":
            reset.refuse_other_than_files(run, done)
        case "remote":
            done.proof = remote_against_files(run, state, look(run, ["remote"]))
        case _:
            done.proof = both(run, state, look(run))


def both(run: Run, state: State, now: State) -> Proof:
    """Compare both databases as they are now; the state that was planned on only says what is known to be apart."""
    unrecorded = {m.version for m in state.to_record}
    seeded = run.made_by_seeds(now.folder.migrations)
    if state.drift or seeded or any(m.version not in unrecorded for m in now.pending):
        found = _each_against_its_own(run, now, state)
    else:
        catalogs = (now.sides[side].catalog for side in ("remote", "local"))
        found = engine_and_catalogs(run, run.remote, run.local, *catalogs)
    return Proof(
        **vars(found), databases=(run.remote.name, run.local.name),
        histories=_histories_differ(now, {m.version for m in now.pending}),
        pending=tuple(m.file_name for m in now.pending if m.version not in unrecorded),
        unrecorded=tuple(m.file_name for m in now.pending if m.version in unrecorded),
        known_drift=state.drift, schemas=run.settings.schemas,
        bare=_bare(now.local_history, now.remote_history),
    )  # fmt: skip


def _bare(*found: History) -> tuple[str, ...]:
    """The versions that were recorded without their statements: they are taken at their word."""
    return tuple(sorted({r.version for history in found for r in history.values() if r.statements is None}))


def histories_again(run: Run, state: State, proof: Proof) -> Proof:
    """After versions were recorded on the remote: the proof with the part that this has changed."""
    now = look_at_histories(run)
    ours = {m.version: m for m in state.files}  # what a hook has made of them since is told at the commit
    folder = replace(now.folder, migrations=tuple(ours.get(m.version, m) for m in now.folder.migrations))
    now, remote = State.of(folder, now.sides), now.remote_history
    recorded = {m.file_name for m in state.files if m.version in remote}
    return replace(
        proof, histories=_histories_differ(now, {m.version for m in now.pending}),
        unrecorded=tuple(name for name in proof.unrecorded if name not in recorded),
    )  # fmt: skip


def remote_against_files(run: Run, state: State, now: State, pending: tuple[Migration, ...] = ()) -> Proof:
    """The remote against a shadow of the files; the local database is not looked at.

    Args:
        run: The run.
        state: What is known.
        now: What the remote is now.
        pending: Files that the remote rightly lacks: they are set apart by name. After a push there are none.
    """
    history = now.remote_history
    files = {m.version: m for m in state.files if m not in pending}
    shadow = run.shadow(tuple(files.values()), run.remote_identity.major)
    found = _against(run, shadow, now, "remote")
    rest, sql = except_for(state.drift, found.differences), "" if state.drift else found.sql
    unlike = {v for v, m in files.items() if not _matches(history, v, m)} | (set(history) - set(files))
    return Proof(
        **vars(replace(found, sql=sql, differences=rest)), databases=(run.remote.name, "the migration files"),
        histories=tuple(sorted(unlike)), pending=tuple(m.file_name for m in pending), known_drift=state.drift,
        schemas=run.settings.schemas, bare=_bare(history),
    )  # fmt: skip


def _each_against_its_own(run: Run, now: State, state: State) -> Compared:
    """With files pending the databases differ rightly: each is compared with what it is meant to hold.

    That is, the local database with all files, and the remote with its history and the files whose effect it has.
    """
    had = {*now.remote_history, *(m.version for m in state.to_record)}
    remote_files = [m for m in now.folder.migrations if m.version in had and m.version not in now.remote_history]
    remote_base = (*as_migrations(now.remote_history, now.folder.migrations), *remote_files)
    local_shadow = run.shadow(now.folder.migrations, run.local_identity.major, run.local)
    remote_shadow = run.shadow(remote_base, run.remote_identity.major)
    local, remote = in_parallel(
        lambda: _against(run, local_shadow, now, "local"),
        lambda: _against(run, remote_shadow, now, "remote"),
    )
    rest = except_for(state.drift, remote.differences)
    sql = "\n\n".join(s for s in (local.sql, remote.sql if rest or not state.drift else "") if s)
    return Compared(
        sql=sql, differences=(*local.differences, *rest), line_ends=(*local.line_ends, *remote.line_ends),
        platform=(*local.platform, *remote.platform), exposed=(*local.exposed, *remote.exposed),
        stand_ins=(*local.stand_ins, *remote.stand_ins), refused=local.refused or remote.refused,
    )  # fmt: skip


def _against(run: Run, shadow: Database, now: State, side: str) -> Compared:
    return engine_and_catalogs(run, shadow, run.database(side), run.catalog(shadow), now.sides[side].catalog)


def _histories_differ(now: State, pending: set[str]) -> tuple[str, ...]:
    """Versions that the files and both histories do not hold alike, but for those that are pending."""
    versions = sorted({*now.local_history, *now.remote_history, *(m.version for m in now.files)} - pending)
    different = set(histories.unlike(now.local_history, now.remote_history, versions))
    files = {m.version: m for m in now.files}
    different |= {v for v in versions if v not in files}
    different |= {v for v, m in files.items() if not _matches(now.local_history, v, m)}
    return tuple(sorted(different))


def _matches(history: History, version: str, migration: Migration) -> bool:
    return version in history and history[version].matches(migration)


def look_and_prove(run: Run, *, remote: bool = False) -> Proof:
    """The proof of the two databases as they are; with `remote`, of the remote and the files alone.

    Raises:
        RefusedError: the CLI would skip a file, so what the files say is not what a proof would be about.
    """
    state = look(run, ["remote"]) if remote else look(run)
    refuse(problems(run, state.folder))
    return remote_against_files(run, state, state, state.pending) if remote else both(run, state, state)


def record(run: Run, state: State, action: Record, done: Done) -> None:
    """Mark the migrations whose effect the remote has as applied there.

    Raises:
        RefusedError: another run has written there since the plan was made; nothing was changed.
        CliError: they could not be recorded.
    """
    refuse_other_histories(run, state)
    mark_applied(run, run.remote, action.migrations)
    done.recorded = tuple(m.version for m in action.migrations)
    if done.proof:
        done.proof = histories_again(run, state, done.proof)
