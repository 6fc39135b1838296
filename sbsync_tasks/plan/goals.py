"""From a state to the actions that lead to a goal, or to what keeps it from being planned, with the ways out. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from ..checks import transactions
from ..console import counted
from ..errors import ConfigError, RefusedError
from ..options import Options
from ..state import InGit, Origin, State
from ..state.histories import At, Status
from ..state.migrations import Migration
from . import BackUp, BringUp, Commit, Plan, Prove, Push, Put, Rebuild, Record, Rerecord, Write
from .conflicts import conflicts
from .model import Conflict, Facts, Kind

# What a pull does by itself, or leaves as it is.
NO_STOP_FOR_A_PULL = (Kind.OUT_OF_ORDER, Kind.DRIFT)
REMOTE_CHANGES = "Add migration for remote changes"
LOCAL_CHANGES = "Add migration for local changes"


@dataclass(frozen=True)
class Places:
    """What the databases are called in a plan.

    Attributes:
        local: The local one; empty where nobody looks at it.
        remote: The remote.
        seeds: A rebuild of the local one runs seeds.
        major: The major version that a rebuild gives the local one; None for the one that it has.
    """

    local: str
    remote: str
    seeds: bool = False
    major: int | None = None


def local_to_remote(state: State, options: Options, places: Places) -> Plan:
    """Bring local changes and pending files to the remote."""
    return (
        *_write(state),
        *_bring_local(state, options, places),
        *_push(state, places),
        Prove(places.local, places.remote),
        *_commit(state, options, to_commit(state, Origin.LOCAL), LOCAL_CHANGES),
    )


def remote_to_local(state: State, options: Options, places: Places) -> Plan:
    """Bring the remote's changes to the files, the local database and git."""
    return (
        *_write(state),
        *_bring_local(state, options, places),
        Prove(places.local, places.remote),
        *_commit(state, options, to_commit(state, Origin.REMOTE), REMOTE_CHANGES),
        *([Record(places.remote, state.to_record)] if options.record and state.to_record else []),
    )


def push(state: State, _options: Options, places: Places) -> Plan:
    """Bring pending files to the remote; the local database is not looked at."""
    return (*_push(state, places), Prove(places.remote, "the migration files", "remote"))


def pull(state: State, _options: Options, _places: Places) -> Plan:
    """Bring the remote's changes to the files."""
    return _write(state)


def reset(state: State, _options: Options, places: Places) -> Plan:
    """Rebuild the local database from the files."""
    rebuilt = Rebuild(places.local, state.files, places.seeds, places.major)
    return (rebuilt, Prove(places.local, "the migration files", "local"))


def commit(state: State, options: Options, _places: Places) -> Plan:
    """Commit the files that git does not have, but for those that seem to hold a credential."""
    git = state.in_git or InGit()
    files = tuple(m for m in state.files if m.file_name in git.lacks - git.secret)
    named = f"Add migration {files[0].name}" if len(files) == 1 else f"Add {counted(len(files), 'migration')}"
    return (Commit(files, options.message or named, git.gone),) if files else ()


def consistent(found: Iterable[Conflict]) -> Plan:
    """Cure the conflicts that can be cured: files first, then the local history, all of it at once."""
    actions = [action for conflict in found for action in conflict.actions]
    versions = tuple(each for action in actions if isinstance(action, Rerecord) for each in action.versions)
    return (*(a for a in actions if isinstance(a, Put)), *([Rerecord(versions)] if versions else []))


def rebuilds(state: State, options: Options) -> bool:
    """Whether the local database is going to be rebuilt."""
    return options.reset and (state.behind or state.local_changed)


def to_commit(state: State, whose: Origin) -> tuple[Migration, ...]:
    """The files that a run commits if it commits: what it makes, brings somewhere or records.

    A file that only gets a later version is among them where git has its text under the old one: what the user has
    not committed is not committed with it. A push also finishes what a run that was cut off has left.
    """
    git = state.in_git or InGit()
    users_own = {e.migration for e in state.entries if e.was and e.was.file_name not in git.had}
    if whose is not Origin.LOCAL:
        return tuple(sorted({*state.to_write, *state.to_record} - users_own))
    recorded = (e.migration for e in state.entries if e.origin is Origin.FILE and e.remote in (At.SAME, At.OTHER))
    left = {m for m in recorded if m.file_name in git.lacks}
    return tuple(sorted(({*state.to_write, *state.to_record, *state.pending} - users_own) | left))


