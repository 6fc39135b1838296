"""From the local database to the remote, and `push` alone."""

from __future__ import annotations

from ..console import counted
from ..databases.catalog import told
from ..errors import RefusedError
from ..migrations import Migration
from ..steps import backup, commit, leftovers, preflight, push, reset, review, roles, verify
from ..steps.diff import changes, listed
from ..steps.generate import generate, refuse_unwritable
from ..steps.run import Run, Work
from ..steps.stayed import refuse_leftovers
from .chain import Step
from .shared import (
    BRING_UP,
    RESET,
    VERIFY,
    WRITE,
    apply_and_build,
    disproved,
    names,
    rebuilds,
    rebuilt_ahead,
    show_plan,
)

WITHOUT_COMMIT = "leave --commit out"


def _look_local_to_remote(run: Run, work: Work) -> Work:
    preflight.stop_local_to_remote(run, work)
    drift = changes(run, run.remote, work.remote_history, work.files)
    if drift.differences and not run.options.ignore_drift:
        what = f"{run.remote.label} differs from its own history:\n{listed(told(drift.differences))}"
        refuse_leftovers(run, work, drift, what)
        raise RefusedError(
            what,
            "`invoke remote-to-local` brings these changes into a migration first; --ignore-drift goes on "
            "without them.",
        )
    return work.with_(unrecorded_remotely=drift.by_hand, drift=drift.differences)


def _diff_local(run: Run, work: Work) -> Work:
    found = changes(run, run.local, work.local_history, work.files)
    work = work.with_(unrecorded_locally=found.by_hand)
    if found.differences:
        commit.check_early(run, WITHOUT_COMMIT)
        name = run.options.name or "local_changes"
        made = generate(run, run.local, found.base, name, work.versions, applied=rebuilt_ahead(run, work))
        refuse_unwritable(run, "The local database", made)
        work = work.with_(new=made.migrations, unrecorded_locally=made.migrations)
    return apply_and_build(run, work)


def _review_local_to_remote(run: Run, work: Work) -> Work:
    roles.refuse_missing(run, work)
    if rebuilds(run, work):
        reset.refuse_unseen_loss(run, work)
        leftovers.refuse(run, work)
    commit.check(run, _local_to_commit(run, work), WITHOUT_COMMIT)
    with run.remote.connection() as connection:
        found = review.show_all(run.console, work.pending, connection, new=work.new)
    save = f"invoke diff --env {run.settings.env} --name renamed" if work.new else ""
    review.refuse_blocking(found, run.options.allow_data_loss, run.remote.name, save)
    if run.options.dry_run:
        return show_plan(run, work)
    protected = run.settings.protected and _anything_to_push(run, work)
    review.approve(run, work.new, work.plan, protected, work.left_out)
    return work


def _anything_to_push(_run: Run, work: Work) -> bool:
    return bool(work.pending or work.unrecorded_remotely)


def _push_in_words(run: Run, work: Work) -> str:
    pushed = [f"push {names(work.pending)} to {run.remote.name}"] if work.pending else []
    known = names(work.unrecorded_remotely)
    recorded = (
        [f"record {known} in its history, not run again: it has their effect"] if work.unrecorded_remotely else []
    )
    return ", then ".join([*recorded, *pushed]) if pushed else f"{run.remote.name}: {recorded[0]}"


def _local_to_commit(run: Run, work: Work) -> tuple[Migration, ...]:
    if not run.options.commit:  # then git is asked nothing
        return ()
    return tuple(sorted({*commit.of_this_run(run, work), *commit.left_behind(run, work)}))


def _commits_local(run: Run, work: Work) -> bool:
    return not disproved(work) and commit.wanted(run, _local_to_commit(run, work))


BACKUP = Step("backup", backup.in_words, backup.remote_before_push, _anything_to_push, writes=True)

LOCAL_TO_REMOTE = (
    Step("preflight", lambda r, _w: f"look at {r.remote.name} and its history", _look_local_to_remote),
    Step("diff", lambda r, _w: f"compare {r.local.name} with a shadow of its history", _diff_local),
    Step(
        "review", lambda _r, w: f"review {counted(len(w.pending), 'migration')}", _review_local_to_remote,
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


# --- the half that is useful alone ---


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
