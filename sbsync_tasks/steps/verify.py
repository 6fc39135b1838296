"""Making the proof: reading everything again, after the work, from the databases themselves."""

from __future__ import annotations

from dataclasses import replace

from .. import histories
from ..histories import History, as_migrations
from ..migrations import Migration
from ..proof import Proof, apart
from ..side_by_side import side_by_side
from .diff import Compared, engine_and_catalogs
from .files import problems, refuse
from .preflight import look, look_at_remote
from .run import Run, Work


def verify(run: Run, work: Work) -> Work:
    """Compare both databases as they are now; the work that comes in only says what is known to be apart."""
    now = look(run)
    pending = [m for m in now.folder.migrations if m.version not in now.remote_history]
    unrecorded = {m.version for m in work.to_record}
    if work.drift or any(m.version not in unrecorded for m in pending):
        found = _each_against_its_own(run, now, work)
    else:
        found = engine_and_catalogs(run, run.remote, run.local)
    return work.with_(
        local_history=now.local_history, remote_history=now.remote_history, rows=now.rows,
        proof=Proof(
            databases=(run.remote.name, run.local.name), sql=found.sql, differences=found.differences,
            line_ends=found.line_ends, platform=found.platform, exposed=found.exposed, stand_ins=found.stand_ins,
            refused=found.refused,
            histories=_histories_differ(now, {m.version for m in pending}),
            pending=tuple(m.file_name for m in pending if m.version not in unrecorded),
            unrecorded=tuple(m.file_name for m in pending if m.version in unrecorded),
            known_drift=work.drift, schemas=run.settings.schemas,
            bare=_bare(now.local_history, now.remote_history),
        ),
    )  # fmt: skip


def _bare(*found: History) -> tuple[str, ...]:
    """The versions that were recorded without their statements: they are taken at their word."""
    return tuple(sorted({r.version for history in found for r in history.values() if r.statements is None}))


def histories_again(run: Run, work: Work) -> Work:
    """After versions were recorded on the remote: the part of the proof that this has changed."""
    with run.remote.connection() as connection:
        history = histories.read(connection)
    work = work.with_(remote_history=history)
    if work.proof is None:
        return work
    pending = {m.version for m in work.files if m.version not in history}
    recorded = {m.file_name for m in work.files if m.version in history}
    proof = replace(
        work.proof, histories=_histories_differ(work, pending),
        unrecorded=tuple(name for name in work.proof.unrecorded if name not in recorded),
    )  # fmt: skip
    return work.with_(proof=proof)


def remote_against_files(run: Run, work: Work, pending: tuple[Migration, ...] = ()) -> Work:
    """The remote against a shadow of the files; the local database is not looked at.

    Args:
        run: The run.
        work: What is known.
        pending: Files that the remote rightly lacks: they are set apart by name. After a push there are none.
    """
    with run.remote.connection() as connection:
        history = histories.read(connection)
    files = {m.version: m for m in work.files if m not in pending}
    shadow = run.shadow(tuple(files.values()), run.remote_identity.major)
    found = engine_and_catalogs(run, shadow, run.remote)
    unlike = {v for v, m in files.items() if not _matches(history, v, m)} | (set(history) - set(files))
    made = Proof(
        databases=(run.remote.name, "the migration files"), sql="" if work.drift else found.sql,
        differences=apart(found.differences, work.drift), line_ends=found.line_ends,
        platform=found.platform, exposed=found.exposed, stand_ins=found.stand_ins,
        refused=found.refused,
        histories=tuple(sorted(unlike)), pending=tuple(m.file_name for m in pending), known_drift=work.drift,
        schemas=run.settings.schemas, bare=_bare(history),
    )  # fmt: skip
    return work.with_(remote_history=history, proof=made)


def _each_against_its_own(run: Run, now: Work, work: Work) -> Compared:
    """With files pending the databases differ rightly: each is compared with what it is meant to hold.

    That is, the local database with all files, and the remote with its history and the files whose effect it has.
    """
    had = {*now.remote_history, *(m.version for m in work.to_record)}
    remote_files = [m for m in now.folder.migrations if m.version in had and m.version not in now.remote_history]
    remote_base = (*as_migrations(now.remote_history, now.folder.migrations), *remote_files)
    local_shadow = run.shadow(now.folder.migrations, run.local_identity.major)
    remote_shadow = run.shadow(remote_base, run.remote_identity.major)
    local, remote = side_by_side(
        lambda: engine_and_catalogs(run, local_shadow, run.local),
        lambda: engine_and_catalogs(run, remote_shadow, run.remote),
    )
    rest = apart(remote.differences, work.drift)
    sql = "\n\n".join(s for s in (local.sql, remote.sql if rest or not work.drift else "") if s)
    return Compared(
        sql, (*local.differences, *rest), (*local.line_ends, *remote.line_ends), (*local.platform, *remote.platform),
        (*local.exposed, *remote.exposed), (*local.stand_ins, *remote.stand_ins),
        local.refused or remote.refused,
    )  # fmt: skip


def _histories_differ(now: Work, pending: set[str]) -> tuple[str, ...]:
    """Versions that the files and both histories do not hold alike, but for those that are pending."""
    versions = sorted({*now.local_history, *now.remote_history, *(m.version for m in now.files)} - pending)
    different = set(histories.equal(now.local_history, now.remote_history, versions))
    files = {m.version: m for m in now.files}
    different |= {v for v in versions if v not in files}
    different |= {v for v, m in files.items() if not _matches(now.local_history, v, m)}
    return tuple(sorted(different))


def _matches(history: History, version: str, migration: Migration) -> bool:
    return version in history and history[version].matches(migration)


def prove(run: Run, *, remote: bool = False) -> Proof:
    """The proof of the two databases as they are; with `remote`, of the remote and the files alone.

    Raises:
        RefusedError: the CLI would skip a file, so what the files say is not what a proof would be about.
    """
    seen = look_at_remote(run) if remote else look(run)
    refuse(problems(run, seen.folder))
    work = remote_against_files(run, seen, seen.pending) if remote else verify(run, seen)
    assert work.proof is not None  # noqa: S101 - verify always makes one
    return work.proof
