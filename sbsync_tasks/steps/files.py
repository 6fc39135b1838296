"""The migration files as a step reads them: what nobody runs is told, what the CLI would skip stops a run."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

from ..git import tracks
from ..plan.stops import Problem
from ..state.migrations import DOWN, OLD_INIT, Folder, Skipped, migrations_dir, next_version, read_folder
from .run import Run

WHOLE = re.compile(r"(?P<version>[0-9]{14,}|[0-9]+(?=_))(?P<name>.*)", re.DOTALL)


def read_files(run: Run) -> Folder:
    """Read the folder; its sub-folders, and schemas declared beside it, are named once in a run."""
    folder = read_folder(run.settings.root)
    if folder.beside:
        run.say_once(f"left alone in supabase/migrations, as the CLI does: {', '.join(folder.beside)}")
    if run.settings.config.declares_schemas:
        run.say_once(
            "not looked at: the declared schemas in supabase/schemas. What they say counts once a migration says it, "
            "or the local database has it"
        )
    return folder


def problems(run: Run, folder: Folder) -> tuple[Problem, ...]:
    """What the CLI would skip, or fail at, each with its way out."""
    root = run.settings.root
    twice = (
        Problem(
            f"Version {version} stands on more than one file in supabase/migrations.",
            "The CLI would apply the first and fail at the second: `invoke resolve` explains and cures this.",
        )
        for version in folder.duplicates
    )
    ours = (Problem(f"supabase/migrations/{s.name} {s.why}.", way_out(root, folder, s)) for s in folder.misnamed)
    return (*twice, *ours)


def tell_skipped(run: Run, folder: Folder) -> None:
    """The same as warnings, where nothing is changed."""
    for problem in problems(run, folder):
        run.console.say(f"{problem.what} {problem.way_out}", "warning")


def way_out(root: Path, folder: Folder, skipped: Skipped) -> str:
    """What happens to it as it is, and the command, to be run in the working directory."""
    path = migrations_dir(root) / skipped.name
    if not skipped.there:
        way = "bring that file back, or take the link out" if path.is_symlink() else "take it out"
        return f"The CLI would fail at it: {way}: {_command(path, None)}"
    if skipped.name.endswith(f"{DOWN}.sql"):
        return f"Put it elsewhere: {_command(path, migrations_dir(root).parent / path.name)}"
    if "/" not in skipped.name:
        target = path.with_name(_new_name(folder, path.name))
        return f"The CLI would skip it without a word: {_command(path, target)} (or move it elsewhere)."
    same = [s.name for s in folder.misnamed if s.name.startswith(f"{path.parent.name}/")]
    if len(same) == 1:
        target = path.parent.with_name(_new_name(folder, f"{path.parent.name}.sql"))
        return f"The CLI looks at no folder, and would skip it without a word: {_command(path, target)}"
    # What is run and what takes it back stand side by side: which is which is the user's to say.
    aside = _command(path.parent, migrations_dir(root).parent / path.parent.name)
    return (
        f"The CLI looks at no folder. Put what is to be run into {_new_name(folder, f'{path.parent.name}.sql')}, and "
        f"the folder elsewhere: {aside}"
    )


def _new_name(folder: Folder, name: str) -> str:
    """A well-formed name, with the version that stands in the old one where no other file has it."""
    stem = re.sub(r"\.sql$", "", name.strip(), flags=re.IGNORECASE)
    match = WHOLE.fullmatch(stem)
    taken = [m.version for m in folder.migrations]
    version = match["version"] if match and match["version"] not in taken else next_version(taken)
    rest = re.sub(r"[^A-Za-z0-9]+", "_", match["name"] if match else stem).strip("_") or "unnamed"
    return f"{version}_{'initial' if rest == OLD_INIT else rest}.sql"


def _command(path: Path, target: Path | None) -> str:
    """`git mv` where git has the file, else `mv`; without a target it is removed."""
    known = tracks(path)
    words = ["git"] if known else []
    words += ["mv" if target else "rm", "--", *(_from_here(p) for p in (path, target) if p)]
    return f"`{shlex.join(words)}`"


def _from_here(path: Path) -> str:
    """As it is reached from the working directory; git goes through no link."""
    return os.path.relpath(Path(os.path.realpath(path.parent)) / path.name, Path.cwd())
