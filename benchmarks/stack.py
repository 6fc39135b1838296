"""Scenario 1 on the CLI's local stack: ours, backups and proof included, against the guide's commands typed by hand.

`python -m benchmarks.stack` needs a Docker engine. By hand means `db diff -f`, `db reset`, `db push`, `db pull` (which
is the guide's way of verifying), each with the target that this version of the CLI needs, in the same project.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.run import show, timed
from sbsync_tasks.folders import cache_dir
from sbsync_tasks.supabase_cli.binary import NEWEST_KNOWN, install
from tests.docker.conftest import StackProject

REPEATS = 3


def main() -> None:
    """Take turns, and print the ratio of the medians."""
    os.environ["XDG_CACHE_HOME"] = str(cache_dir().parent)
    with tempfile.TemporaryDirectory(prefix="sbsync-bench-") as folder:
        project = StackProject(Path(folder) / "project", install(NEWEST_KNOWN))
        try:
            measure(project)
        finally:
            project.destroy()


def measure(project: StackProject) -> None:
    """Both ways, several times, each after a change of its own."""
    project.create()
    started = project.invoke("diff", "--env", "alone", "--start")
    if started.code != 0:
        raise SystemExit(started.text)
    project.start_remote()
    ours, by_hand = [], []
    with project.reached_by("url"):
        project.sync("local-to-remote")
        for number in range(REPEATS):
            by_hand.append(_after_change(project, f"hand_{number}", guide))
            ours.append(_after_change(project, f"ours_{number}", scenario))
    show("local-to-remote on the stack / the guide's commands by hand", *map(statistics.median, (ours, by_hand)))


def _after_change(project: StackProject, name: str, work: Callable[[StackProject, str], None]) -> float:
    project.local.run(f"create table public.{name} (id bigint primary key, note text)")
    return timed(lambda: work(project, name))


def scenario(project: StackProject, name: str) -> None:
    """Ours: one command, backups and proof included."""
    project.sync("local-to-remote", "--name", name)


def guide(project: StackProject, name: str) -> None:
    """The guide's four commands; the last one exits with 1, since there is nothing left to pull."""
    project.by_hand("db", "diff", "--local", "-f", name)
    project.by_hand("db", "reset", "--local", "--yes")
    pushed = project.supabase("db", "push", "--skip-vault", "--yes")
    if pushed.code != 0:
        raise SystemExit(pushed.text)
    project.supabase("db", "pull", "--yes")


if __name__ == "__main__":
    sys.exit(main())
