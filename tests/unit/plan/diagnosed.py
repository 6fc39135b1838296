"""What is given to the diagnosis of conflicts, by files and what each database has recorded."""

from __future__ import annotations

from sbsync_tasks.plan.conflicts import diagnose
from sbsync_tasks.plan.model import Facts
from sbsync_tasks.state.histories import Recorded
from sbsync_tasks.state.migrations import Folder, Migration
from tests.unit.plan.world import NOW, history, recorded

NEW = "20260601000000"


def rows(given):
    """The history in which these are: rows as they are, and migrations as a push records them."""
    return history(*(m if isinstance(m, Recorded) else recorded(m) for m in given))


def facts(files, local, remote, *, misnamed=(), branches=None, drift=(), ways=None):
    folder = Folder(tuple(sorted(files)), misnamed)
    return Facts(folder, rows(local), rows(remote), "staging", branches or {}, drift, None, ways or {})


def one(*args, **more):
    (found,) = diagnose(facts(*args, **more), NOW)
    return found


def moved(migration, version):
    return Migration(version, migration.name, migration.sql)


def on_branch(migration):
    return {migration.version: {migration: "branch feature (Ann, 2026-05-01)"}}
