"""Rebuilding the local database from the migrations, or bringing it up without losing its data."""

from __future__ import annotations

from collections.abc import Sequence

from ..console import counted
from ..databases import Database, FileFailedError, NextLocal, explained, push, read_back
from ..databases.catalog import MIGRATIONS, Difference, compare, read_catalog, told
from ..databases.open import clusters_of
from ..errors import RefusedError, SbsyncError
from ..plan.actions import BringUp, Rebuild
from ..state import State
from ..state.histories import as_migrations
from ..state.migrations import Migration
from ..supabase_cli import CliError
from . import backup, leftovers
from .diff import listed
from .done import Done
from .marking import mark_applied
from .run import Run


def refuse_unseen_loss(run: Run, state: State) -> None:
    """With `SBSYNC_SCHEMAS`, a rebuild must not drop what no comparison looked at.

    Raises:
        RefusedError: the local database has something outside these schemas that its history has not.
    """
    if not run.settings.schemas or run.options.discard_local:
        return
    base = as_migrations(state.local_history, state.folder.migrations)
    shadow = run.shadow(base, run.local_identity.major)
    seen = set(run.differences(shadow, run.local))
    unseen = [d for d in run.differences(shadow, run.local, ()) if d not in seen]
    if unseen:
        raise RefusedError(
            f"A rebuild of {run.local.name} would drop what stands outside SBSYNC_SCHEMAS "
            f"({', '.join(run.settings.schemas)}):\n" + listed(told(unseen)),
            "--no-reset keeps the local database as it is; or widen SBSYNC_SCHEMAS, so that it is looked at.",
        )


def rebuild(run: Run, _state: State, action: Rebuild, done: Done) -> None:
    """Back the local database up, build it again from all migrations, and run the seeds."""
    migrations = action.migrations
    prepare(run, migrations, action.major)
    done.backups = (*done.backups, backup.whole_local(run))
    if run.local.kind == "embedded":
        seeds = _swap_embedded(run)
    elif run.local.kind == "stack":
        with explained(migrations, run.local.label, fresh=True):
            seeds = run.stack.reset(migrations)
    else:
        leftovers.clear(run, migrations)
        with explained(migrations, run.local.label, fresh=True):
            seeds = run.cli.reset(run.local.endpoint, migrations)
    run.forget_local()
    read_back(run.local.endpoint, run.local.label, migrations)
    if action.seeds:
        run.console.say(_seeded(seeds), "note")
    done.seeds = seeds


def _seeded(seeds: Sequence[str]) -> str:
    if not seeds:
        return "no seed file was run"
    return f"{counted(len(seeds), 'seed file')} run: {', '.join(seeds)}"


def prepare(run: Run, migrations: Sequence[Migration], major: int | None = None) -> None:
    """Begin to build the database that a rebuild would put in the local one's place; embedded ones only.

    It is a copy of the shadow of these migrations, thrown away unless the rebuild is approved: what the run still
    looks at, and the user reads, meanwhile takes as long as the seeds do.
    """
    wanted = tuple(sorted(migrations))
    if run.local.kind != "embedded" or not run.options.reset or run.options.dry_run:
        return
    if run.next_local and run.next_local.migrations == wanted:
        return
    if run.next_local:
        run.next_local.close()
    major = major or run.local_identity.major
    clusters = clusters_of(run.settings, major)
    run.next_local = NextLocal(clusters, run.cli, run.shadow(wanted, major).cluster, wanted)


def _swap_embedded(run: Run) -> tuple[str, ...]:
    """Only what is complete takes the local database's place."""
    local = run.local
    assert run.next_local is not None  # noqa: S101 - made for every embedded database that is rebuilt
    try:
        return run.next_local.replace(local.cluster)
    except CliError as error:
        what = "The seeds do not fit the migrations" if isinstance(error, FileFailedError) else "The seeds were not run"
        hint = error.hint or "See what the migrations set for the whole database or for a role: it holds afterwards."
        raise CliError(f"{what}: {error.message}", f"{local.name} is as it was. {hint}") from None


def bring_up(run: Run, state: State, action: BringUp, done: Done) -> None:
    """Without a reset: record what the local database has, apply what it has not (after a backup)."""
    if action.apply:
        done.backups = (*done.backups, backup.whole_local(run))
    if action.record:
        mark_applied(run, run.local, action.record)
    if action.apply:
        push(run.cli, run.local.endpoint, run.local.label, state.files, action.apply, include_all=True)


def refuse_other_than_files(run: Run, done: Done) -> None:
    """Compare the rebuilt database with the migrations: it may only differ by what the seeds have made.

    Raises:
        SbsyncError: it differs by more than that.
    """
    shadow = run.shadow(done.state.files, run.local_identity.major)
    found = run.differences(shadow, run.local)
    left = _without_seeds(run, done.state) if found and done.seeds else found
    if left:
        raise SbsyncError(f"{run.local.label} is not what the migrations say:\n" + listed(told(left)))
    for text in told(found):
        run.console.say(f"made by the seeds, and by no migration: {text}", "note")


def _without_seeds(run: Run, state: State) -> tuple[Difference, ...]:
    """How it differs from a copy of the shadow on which the seeds were run."""
    with run.shadows.scratch(state.files, run.local_identity.major) as endpoint:
        push(run.cli, endpoint, "a copy of the shadow database", state.files, (), seed=True)
        copy = Database("shadow", "embedded", endpoint, MIGRATIONS, "shadow database")
        with copy.connection() as connection:
            catalog = read_catalog(connection, run.settings.schemas)
    return compare(catalog, run.catalog(run.local), run.claims, (MIGRATIONS, run.local.name))