def uncommitted(state: State, migrations: Collection[Migration]) -> tuple[Migration, ...]:
    """Those that are yet to be written, and those that git does not have as they are."""
    lacks, new = (state.in_git or InGit()).lacks, set(state.to_write)
    return tuple(m for m in migrations if m in new or m.file_name in lacks)


def _write(state: State) -> Plan:
    return (Write(state.to_write, state.renamed),) if state.to_write else ()


def _bring_local(state: State, options: Options, places: Places) -> Plan:
    if rebuilds(state, options):
        return (Rebuild(places.local, state.files, places.seeds),)
    if state.behind:
        return (BringUp(places.local, state.unrecorded_locally, state.to_apply),)
    return ()


def _push(state: State, places: Places) -> Plan:
    if not (state.pending or state.to_record):
        return ()
    return (BackUp(places.remote, state.risk), Push(places.remote, state.to_record, state.pending))


def _commit(state: State, options: Options, migrations: tuple[Migration, ...], message: str) -> Plan:
    if not (options.commit and state.in_git and uncommitted(state, migrations)):
        return ()
    return (Commit(migrations, message),)


# --- what keeps a goal from being planned ---


def problems_of_push(state: State, facts: Facts, options: Options) -> tuple[RefusedError, ...]:
    """What a push, or a whole scenario that ends in one, must not run into."""
    stopping = (c for c in conflicts(facts) if not (c.kind is Kind.OUT_OF_ORDER and options.include_all))
    return (*map(_problem, stopping), *_of_files(state, options))


def problems_of_pull(state: State, facts: Facts, options: Options) -> tuple[RefusedError, ...]:
    """What a pull must not build upon."""
    stopping = (c for c in conflicts(facts) if c.kind not in NO_STOP_FOR_A_PULL and not _settled(c, facts, options))
    return (*map(_problem, stopping), *_of_files(state, options))


def problems_of_transactions(migrations: Iterable[Migration]) -> tuple[RefusedError, ...]:
    """Files that open or end transactions of their own must not be run: the CLI would not record them."""
    found = map(transactions.problem, migrations)
    return tuple(RefusedError(what, transactions.WAY_OUT) for what in found if what)


def refuse(problems: tuple[RefusedError, ...]) -> None:
    """Stop for all problems at once.

    Raises:
        RefusedError: there is one.
    """
    if len(problems) == 1:
        raise problems[0]
    if problems:
        listed = "\n".join(f"  - {p.message}\n    {p.hint}" for p in problems)
        raise RefusedError(f"{counted(len(problems), 'problem')} have to be fixed first:\n{listed}")


def refuse_contradictions(options: Options) -> None:
    """Stop before anything is looked at.

    Raises:
        ConfigError: two flags contradict each other.
    """
    if options.discard_local and not options.reset:
        raise ConfigError(
            "--discard-local and --no-reset contradict each other.",
            "Local changes are dropped by rebuilding the local database.",
        )
    if options.discard_local and options.keep_local:
        raise ConfigError("--keep-local and --discard-local contradict each other.", "Choose one.")


def _settled(conflict: Conflict, facts: Facts, options: Options) -> bool:
    """Whether a pull ends a conflict by itself: it adopts what was recorded, and drops what it was told to drop."""
    recorded = facts.remote.get(conflict.version)
    if conflict.kind is Kind.MISSING:
        return recorded is not None and recorded.statements is not None and conflict.version.isdigit()
    only_local = conflict.kind is Kind.LOCAL_ONLY or (conflict.kind is Kind.RENAMED and recorded is None)
    return only_local and options.discard_local


def _problem(conflict: Conflict) -> RefusedError:
    first, *others = conflict.ways
    ways = [f"`invoke resolve` does this: {first.title}" if first.actions else first.title]
    return RefusedError(conflict.what, " ".join([*ways, *(way.title for way in others)]))


def _of_files(state: State, options: Options) -> Iterator[RefusedError]:
    yield from problems_of_transactions(row.file for row in state.rows if row.file and not row.remote)
    if not options.reset:
        for row in state.rows_of(Status.LOCAL_STALE):
            yield RefusedError(
                f"Migration {row.version} ({row.name}) was edited after it was applied locally.",
                "The local database has to be rebuilt for that: leave --no-reset out.",
            )
