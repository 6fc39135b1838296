"""The migration files as a step reads them: what nobody runs is told, what the CLI would skip stops a run."""

from __future__ import annotations

from ..plan.stops import Problem
from ..state import skipped
from ..state.migrations import Folder, read_folder
from .run import Run


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
    ours = (
        Problem(f"supabase/migrations/{s.name} {s.why}.", skipped.way_out(root, folder, s)) for s in folder.misnamed
    )
    return (*twice, *ours)


def tell_skipped(run: Run, folder: Folder) -> None:
    """The same as warnings, where nothing is changed."""
    for problem in problems(run, folder):
        run.console.say(f"{problem.what} {problem.way_out}", "warning")
