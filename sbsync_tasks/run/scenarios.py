"""The two scenarios, and `push` and `pull` alone: look, make migrations, ask, do it, and say what has come of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..console import counted
from ..databases.catalog import compare, told
from ..databases.database import migrations_page
from ..databases.failures import FileFailedError
from ..errors import RefusedError, SbsyncError
from ..folders import shown
from ..plan import goals, writing
from ..plan.numbering import Pending, renumber
from ..state import Origin, State, histories
from ..state.histories import Status
from ..state.migrations import Migration, next_version
from ..supabase_cli import CliError
from . import files, proof, reset, review
from .execute import Goal, carry_out, execute
from .generate import joined
from .look import Changes, changes, facts, listed, look
from .push import refuse_leftovers, refuse_unfit
from .session import Done, Run

WITHOUT_COMMIT = {Origin.LOCAL: "leave --commit out", Origin.REMOTE: "run it with --no-commit"}
LISTED = 20


def local_to_remote(run: Run) -> None:
    """Bring local changes and pending files to the remote, and prove it."""
    if run.options.reset:
        run.refuse_config()
    state = look(run)
    run.introduce()
    with run.console.step("preflight", f"look at {run.remote.name} and its history"):
        state = _to_push(run, state)
    with run.console.step("diff", f"compare {run.local.name} with a shadow of its history"):
        state = _generated(run, state)
        _build_ahead(run, state)
    _end(run, carry_out(run, state, Goal(goals.local_to_remote, _review_push, Origin.LOCAL)))


def push(run: Run) -> None:
    """Bring pending files to the remote; nobody asks the local database, which need not be there."""
    state = look(run, ["remote"])
    run.introduce()
    with run.console.step("preflight", f"look at {run.remote.name} and its history"):
        state = _to_push(run, state)
        run.shadow(state.files, run.remote_identity.major)  # all files apply, on a fresh database, in their order
    _end(run, carry_out(run, state, Goal(goals.push, _review_push, Origin.LOCAL)))


def remote_to_local(run: Run) -> None:
    """Bring the remote's changes to the files, the local database and git, and prove it."""
    goals.refuse_contradictions(run.options)
    if run.options.reset:
        run.refuse_config()
    state = look(run)
    run.introduce()
    with run.console.step("preflight", f"look at {run.local.name} and its history"):
        state = _local_changes(run, _adopted(run, state))
    with run.console.step("pull", f"compare {run.remote.name} with a shadow of its history"):
        state = _pulled(run, state)
    with run.console.step("diff", f"build a shadow from {counted(len(state.files), 'migration')}"):
        _apply_both(run, state)
    _end(run, carry_out(run, state, Goal(goals.remote_to_local, _review_pull, Origin.REMOTE)))


def pull(run: Run) -> None:
    """Write the remote's changes into the folder; nothing else is changed, so nobody is asked."""
    state = look(run)
    run.introduce()
    with run.console.step("preflight", f"look at {run.remote.name} and its history"):
        state = _adopted(run, state)
    with run.console.step("pull", f"compare {run.remote.name} with a shadow of its history"):
        state = _pulled(run, state)
        _refuse_renaming(state)
        _show_pulled(run, state)
    with run.console.step("diff", f"build a shadow from {counted(len(state.files), 'migration')}"):
        run.shadow(state.files, run.local_identity.major)
    _end(run, execute(run, state, Goal(goals.pull).of(run, state)))


def _build_ahead(run: Run, state: State) -> None:
    """See that all files apply, on a fresh database, in their order; and begin with what a rebuild will need."""
    run.shadow(state.files, run.local_identity.major)
    if goals.rebuilds(state, run.options):
        reset.prepare(run, state.files)


def _check_before_asking(run: Run, state: State, whose: Origin) -> None:
    """Stop where a rebuild or the commit at the end could not be made as planned."""
    if goals.rebuilds(state, run.options):
        reset.refuse_unseen_loss(run, state)
        reset.refuse_what_stays(run, state)
    files.check_commit(run, state, goals.to_commit(state, whose), WITHOUT_COMMIT[whose])


