"""What keeps a goal from being planned: each problem with its way out. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..checks import transactions
from ..console import counted
from ..errors import ConfigError, RefusedError
from ..options import Options
from ..state import State
from ..state.histories import Row, Status
from ..state.migrations import Migration
from .conflicts import conflicts
from .model import Conflict, Facts, Kind

# What a pull does by itself, or leaves as it is.
NO_STOP_FOR_A_PULL = (Kind.OUT_OF_ORDER, Kind.DRIFT)


@dataclass(frozen=True)
class Problem:
    """Why there is no plan.

    Attributes:
        what: What is wrong, in a sentence or two.
        way_out: What to do.
    """

    what: str
    way_out: str


def of_push(state: State, facts: Facts, options: Options) -> tuple[Problem, ...]:
    """What a push, or a whole scenario that ends in one, must not run into."""
    stopping = (c for c in conflicts(facts) if not (c.kind is Kind.OUT_OF_ORDER and options.include_all))
    return (*map(_problem, stopping), *_of_files(state, options))


def of_pull(state: State, facts: Facts, options: Options) -> tuple[Problem, ...]:
    """What a pull must not build upon."""
    stopping = (c for c in conflicts(facts) if c.kind not in NO_STOP_FOR_A_PULL and not _settled(c, facts, options))
    return (*map(_problem, stopping), *_of_files(state, options))


def of_transactions(migrations: Iterable[Migration]) -> tuple[Problem, ...]:
    """Files that open or end transactions of their own must not be run: the CLI would not record them."""
    found = map(transactions.problem, migrations)
    return tuple(Problem(what, transactions.WAY_OUT) for what in found if what)


def refuse(problems: tuple[Problem, ...]) -> None:
    """Stop for all problems at once.

    Raises:
        RefusedError: there is one.
    """
    if len(problems) == 1:
        raise RefusedError(problems[0].what, problems[0].way_out)
    if problems:
        listed = "\n".join(f"  - {p.what}\n    {p.way_out}" for p in problems)
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


def _problem(conflict: Conflict) -> Problem:
    first, *others = conflict.ways
    ways = [f"`invoke resolve` does this: {first.title}" if first.actions else first.title]
    return Problem(conflict.what, " ".join([*ways, *(way.title for way in others)]))


def _of_files(state: State, options: Options) -> Iterator[Problem]:
    yield from of_transactions(row.file for row in state.rows if row.file and not row.remote)
    if not options.reset:
        yield from map(_stale, state.rows_of(Status.LOCAL_STALE))


def _stale(row: Row) -> Problem:
    return Problem(
        f"Migration {row.version} ({row.name}) was edited after it was applied locally.",
        "The local database has to be rebuilt for that: leave --no-reset out.",
    )
