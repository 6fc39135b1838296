"""What a run of the tests must not leave behind: folders outside of pytest's own, temporary ones, and servers."""

from __future__ import annotations

import os
from pathlib import Path

from sbsync_tasks.databases.embedded.place import owners

# Names the folder that all workers of a run share.
RUN = "SBSYNC_TEST_RUN"
NOTED, TEMPORARY = "noted", "tmp"
CLIS_OWN = ".bun-"  # a library that the CLI unpacks for itself, once for each temporary folder


def shared() -> Path:
    """The folder that all workers of this run share."""
    return Path(os.environ[RUN])


def note(folder: Path) -> None:
    """Remember a folder that has to be gone when the run ends."""
    with (shared() / NOTED).open("a", encoding="utf-8") as file:
        file.write(f"{folder}\n")


def left_by(run: Path) -> list[str]:
    """What is still there of a run that has ended.

    Args:
        run: Its shared folder.
    """
    noted = run / NOTED
    folders = {Path(line) for line in noted.read_text(encoding="utf-8").splitlines()} if noted.exists() else set()
    projects = {place: project for place, project in owners().items() if Path(project).is_relative_to(run.parent)}
    folders |= projects.keys()
    there = [f"{folder} {projects.get(folder, '')}".rstrip() for folder in folders if folder.exists()]
    temporary = [str(path) for path in (run / TEMPORARY).glob("*") if not path.name.startswith(CLIS_OWN)]
    return sorted([*there, *temporary, *_running([str(run.parent), *map(str, folders)])])


def _running(places: list[str]) -> list[str]:
    """The processes that were started on something in one of these places (Linux: `/proc`)."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace").strip()
        except OSError:
            continue
        if int(process.name) != os.getpid() and any(place in command for place in places):
            found.append(f"process {process.name}: {command}")
    return found