# --- to the remote ---


def _to_push(run: Run, state: State) -> State:
    goals.refuse(goals.problems_of_push(state, facts(run, state), run.options))
    _prove_order(run, state)
    drift = changes(run, state, "remote")
    if drift.differences and not run.options.ignore_drift:
        what = f"{run.remote.label} differs from its own history:\n{listed(told(drift.differences))}"
        refuse_leftovers(run, state, drift, what)
        raise RefusedError(
            what,
            "`invoke remote-to-local` brings these changes into a migration first; --ignore-drift goes on "
            "without them.",
        )
    return replace(state.with_unrecorded("remote", drift.by_hand), drift=drift.differences)


def _prove_order(run: Run, state: State) -> None:
    """Build both orders, the files' own and the one in which the remote is going to have them; refuse two results."""
    late = _late(state)
    if not late:
        return
    had = histories.as_migrations(state.remote_history, state.folder.migrations)
    last = _later(late, state.versions).values()
    major = run.remote_identity.major
    try:
        here, there = (run.shadow((*had, *order), major) for order in (late, last))
    except CliError as error:
        raise RefusedError(
            f"The order matters: not every migration can be applied in both. {error.message}",
            "`invoke resolve` gives these files later versions.",
        ) from None
    left = compare(run.catalog(here), run.catalog(there), run.claims, ("files' order", "remote's order"))
    if not left:
        names = ", ".join(m.file_name for m in late)
        run.console.say(f"{names}: the schema is the same in both orders (rows are not compared)", "note")
    else:
        raise RefusedError(
            "The order matters: applied after the later ones, these files lead to another schema:\n"
            + listed(told(left)),
            "`invoke resolve` gives them later versions.",
        )


def _late(state: State) -> list[Migration]:
    """Files that the remote has not had, older than the newest version that it has."""
    head = max(filter(str.isdigit, state.remote_history), default="")
    rows = state.rows_of(Status.PENDING, Status.LOCAL_STALE)
    return [row.file for row in rows if row.file and not row.remote and row.version < head]


def _generated(run: Run, state: State) -> State:
    found = changes(run, state, "local")
    state = state.with_unrecorded("local", found.by_hand)
    if not found.differences:
        return state
    files.check_commit_early(run, WITHOUT_COMMIT[Origin.LOCAL])
    return joined(run, state, found, "local", run.options.name or "local_changes", state.versions)


def _review_push(run: Run, state: State) -> None:
    refuse_unfit(run, state)
    _check_before_asking(run, state, Origin.LOCAL)
    new = state.made(Origin.LOCAL)
    with run.remote.connection() as connection:
        found = review.show_all(run.console, state.pending, connection, new=new)
    save = f"invoke diff --env {run.settings.env} --name renamed" if new else ""
    review.refuse_blocking(found, run.options.allow_data_loss, run.remote.name, save)


# --- from the remote ---


def _adopted(run: Run, state: State) -> State:
    """Take migrations without a file over from the remote's history, as it recorded them."""
    goals.refuse(goals.problems_of_pull(state, facts(run, state), run.options))
    rows = state.rows_of(Status.MISSING)
    return state.joined_by(Origin.HISTORY, [row.remote.as_migration() for row in rows if row.remote])


def _local_changes(run: Run, state: State) -> State:
    found = changes(run, state, "local")
    options = run.options
    state = state.with_unrecorded("local", found.by_hand)
    if not found.differences or options.discard_local:
        return replace(state, local_changed=bool(found.differences))
    if not options.keep_local:
        raise RefusedError(
            f"{run.local.label} has changes that no migration records:\n" + listed(told(found.differences)),
            _ways_with(run, state, found),
        )
    return joined(run, state, found, "local", "local_changes", state.versions)


