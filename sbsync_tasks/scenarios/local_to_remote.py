"""From the local database to the remote, and `push` alone."""

from __future__ import annotations

from ..databases.catalog import told
from ..errors import RefusedError
from ..plan import goals, stops
from ..state import Origin, State
from ..steps import commit, preflight, review, roles
from ..steps.diff import changes, listed
from ..steps.done import Done
from ..steps.generate import generate, refuse_unwritable
from ..steps.run import Run
from ..steps.stayed import refuse_leftovers
from .ahead import apply_and_build, rebuilt_ahead
from .question import Goal, carry_out, check_before_asking

WITHOUT_COMMIT = "leave --commit out"


def local_to_remote(run: Run) -> Done:
    """Bring local changes and pending files to the remote, and prove it."""
    if run.options.reset:
        run.refuse_config()
    state = preflight.look(run)
    run.introduce()
    with run.console.step("preflight", f"look at {run.remote.name} and its history"):
        state = _look(run, state)
    with run.console.step("diff", f"compare {run.local.name} with a shadow of its history"):
        state = _generate(run, state)
    return carry_out(run, state, Goal(goals.local_to_remote, _review, Origin.LOCAL))


def push(run: Run) -> Done:
    """Bring pending files to the remote; nobody asks the local database, which need not be there."""
    state = preflight.look(run, ["remote"])
    run.introduce()
    with run.console.step("preflight", f"look at {run.remote.name} and its history"):
        state = _look(run, state)
        run.shadow(state.files, run.remote_identity.major)  # all files apply, on a fresh database, in their order
    return carry_out(run, state, Goal(goals.push, _review, Origin.LOCAL))


def _look(run: Run, state: State) -> State:
    stops.refuse(stops.of_push(state, preflight.facts(run, state), run.options))
    preflight.prove_order(run, state)
    drift = changes(run, state, "remote")
    if drift.differences and not run.options.ignore_drift:
        what = f"{run.remote.label} differs from its own history:\n{listed(told(drift.differences))}"
        refuse_leftovers(run, state, drift, what)
        raise RefusedError(
            what,
            "`invoke remote-to-local` brings these changes into a migration first; --ignore-drift goes on "
            "without them.",
        )
    return state.with_unrecorded("remote", drift.by_hand).with_(drift=drift.differences)


def _generate(run: Run, state: State) -> State:
    found = changes(run, state, "local")
    state = state.with_unrecorded("local", found.by_hand)
    if found.differences:
        commit.check_early(run, WITHOUT_COMMIT)
        name = run.options.name or "local_changes"
        made = generate(run, run.local, found.base, name, state.versions, applied=rebuilt_ahead(run, state))
        refuse_unwritable(run, "The local database", made)
        state = state.joined_by(Origin.LOCAL, made.migrations)
    return apply_and_build(run, state)


def _review(run: Run, state: State) -> None:
    roles.refuse_unfit(run, state)
    check_before_asking(run, state, Origin.LOCAL, WITHOUT_COMMIT)
    new = state.made(Origin.LOCAL)
    with run.remote.connection() as connection:
        found = review.show_all(run.console, state.pending, connection, new=new)
    save = f"invoke diff --env {run.settings.env} --name renamed" if new else ""
    review.refuse_blocking(found, run.options.allow_data_loss, run.remote.name, save)
