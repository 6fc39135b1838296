"""The migration files as a step reads them: what nobody runs is told, what the CLI would skip stops a run."""

from __future__ import annotations

from .. import skipped
from ..errors import RefusedError
from ..migrations import Folder, read_folder
from .run import Run


def read_files(run: Run) -> Folder:
    """Read the folder; its sub-folders are named, once in a run."""
    folder = read_folder(run.settings.root)
    if folder.beside:
        run.say_once(f"left alone in supabase/migrations, as the CLI does: {', '.join(folder.beside)}")
    return folder


def problems(run: Run, folder: Folder) -> list[tuple[str, str]]:
    """What the CLI would skip, each with its way out."""
    root = run.settings.root
    return [(f"supabase/migrations/{s.name} {s.why}.", skipped.way_out(root, folder, s)) for s in folder.misnamed]


def tell_skipped(run: Run, folder: Folder) -> None:
    """The same as warnings, where nothing is changed."""
    for what, way_out in problems(run, folder):
        run.console.say(f"{what} {way_out}", "warning")


def refuse(problems: list[tuple[str, str]]) -> None:
    """Stop for all problems at once.

    Raises:
        RefusedError: there is one.
    """
    if not problems:
        return
    if len(problems) == 1:
        raise RefusedError(*problems[0])
    listed = "\n".join(f"  - {what}\n    {way_out}" for what, way_out in problems)
    raise RefusedError(f"{len(problems)} problems have to be fixed first:\n{listed}")
