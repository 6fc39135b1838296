"""Where the project is: the folder that holds `supabase/`."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import ConfigError
from .keys import WORKDIR
from .sources import PROCESS

IN_INVOKE = "invoke config sbsync.workdir"
IN_INVOKES_PROCESS = "INVOKE_SBSYNC_WORKDIR"
# What makes `supabase/` a project's: the CLI makes the first, and without it the second will do.
MARKS = ("supabase/config.toml", "supabase/migrations")
DEPTH, SHOWN = 4, 10
PASSED_OVER = ("node_modules", "venv", "__pycache__", "dist", "build")


class NoProjectError(ConfigError):
    """Neither the working directory nor a setting leads to a project (exit code 3)."""


@dataclass(frozen=True)
class Root:
    """The project's root.

    Attributes:
        path: Without symbolic links.
        source: What names it; empty where it was found from the working directory.
    """

    path: Path
    source: str = ""


def find_root(start: Path, process: Mapping[str, str], workdir: str = "", tasks: Path | None = None) -> Root:
    """Find the project.

    It is what `SUPABASE_WORKDIR` names in the process environment, as for the CLI: that folder itself, from the
    working directory, and nothing above it. Else the nearest folder upwards with `supabase/config.toml`; where the
    folder of the tasks is nearer, and the Invoke config names a project, that one. Else the nearest with
    `supabase/migrations`.

    Args:
        start: The working directory.
        process: The process environment.
        workdir: `sbsync.workdir` of the Invoke config, relative to `tasks`.
        tasks: The folder of the tasks' file, where it is known.

    Raises:
        NoProjectError: there is none; it names those below.
        ConfigError: what a setting names is none.
    """
    start = start.resolve()
    upwards = (start, *start.parents)
    base = tasks.resolve() if tasks else next((f for f in upwards if (f / "tasks.py").is_file()), start)
    if process.get(WORKDIR):
        return _named(start, process[WORKDIR], f"{WORKDIR}, {PROCESS}")
    source = IN_INVOKES_PROCESS if process.get(IN_INVOKES_PROCESS) else IN_INVOKE
    wanted = process.get(IN_INVOKES_PROCESS) or workdir
    for folder in upwards:
        if wanted and folder == base:
            return _named(base, wanted, source)
        # Nearer than the configuration, migrations alone are a project: who stands there means that one.
        if (folder / MARKS[0]).is_file() or (wanted and _is_project(folder)):
            return Root(folder)
    if wanted:
        return _named(base, wanted, source)
    for folder in upwards:
        if (folder / MARKS[1]).is_dir():
            return Root(folder)
    raise _no_project(start, base)


def _named(base: Path, text: str, source: str) -> Root:
    path = (base / text).resolve()
    if _is_project(path):
        return Root(path, source)
    parent = f" It names the folder that holds supabase/: {path.parent}" if _is_project(path.parent) else ""
    raise ConfigError(
        f"There is no project in {path} ({source}): no {' and no '.join(MARKS)}.",
        f"Correct it.{parent}" if parent else "Correct it, or make a project there with `supabase init`.",
    )


def _is_project(folder: Path) -> bool:
    return (folder / MARKS[0]).is_file() or (folder / MARKS[1]).is_dir()


def _no_project(start: Path, base: Path) -> NoProjectError:
    top = base if start.is_relative_to(base) else start
    below = sorted(_below(top, DEPTH))
    what = f"There is no project in {start} or above: no {' and no '.join(MARKS)}."
    if not below:
        return NoProjectError(what, "Run the task in your project, or make one with `supabase init`.")
    here, there = (shlex.quote(os.path.relpath(below[0], place)) for place in (start, base))
    names = [os.path.relpath(folder, start) for folder in below]
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return NoProjectError(
        f"{what} Below are: {', '.join(names[:SHOWN])}{more}.",
        f"Run the task there (`cd {here}`), or name the project: `export {WORKDIR}={here}`, or `sbsync: {{workdir: "
        f"{there}}}` in {os.path.relpath(base / 'invoke.yaml', start)}.",
    )


def _below(folder: Path, depth: int) -> Iterator[Path]:
    """The projects in the folders below; links, hidden folders and what tools fill are passed over."""
    try:
        inside = sorted(entry.name for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False))
    except OSError:  # not ours to read
        return
    for name in inside:
        path = folder / name
        if name.startswith(".") or name in PASSED_OVER or (path / "pyvenv.cfg").exists():
            continue
        if _is_project(path):
            yield path
        if depth > 1:
            yield from _below(path, depth - 1)
