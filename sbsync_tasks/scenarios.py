"""The two chains of the guide, as data, and the loop that runs them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .databases.catalog import compare
from .errors import RefusedError
from .histories import as_migrations
from .migrations import Migration
from .steps import backup, commit, preflight, push, record, reset, review, verify, write
from .steps import pull as pulling
from .steps.diff import Applied, changes, generate, ignored, listed, refuse_unwritable
from .steps.run import Run, Work

NAMED = 3  # migrations named one by one in a line


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


def run_chain(run: Run, chain: tuple[Step, ...]) -> Work:
    """Run the steps one after the other; nothing that writes runs in a dry run.

    Where the user edits the SQL, everything before the review looks again.
    """
    work = preflight.look(run)
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
    while True:
        try:
            return step.act(run, _with_plan(run, work, rest))
        except review.Edited as edited:
            work = _with_edits(run, work, edited.migrations)


def _with_edits(run: Run, work: Work, edited: tuple[Migration, ...]) -> Work:
    """Take the user's edits over, and prove them as what was generated was proved.

    Raises:
        RefusedError: a pulled migration no longer is what the remote has.
        CliError: the edited SQL cannot be applied.
    """
    if not work.pulled:
        return _with_local_edits(run, work, edited)
    work = work.with_(pulled=edited)
    had = (*as_migrations(work.remote_history, work.folder.migrations), *work.to_record)
    left = compare(run.catalog(run.shadow(had, run.remote_identity.major)), run.catalog(run.remote))
    if left:
        raise RefusedError(
            "The edited migration is no longer what the remote has:\n"
            + listed([d.summary for d in left])
            + "\nNothing was changed.",
            "Pull it unedited, and put further changes into a migration of their own.",
        )
    run.shadow(work.files, run.local_identity.major)
    return work


def _with_plan(run: Run, work: Work, rest: tuple[Step, ...]) -> Work:
    if BACKUP in rest:
        work = backup.weigh(run, work)
    plan = tuple(step.doing(run, work) for step in rest if step.writes and step.wanted(run, work))
    return work.with_(plan=plan)


def _with_local_edits(run: Run, work: Work, edited: tuple[Migration, ...]) -> Work:
    kept = tuple(m for m in work.unrecorded_locally if m not in work.new)
    work = work.with_(new=edited, unrecorded_locally=(*kept, *edited))
    run.shadow(work.files, run.local_identity.major)
    base = (*as_migrations(work.local_history, work.folder.migrations), *work.unrecorded_locally)
    left = compare(run.catalog(run.shadow(base, run.local_identity.major)), run.catalog(run.local))
    if left and not run.options.reset:
        raise RefusedError(
            "The edited migration is no longer what the local database has:\n" + listed([d.summary for d in left])
            + "\nNothing was changed.",
            "Leave --no-reset out: the local database is then rebuilt from what you have written.",
        )  # fmt: skip
    return work


# --- local to remote ---


def _look_local_to_remote(run: Run, work: Work) -> Work:
    preflight.stop_local_to_remote(run, work)
    drift = changes(run, run.remote, work.remote_history, work.files)
    if drift.differences and not run.options.ignore_drift:
        raise RefusedError(
            f"{run.remote.label} differs from its own history:\n" + listed([d.summary for d in drift.differences]),
            "`invoke remote-to-local` brings these changes into a migration first; --ignore-drift goes on "
            "without them.",
        )
    return work.with_(unrecorded_remotely=drift.by_hand, drift=drift.differences)


def _diff_local(run: Run, work: Work) -> Work:
    found = changes(run, run.local, work.local_history, work.files)
    work = work.with_(unrecorded_locally=found.by_hand)
    if found.differences:
        name = run.options.name or "local_changes"
        made = generate(run, run.local, found.base, name, work.versions, applied=_rebuilt_ahead(run, work))
        refuse_unwritable("The local database", made.unwritable, "invoke diff")
        work = work.with_(new=made.migrations, unrecorded_locally=made.migrations)
    return _apply_and_build(run, work)


def _rebuilt_ahead(run: Run, work: Work) -> Applied:
    """Begins with the rebuild while the new migrations are still compared, where it takes just these."""
    known = set(work.files)

    def begin(applied: tuple[Migration, ...]) -> None:
        if known <= set(applied):
            reset.prepare(run, applied)

    return begin


def _all_files_apply(run: Run, work: Work) -> Work:
    """See that they do, on a fresh database, in their order."""
    run.shadow(work.files, run.local_identity.major)
    return work


def _apply_and_build(run: Run, work: Work) -> Work:
    work = _all_files_apply(run, work)
    if _rebuilds(run, work):
        reset.prepare(run, work.files)
    return work


def _review_local_to_remote(run: Run, work: Work) -> Work:
    if _rebuilds(run, work):
        reset.refuse_unseen_loss(run, work)
    commit.check(run, _local_to_commit(run, work))
    _show(run, work.pending)
    review.refuse_blocking(work.pending, run.options.allow_data_loss, run.remote.name)
    if run.options.dry_run:
        return _show_plan(run, work)
    review.approve(run, work.new, work.plan, run.settings.protected and _anything_to_push(run, work))
    return work


def _anything_to_push(_run: Run, work: Work) -> bool:
    return bool(work.pending or work.unrecorded_remotely)


def _push_in_words(run: Run, work: Work) -> str:
    pushed = [f"push {_names(work.pending)} to {run.remote.name}"] if work.pending else []
    known = _names(work.unrecorded_remotely)
    recorded = (
        [f"record {known} in its history, not run again: it has their effect"] if work.unrecorded_remotely else []
    )
    return ", then ".join([*recorded, *pushed]) if pushed else f"{run.remote.name}: {recorded[0]}"


def _disproved(work: Work) -> bool:
    """Whether the proof was made and failed: nothing is committed or recorded on the remote then."""
    return work.proof is not None and not work.proof.holds


def _local_to_commit(run: Run, work: Work) -> tuple[Migration, ...]:
    return tuple(sorted({*commit.of_this_run(work), *commit.left_behind(run, work)}))


def _commits_local(run: Run, work: Work) -> bool:
    return not _disproved(work) and commit.wanted(run, _local_to_commit(run, work))


def _commits_remote(run: Run, work: Work) -> bool:
    return not _disproved(work) and commit.wanted(run, commit.of_this_run(work))


def _rebuilds(run: Run, work: Work) -> bool:
    return run.options.reset and (reset.needed(work) or work.local_changed)


def _brings_up(run: Run, work: Work) -> bool:
    return not run.options.reset and reset.needed(work)


def _bring_up_in_words(run: Run, work: Work) -> str:
    applied = reset.to_apply(work)
    if not applied:
        return f"record {_names(work.unrecorded_locally)} in the history of {run.local.name}; its data stays"
    return f"back up {run.local.name}, then apply {_names(applied)} to it without a rebuild"


WRITE = Step(
    "write", lambda _r, w: f"write {_names(w.to_write)} into supabase/migrations", write.write_files,
    lambda _r, w: bool(w.to_write), writes=True,
)  # fmt: skip
RESET = Step(
    "reset", lambda r, w: f"back up {r.local.name}, rebuild it from {len(w.files)} migrations and run the seeds",
    reset.rebuild, _rebuilds, writes=True,
)  # fmt: skip
BRING_UP = Step(
    "reset", _bring_up_in_words, reset.bring_up,
    _brings_up, writes=True,
)  # fmt: skip
VERIFY = Step(
    "verify", lambda r, _w: f"compare {r.local.name} with {r.remote.name}", verify.verify,
    lambda r, w: not (r.options.dry_run and w.plan),
)  # fmt: skip

BACKUP = Step("backup", backup.in_words, backup.remote_before_push, _anything_to_push, writes=True)

LOCAL_TO_REMOTE = (
    Step("preflight", lambda r, _w: f"look at {r.remote.name} and its history", _look_local_to_remote),
    Step("diff", lambda r, _w: f"compare {r.local.name} with a shadow of its history", _diff_local),
    Step(
        "review", lambda _r, w: f"review {len(w.pending)} migrations", _review_local_to_remote,
        lambda r, w: _anything_to_push(r, w) or reset.needed(w) or _commits_local(r, w), asks=True,
    ),
    WRITE,
    RESET,
    BRING_UP,
    BACKUP,
    Step(
        "push", _push_in_words, push.push, _anything_to_push, writes=True
    ),
    VERIFY,
    Step(
        "commit", lambda _r, _w: "commit the new migrations",
        lambda r, w: commit.commit(r, w, _local_to_commit(r, w), commit.LOCAL_CHANGES),
        _commits_local, writes=True,
    ),
)  # fmt: skip

# --- remote to local ---


def _look_remote_to_local(run: Run, work: Work) -> Work:
    preflight.stop_remote_to_local(run, work)
    work = pulling.adopt(work)
    found = changes(run, run.local, work.local_history, work.files)
    options = run.options
    work = work.with_(unrecorded_locally=found.by_hand)
    if not found.differences or options.discard_local:
        return work.with_(local_changed=bool(found.differences))
    if not options.keep_local:
        raise RefusedError(
            f"{run.local.label} has changes that no migration records:\n"
            + listed([d.summary for d in found.differences]),
            "--keep-local records them as a migration first, --discard-local drops them (after a backup), "
            "`invoke local-to-remote` pushes them.",
        )
    made = generate(run, run.local, found.base, "local_changes", work.versions)
    refuse_unwritable("The local database", made.unwritable, "invoke diff")
    return work.with_(new=made.migrations, unrecorded_locally=made.migrations)


def _pull(run: Run, work: Work) -> Work:
    return _pulled(run, work, _rebuilt_ahead(run, work))


def _pulled(run: Run, work: Work, applied: Applied) -> Work:
    found = changes(run, run.remote, work.remote_history, work.files)
    work = work.with_(unrecorded_remotely=found.by_hand)
    return pulling.pull(run, work, found, run.options.name or "remote_changes", applied)


def _review_remote_to_local(run: Run, work: Work) -> Work:
    if _rebuilds(run, work):
        reset.refuse_unseen_loss(run, work)
    commit.check(run, commit.of_this_run(work))
    _show(run, work.to_write)
    if run.options.dry_run:
        return _show_plan(run, work)
    review.approve(run, work.pulled, work.plan, run.settings.protected and _records(run, work))
    return work


def _records(run: Run, work: Work) -> bool:
    return run.options.record and bool(work.to_record)


def _anything_to_pull(run: Run, work: Work) -> bool:
    changes_here = work.to_write or work.local_changed or reset.needed(work)
    return bool(changes_here) or _records(run, work) or _commits_remote(run, work)


REMOTE_TO_LOCAL = (
    Step("preflight", lambda r, _w: f"look at {r.local.name} and its history", _look_remote_to_local),
    Step("pull", lambda r, _w: f"compare {r.remote.name} with a shadow of its history", _pull),
    Step("diff", lambda _r, w: f"build a shadow from all {len(w.files)} migrations", _apply_and_build),
    Step(
        "review", lambda _r, w: f"review {len(w.to_write)} migrations", _review_remote_to_local, _anything_to_pull,
        asks=True,
    ),
    WRITE,
    RESET,
    BRING_UP,
    VERIFY,
    Step(
        "commit", lambda _r, w: f"commit {_names(commit.of_this_run(w))}",
        lambda r, w: commit.commit(r, w, commit.of_this_run(w), commit.REMOTE_CHANGES),
        _commits_remote, writes=True,
    ),
    Step(
        "record",
        lambda r, w: f"record {_names(w.to_record)} in the history of {r.remote.name} (nothing else is written there)",
        record.record, lambda r, w: _records(r, w) and not _disproved(w), writes=True,
    ),
)  # fmt: skip


# --- the two halves that are useful alone ---


def _look_push(run: Run, work: Work) -> Work:
    work = _look_local_to_remote(run, work)
    run.shadow(work.files, run.remote_identity.major)  # all files apply, on a fresh database, in their order
    return work


PUSH = (
    Step("preflight", LOCAL_TO_REMOTE[0].doing, _look_push),
    *(step for step in LOCAL_TO_REMOTE if step.name in ("review", "backup", "push")),
    Step(
        "verify", lambda r, _w: f"compare {r.remote.name} with the migration files", verify.remote_against_files,
        VERIFY.wanted,
    ),
)  # fmt: skip


def _look_pull(run: Run, work: Work) -> Work:
    preflight.stop_remote_to_local(run, work)
    return pulling.adopt(work)


def _pull_alone(run: Run, work: Work) -> Work:
    work = _pulled(run, work, ignored)
    if work.renamed:
        raise RefusedError(
            f"There is no room for the pulled version before {work.renamed[0][0].file_name}: that file would have to "
            "get a later version.",
            "`invoke remote-to-local` does that as a part of its plan.",
        )
    _show(run, work.to_write)
    return work


PULL = (
    Step("preflight", lambda r, _w: f"look at {r.remote.name} and its history", _look_pull),
    Step("pull", REMOTE_TO_LOCAL[1].doing, _pull_alone),
    Step("diff", REMOTE_TO_LOCAL[2].doing, _all_files_apply),
    WRITE,
)


def _show(run: Run, migrations: tuple[Migration, ...]) -> None:
    from .findings import review as find

    for migration in migrations:
        review.show(run.console, migration, find(migration.sql))


def _show_plan(run: Run, work: Work) -> Work:
    run.console.heading("A run would do this; nothing of it is done now")
    for number, text in enumerate(work.plan, 1):
        run.console.say(f"  {number}. {text}")
    return work


def _names(migrations: tuple[Migration, ...]) -> str:
    if len(migrations) > NAMED:
        return f"{len(migrations)} migrations ({migrations[0].file_name} … {migrations[-1].file_name})"
    return ", ".join(m.file_name for m in migrations) or "nothing"
