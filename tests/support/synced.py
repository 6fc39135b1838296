"""The prepared project that tests copy, made once in a run by the first worker that needs it."""

from __future__ import annotations

from pathlib import Path

from sbsync_tasks.databases.embedded import Clusters
from sbsync_tasks.databases.embedded.binaries import find_binaries
from sbsync_tasks.folders import locked
from tests.support.project import Project

FOLDER, READY = "synced", "ready"
WAIT = 600.0  # seconds, for a worker that may have to fetch the CLI first


def shared_project(run: Path, cli: Path) -> Project:
    """A sandbox project in sync, stopped.

    Args:
        run: The folder that all workers share.
        cli: The CLI that makes it.
    """
    made = Project(run / FOLDER / "project", cli)
    with locked(run / f"{FOLDER}.lock", wait=WAIT):
        if not (run / FOLDER / READY).exists():
            made.root.mkdir(parents=True)
            made.create()
            made.sync("local-to-remote")
            assert len(made.remote.history()) == len(made.migrations)
            made.stop()
            (run / FOLDER / READY).touch()
    return made


def remove_shared(run: Path) -> None:
    """Remove its databases, when all workers have ended."""
    root = run / FOLDER / "project"
    if root.exists():
        Clusters(root, find_binaries(None)).remove_all()
