"""Rebuilding the local database from the migrations, or bringing it up without losing its data."""

from __future__ import annotations

from ..migrations import Migration
from . import backup
from .run import Run, Work

NEXT = "local-next"  # the embedded database that is about to become the local one


def needed(work: Work) -> bool:
    """Whether the local database is not yet what the files say."""
    recorded = work.local_history
    by_file = all(m.version in recorded and recorded[m.version].matches(m) for m in work.files)
    extra = set(recorded) - {m.version for m in work.files}
    return not by_file or bool(extra)


def rebuild(run: Run, work: Work) -> Work:
    """Back the local database up, build it again from all migrations, and run the seeds."""
    work = backup.whole_local(run, work)
    migrations = work.files
    if run.local.kind == "embedded":
        _swap_embedded(run, migrations)
    else:
        run.cli.reset(run.local.endpoint, migrations)
    run.forget_local()
    return work


def _swap_embedded(run: Run, migrations: tuple[Migration, ...]) -> None:
    """Build the new database beside the old one; only what is complete takes its place."""
    local = run.local
    clusters = local.clusters
    assert clusters is not None  # noqa: S101 - an embedded database always has them
    shadow = run.shadow(migrations, run.local_identity.major)
    if clusters.exists(NEXT):
        clusters.remove(NEXT)
    clusters.clone(shadow.cluster, NEXT)
    run.cli.push(clusters.start(NEXT), migrations, seed=True)
    clusters.stop(NEXT)
    clusters.replace(local.cluster, by=NEXT)


def bring_up(run: Run, work: Work) -> Work:
    """Without a reset: record what the local database has, apply what it has not; its data is kept."""
    endpoint = run.local.endpoint
    had = [m for m in work.files if m in work.unrecorded_locally]
    if had:
        run.cli.mark_applied(endpoint, had)
    known = {*work.local_history, *(m.version for m in had)}
    missing = [m for m in work.files if m.version not in known]
    if missing:
        run.cli.push(endpoint, work.files, include_all=True)
    return work