def _ways_with(run: Run, state: State, here: Changes) -> str:
    """What can be done with local changes; a push is no way where the remote has changed as well."""
    there = changes(run, state, "remote")
    if not there.differences:
        return (
            "--keep-local records them as a migration first, --discard-local drops them (after a backup), "
            "`invoke local-to-remote` pushes them."
        )
    both = ({(d.object, d.left, d.right) for d in found.differences} for found in (here, there))
    if next(both) == next(both):
        return (
            f"{run.remote.name} has the same: `invoke diff --name NAME` writes a migration of it, and `invoke "
            "local-to-remote` records that on both sides."
        )
    return (
        f"{run.remote.name} has changed as well. --keep-local records the local changes as a migration after the "
        "remote's, --discard-local drops them (after a backup)."
    )


def _apply_both(run: Run, state: State) -> None:
    try:
        _build_ahead(run, state)
    except FileFailedError as error:
        failed = error.failure.migration
        if failed is None or failed.version not in {m.version for m in state.made(Origin.LOCAL)}:
            raise
        raise RefusedError(
            f"The local changes do not apply after the remote's: {error.failure.words}\nNothing was changed.",
            "Both sides have changed the same. --discard-local drops the local changes (after a backup); or change the "
            "local database by hand until both fit, then run the same command again.",
        ) from None


def _pulled(run: Run, state: State) -> State:
    """The state with the remote's changes as migrations.

    They stand after the remote's head and before the oldest pending file, so that the next push finds just the
    pending ones; where there is no room, the pending files get later versions.
    """
    found = changes(run, state, "remote")
    state = state.with_unrecorded("remote", found.by_hand)
    what = f"{run.remote.label} has what a push that failed leaves behind:\n{listed(told(found.differences))}"
    refuse_leftovers(run, state, found, what)
    if not found.differences:
        return state
    files.check_commit_early(run, WITHOUT_COMMIT[Origin.REMOTE])
    name = run.options.name or "remote_changes"
    head = [*state.remote_history, *(m.version for m in (*state.made(Origin.HISTORY), *found.by_hand))]
    before = min((m.version for m in state.pending), default="")
    first = next_version(head, before=before)
    # Two seconds, since one diff may become several files.
    if before and not (first and next_version([*head, first], before=before)):
        return _pull_before_renamed(run, state, found, name)
    return joined(run, state, found, "remote", name, head if before else state.versions, before)


def _pull_before_renamed(run: Run, state: State, found: Changes, name: str) -> State:
    applied = [m for m in state.pending if m.version in state.local_history]
    if applied and not run.options.reset:
        raise RefusedError(
            f"The pulled changes come before {applied[0].file_name}, and there is no room for a version before it.",
            "That file has to get a later version, and the local database to be rebuilt: leave --no-reset out.",
        )
    state = joined(run, state, found, "remote", name, state.versions)
    return state.moved(_later(state.pending, state.versions))


def _later(migrations: Sequence[Migration], versions: Sequence[str]) -> dict[Migration, Migration]:
    """These migrations, and what they are with versions that come after all others."""
    groups = renumber((Pending(m, m.file_name, moves=True) for m in migrations), versions)
    return {old.migration: new for group in groups.values() for old, new in group}


def _review_pull(run: Run, state: State) -> None:
    _check_before_asking(run, state, Origin.REMOTE)
    _show_pulled(run, state, () if run.options.reset else state.to_apply)


def _show_pulled(run: Run, state: State, applied: tuple[Migration, ...] = ()) -> None:
    """The files, with what there is to say of them to the local database and to readers: the remote has had them."""
    with run.local.connection() as connection:
        review.show_all(run.console, state.to_write, connection, new=state.made(Origin.REMOTE), run=applied)


def _refuse_renaming(state: State) -> None:
    if state.renamed:
        raise RefusedError(
            f"There is no room for the pulled version before {state.renamed[0][0].file_name}: that file would have to "
            "get a later version.",
            "`invoke remote-to-local` does that as a part of its plan.",
        )


# --- the end ---


