"""What both chains have: steps, and the questions that decide whether they are wanted."""

from __future__ import annotations

from ..migrations import Migration
from ..steps import reset, verify, write
from ..steps.generate import Applied
from ..steps.run import Run, Work
from .chain import Step

NAMED = 3  # migrations named one by one in a line


def names(migrations: tuple[Migration, ...]) -> str:
    """Migrations in a line: each by its file, or, of many, how many and the first and the last."""
    if len(migrations) > NAMED:
        return f"{len(migrations)} migrations ({migrations[0].file_name} … {migrations[-1].file_name})"
    return ", ".join(m.file_name for m in migrations) or "nothing"


def show_plan(run: Run, work: Work) -> Work:
    """What a run would do, at the end of a dry one."""
    run.console.heading("A run would do this (nothing has been done)")
    for number, text in enumerate(work.plan, 1):
        run.console.say(f"  {number}. {text}")
    return work


def disproved(work: Work) -> bool:
    """Whether the proof was made and failed: nothing is committed or recorded on the remote then."""
    return work.proof is not None and not work.proof.holds


def rebuilds(run: Run, work: Work) -> bool:
    """Whether the local database is going to be rebuilt."""
    return run.options.reset and (reset.needed(work) or work.local_changed)


def rebuilt_ahead(run: Run, work: Work) -> Applied:
    """Begin with the rebuild while the new migrations are still compared, where it takes just these."""
    known = set(work.files)

    def begin(applied: tuple[Migration, ...]) -> None:
        if known <= set(applied):
            reset.prepare(run, applied)

    return begin


def all_files_apply(run: Run, work: Work) -> Work:
    """See that they do, on a fresh database, in their order."""
    run.shadow(work.files, run.local_identity.major)
    return work


def apply_and_build(run: Run, work: Work) -> Work:
    """The same, and begin with what a rebuild will need."""
    work = all_files_apply(run, work)
    if rebuilds(run, work):
        reset.prepare(run, work.files)
    return work


def _brings_up(run: Run, work: Work) -> bool:
    return not run.options.reset and reset.needed(work)


def _bring_up_in_words(run: Run, work: Work) -> str:
    applied = reset.to_apply(work)
    if not applied:
        return f"record {names(work.unrecorded_locally)} in the history of {run.local.name}; its data stays"
    return f"back up {run.local.name}, then apply {names(applied)} to it without a rebuild"


WRITE = Step(
    "write", lambda _r, w: f"write {names(w.to_write)} into supabase/migrations", write.write_files,
    lambda _r, w: bool(w.to_write), writes=True,
)  # fmt: skip
RESET = Step(
    "reset", lambda r, w: f"back up {r.local.name}, {reset.in_words(r, w)}", reset.rebuild, rebuilds, writes=True,
)  # fmt: skip
BRING_UP = Step(
    "reset", _bring_up_in_words, reset.bring_up,
    _brings_up, writes=True,
)  # fmt: skip
VERIFY = Step(
    "verify", lambda r, _w: f"compare {r.local.name} with {r.remote.name}", verify.verify,
    lambda r, w: not (r.options.dry_run and w.plan),
)  # fmt: skip
