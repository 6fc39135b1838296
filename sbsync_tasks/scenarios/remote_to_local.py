"""From the remote to the local database and git, and `pull` alone."""

from __future__ import annotations

from ..console import counted
from ..databases.catalog import told
from ..errors import RefusedError
from ..migrations import Migration
from ..steps import commit, leftovers, preflight, record, reset, review
from ..steps import pull as pulling
from ..steps.diff import changes, listed
from ..steps.generate import Applied, generate, ignored, refuse_unwritable
from ..steps.run import Run, Work
from ..steps.stayed import refuse_leftovers
from .chain import Step
from .shared import (
    BRING_UP,
    RESET,
    VERIFY,
    WRITE,
    all_files_apply,
    apply_and_build,
    disproved,
    names,
    rebuilds,
    rebuilt_ahead,
    show_plan,
)

WITHOUT_COMMIT = "run it with --no-commit"


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
            f"{run.local.label} has changes that no migration records:\n" + listed(told(found.differences)),
            "--keep-local records them as a migration first, --discard-local drops them (after a backup), "
            "`invoke local-to-remote` pushes them.",
        )
    made = generate(run, run.local, found.base, "local_changes", work.versions)
    refuse_unwritable(run, "The local database", made)
    return work.with_(new=made.migrations, unrecorded_locally=made.migrations)


def _pull(run: Run, work: Work) -> Work:
    return _pulled(run, work, rebuilt_ahead(run, work))


def _pulled(run: Run, work: Work, applied: Applied) -> Work:
    found = changes(run, run.remote, work.remote_history, work.files)
    work = work.with_(unrecorded_remotely=found.by_hand)
    what = f"{run.remote.label} has what a push that failed leaves behind:\n{listed(told(found.differences))}"
    refuse_leftovers(run, work, found, what)
    if found.differences:
        commit.check_early(run, WITHOUT_COMMIT)
    return pulling.pull(run, work, found, run.options.name or "remote_changes", applied)


def _review_remote_to_local(run: Run, work: Work) -> Work:
    if rebuilds(run, work):
        reset.refuse_unseen_loss(run, work)
        leftovers.refuse(run, work)
    commit.check(run, commit.of_this_run(run, work), WITHOUT_COMMIT)
    _show(run, work, () if run.options.reset else reset.to_apply(work))
    if run.options.dry_run:
        return show_plan(run, work)
    review.approve(run, work.pulled, work.plan, run.settings.protected and _records(run, work))
    return work


def _show(run: Run, work: Work, applied: tuple[Migration, ...] = ()) -> None:
    """The files, with what there is to say of them to the local database and to readers: the remote has had them."""
    with run.local.connection() as connection:
        review.show_all(run.console, work.to_write, connection, new=work.pulled, run=applied)


def _records(run: Run, work: Work) -> bool:
    return run.options.record and bool(work.to_record)


def _anything_to_pull(run: Run, work: Work) -> bool:
    changes_here = work.to_write or work.local_changed or reset.needed(work)
    return bool(changes_here) or _records(run, work) or _commits_remote(run, work)


def _commits_remote(run: Run, work: Work) -> bool:
    return not disproved(work) and commit.wanted(run, commit.of_this_run(run, work))


REMOTE_TO_LOCAL = (
    Step("preflight", lambda r, _w: f"look at {r.local.name} and its history", _look_remote_to_local),
    Step("pull", lambda r, _w: f"compare {r.remote.name} with a shadow of its history", _pull),
    Step("diff", lambda _r, w: f"build a shadow from {counted(len(w.files), 'migration')}", apply_and_build),
    Step(
        "review", lambda _r, w: f"review {counted(len(w.to_write), 'migration')}", _review_remote_to_local,
        _anything_to_pull, asks=True,
    ),
    WRITE,
    RESET,
    BRING_UP,
    VERIFY,
    Step(
        "commit", lambda r, w: f"commit {names(commit.of_this_run(r, w))}",
        lambda r, w: commit.commit(r, w, commit.of_this_run(r, w), commit.REMOTE_CHANGES),
        _commits_remote, writes=True,
    ),
    Step(
        "record",
        lambda r, w: f"record {names(w.to_record)} in the history of {r.remote.name} (nothing else is written there)",
        record.record, lambda r, w: _records(r, w) and not disproved(w), writes=True,
    ),
)  # fmt: skip


# --- the half that is useful alone ---


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
    _show(run, work)
    return work


PULL = (
    Step("preflight", lambda r, _w: f"look at {r.remote.name} and its history", _look_pull),
    Step("pull", REMOTE_TO_LOCAL[1].doing, _pull_alone),
    Step("diff", REMOTE_TO_LOCAL[2].doing, all_files_apply),
    WRITE,
)