def _end(run: Run, done: Done) -> None:
    """Tell what has come of it; an SbsyncError where the proof failed, or git has another text than the databases."""
    console = run.console
    console.document(_document(run, done))
    if run.options.dry_run and writing(done.plan):
        console.say("Dry run: nothing was written.", "ok")
        return
    for made in done.backups:
        console.say(f"backup: {shown(run.settings.root, made.path)}", "note")
    if done.committed and done.committed.commit:
        console.say(f"committed {', '.join(done.committed.files)} as {done.committed.commit}", "ok")
    if done.proof is None:
        _tell_pulled(run, done)
        return
    proof.tell(run, done.proof)
    _warn_uncommitted(run, done)
    if done.pushed and (ref := run.settings.required_remote().ref):
        console.say(f"the migrations on the dashboard: {migrations_page(ref)}", "note")
    if not done.proof.holds:
        raise _failed(run, done)
    if done.rewritten:
        raise SbsyncError(*files.told_rewritten(done.rewritten))


def _tell_pulled(run: Run, done: Done) -> None:
    """The end of a pull alone, which makes no proof."""
    names = ", ".join(m.file_name for m in done.state.to_write)
    if not names:
        run.console.say(f"Nothing to pull: {run.remote.name} has no change that the files lack.", "ok")
    elif run.options.dry_run:
        run.console.say(f"A run would write {names} into supabase/migrations.", "ok")
    pulled = done.state.made(Origin.REMOTE)
    for known in (m for m in done.state.to_record if m not in pulled):
        run.console.say(f"{run.remote.name} has {known.file_name} without having recorded it.", "note")


def _document(run: Run, done: Done) -> dict[str, Any]:
    """The run as JSON data."""
    state = done.state
    return {
        "environment": run.settings.env,
        "local": run.local_label or None,
        "remote": run.remote.label,
        "dry_run": run.options.dry_run,
        "plan": done.document(),
        "migrations": {
            "new": [m.file_name for m in state.made(Origin.LOCAL)],
            "pulled": [m.file_name for m in state.made(Origin.REMOTE)],
            "adopted": [m.file_name for m in state.made(Origin.HISTORY)],
            "renamed": [[old.file_name, new.file_name] for old, new in state.renamed],
        },
        "pushed": list(done.pushed),
        "recorded": list(done.recorded),
        "backups": [shown(run.settings.root, b.path) for b in done.backups],
        "seeds": list(done.seeds),
        "commit": done.committed.commit if done.committed else "",
        "rewritten": list(done.rewritten),
        "steps": [{"name": n, "seconds": round(s, 2), "outcome": o} for n, s, o in run.console.times],
        "proof": done.proof.document() if done.proof else None,
    }


def _failed(run: Run, done: Done) -> SbsyncError:
    if done.pushed or done.recorded:
        what = [f"{', '.join(done.pushed)} pushed"] if done.pushed else []
        what += [f"{', '.join(done.recorded)} recorded in its history"] if done.recorded else []
        return SbsyncError(
            f"{run.remote.name} WAS changed ({'; '.join(what)}), and the proof failed.",
            "`invoke verify --json` shows what differs; the backup taken before the push is named above.",
        )
    planned = done.state.to_write or done.state.to_record
    return SbsyncError(
        "The proof failed: the databases differ as listed above.",
        "Nothing was committed, and nothing was recorded on the remote." if planned else "",
    )


def _warn_uncommitted(run: Run, done: Done) -> None:
    try:
        committed = {Path(name).name for name in (done.committed.files if done.committed else ())}
        lacking = [path for path in files.not_in_git(run, done.state.files) if path.name not in committed]
    except SbsyncError as error:  # the run is done, whatever is the matter with git
        run.console.say(f"whether git has the migrations cannot be told: {error.message}", "warning")
        return
    if lacking:
        more = f" and {len(lacking) - LISTED} earlier ones" if len(lacking) > LISTED else ""
        names = ", ".join(p.name for p in lacking[-LISTED:])
        run.console.say(f"not in git yet: {names}{more} (`invoke commit`)", "warning")
