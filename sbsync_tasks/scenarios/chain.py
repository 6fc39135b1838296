"""One step of a chain, and the loop that runs them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..errors import SbsyncError
from ..steps import backup, preflight, review
from ..steps.run import Run, Work
from .edits import with_edits


@dataclass(frozen=True)
class Step:
    """One step of a scenario.

    Attributes:
        name: The guide's word for it.
        doing: What it will do, for the plan and the live line.
        act: Does it; hands on what is known afterwards.
        wanted: Whether there is anything to do.
        writes: It changes a database, files or git: it stands in the plan, and is left out of a dry run.
        asks: It talks with the user, so no live line runs meanwhile.
    """

    name: str
    doing: Callable[[Run, Work], str]
    act: Callable[[Run, Work], Work]
    wanted: Callable[[Run, Work], bool] = lambda _run, _work: True
    writes: bool = False
    asks: bool = False


def run_chain(run: Run, chain: tuple[Step, ...], *, alone: bool = False) -> Work:
    """Run the steps one after the other; nothing that writes runs in a dry run.

    Where the user edits the SQL, everything before the review looks again.

    Args:
        run: The run.
        chain: Its steps.
        alone: They concern the remote and the files; there need not be a local database.
    """
    if run.options.reset and any(step.name == "reset" for step in chain):
        run.refuse_config()
    work = preflight.look_at_remote(run) if alone else preflight.look(run)
    run.introduce()
    for position, step in enumerate(chain):
        if not step.wanted(run, work) or (step.writes and run.options.dry_run):
            continue
        if step.asks:
            work = _reviewed(run, work, step, chain[position + 1 :])
        else:
            with run.console.step(step.name, step.doing(run, work)):
                work = step.act(run, work)
    return work


def _reviewed(run: Run, work: Work, step: Step, rest: tuple[Step, ...]) -> Work:
    """Review and ask; what the user edits is proved and reviewed again, and what is wrong with it edited again."""
    edited = None
    while True:
        try:
            if edited:
                work = with_edits(run, work, edited)
            return step.act(run, _with_plan(run, work, rest))
        except review.Edited as found:
            edited = found.migrations
        except SbsyncError as error:
            if edited is None or isinstance(error, review.DeclinedError):
                raise
            edited = review.edit_again(run, edited, error)


def _with_plan(run: Run, work: Work, rest: tuple[Step, ...]) -> Work:
    if any(step.name == "backup" for step in rest):
        work = backup.weigh(run, work)
    plan = tuple(step.doing(run, work) for step in rest if step.writes and step.wanted(run, work))
    return work.with_(plan=plan)
