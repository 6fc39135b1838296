"""Making a migration from the engine's script where that does not apply, or leaves something out.

The work is done on a scratch copy of the shadow: statements are tried, dependents cleared, the rest is added, until the
copy is what the changed database is. The engine is asked at most twice more.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from ..databases.catalog import Difference
from ..platform import OPEN_SCHEMAS
from . import ahead, kept
from .dependents import BLOCKED, Dependents, HeldError
from .facts import Archive, Both, Fact, Facts, Stage, claimed, read_facts
from .script import GONE, Part, Tried, added, engine_parts, enum_values_apart, in_some_order

if TYPE_CHECKING:
    import psycopg

# What the engine knows nothing of; its own statements may wait for these.
UNKNOWN = ("text search", "operator", "cast", "statistics", "aggregate")
_IDLE = "it runs, and changes nothing: postgres may neither give nor take this right"
PASSES = 3  # how often what is still missing is looked for: an attribute may need what an earlier pass has made


@dataclass(frozen=True)
class Missing:
    """An object or attribute that could not be carried.

    Attributes:
        what: Its name, such as `compression of public.t.c`.
        here: What the migrations make of it; None for nothing.
        there: What the changed database has; None for nothing.
        statement: What would bring it about; empty where PostgreSQL has no statement for it.
        why: PostgreSQL's refusal, or what stands in the way.
        denied: Whether that is a right which `postgres` lacks, so that no migration can do it.
    """

    what: str
    here: str | None
    there: str | None
    statement: str
    why: str
    denied: bool = False


@dataclass(frozen=True)
class Completed:
    """What came of it.

    Attributes:
        early: What may have to be committed before the others: new values of enums, and new names before these.
        parts: All others, in an order in which they apply.
        missing: What the copy has otherwise than the changed database all the same.
        refused: Statements of the engine's that do not apply in any order, with PostgreSQL's words.
    """

    early: tuple[Part, ...]
    parts: tuple[Part, ...]
    missing: tuple[Missing, ...]
    refused: tuple[tuple[str, str], ...] = ()


class Bench:
    """A scratch copy and the changed database, side by side.

    Args:
        both: The two; the copy is written to and committed, the changed database is only read.
        ask: The engine's script from the copy, as it is committed, to the changed database; empty where it has none.
        differences: How the two differ at this moment in what is the user's.
        of_the_setting: Which of some statements are about nothing but rights that one of them gives to new objects.
        archive: Objects of the changed database in pg_dump's words.
    """

    def __init__(
        self,
        both: Both,
        ask: Callable[[], str],
        differences: Callable[[], Sequence[Difference]],
        of_the_setting: Callable[[Sequence[str]], Collection[str]],
        archive: Archive,
    ) -> None:
        both.scratch.autocommit = False
        self.both = both
        self.scratch = both.scratch
        self.ask = ask
        self._differences = differences
        self._of_the_setting = of_the_setting
        self._archive = archive
        self.there = read_facts(both.target, both.schemas)

    def equal(self) -> bool:
        """Whether the copy is at this moment what the changed database is."""
        return not self._differences()

    def claimed(self) -> list[Part]:
        """What is left of the platform's objects that a migration claims."""
        return list(claimed(self._differences()))

    def facts(self) -> Facts:
        """What the copy holds at this moment."""
        return read_facts(self.scratch, self.both.schemas)

    def lacking(self, stage: Stage, kinds: tuple[str, ...] = ("",)) -> list[Part]:
        """The statements that make the copy what the changed database is, so far as they concern these kinds."""
        here = self.facts()
        differing = [key for key in self._differing(here, stage) if f"{key} ".startswith(kinds)]
        dumped = self._dumped({key: self.there[key] for key in differing if key in self.there})
        parts: list[Part] = []
        for key in differing:
            ours, theirs = here.get(key), self.there.get(key)
            why = f"the engine's statements do not {'make' if theirs else 'remove'} the {key}"
            if ours and ours.undo and (theirs is None or theirs.again):
                parts.append(added(ours.undo, why))
            if theirs:
                texts = [theirs.make] if theirs.make else dumped.get(theirs.oids, ())
                parts.extend(added(text, why) for text in texts)
        nobodys = self._nobodys([part.text for part in parts])
        return [part for part in parts if part.text not in nobodys]

    def _differing(self, here: Facts, stage: Stage) -> list[str]:
        keys = sorted(here.keys() | self.there.keys())
        wanted = (key for key in keys if (self.there.get(key) or here[key]).stage == stage)
        return [key for key in wanted if not _same(here.get(key), self.there.get(key))]

    def _nobodys(self, statements: Sequence[str]) -> Collection[str]:
        return self._of_the_setting(statements) if statements else ()

    def _dumped(self, facts: Facts) -> dict[tuple[int, ...], tuple[str, ...]]:
        wanted = {key: fact.oids for key, fact in facts.items() if fact.make is None and fact.oids}
        managed = [schema for schema in OPEN_SCHEMAS if any(f" {schema}." in key for key in wanted)]
        return self._archive.statements(wanted.values(), managed) if wanted else {}

    def missing(self, waiting: Sequence[tuple[Part, psycopg.Error]]) -> tuple[Missing, ...]:
        """What is still not as in the changed database, with both definitions."""
        here = self.facts()
        errors = {part.text: error for part, error in waiting}
        found = []
        objects = self._differing(here, "create")
        dumped = self._dumped({key: self.there[key] for key in objects if key in self.there})
        for key in objects or self._differing(here, "attribute"):  # those of an object that is missing say nothing
            ours, theirs = here.get(key), self.there.get(key)
            statement = (
                theirs.make or "; ".join(dumped.get(theirs.oids, ())) if theirs else ours.undo if ours else ""
            ) or ""
            error = errors.get(statement)
            if error is None or error.sqlstate not in GONE:  # else it belongs to what is missing itself
                why = _in_words(error) if error else ""
                denied = error is not None and error.sqlstate == "42501"
                found.append(Missing(key, _shown(ours), _shown(theirs), statement, why, denied))
        nobodys = self._nobodys([this.statement for this in found])
        found = [this for this in found if this.statement not in nobodys]
        for text in (part.text for part in self.claimed()):
            why = _in_words(errors[text]) if text in errors else _IDLE
            found.append(Missing(text, None, None, text, why, denied=True))
        return tuple(found)


def _same(ours: Fact | None, theirs: Fact | None) -> bool:
    """Whether there is nothing to write: an attribute of an object that is to go has nothing to undo."""
    if theirs is None:
        return ours is None or ours.undo is None
    return ours is not None and ours.same(theirs)


def _shown(fact: Fact | None) -> str | None:
    return None if fact is None else fact.make or fact.definition


def _in_words(error: psycopg.Error) -> str:
    said = error.diag.message_primary or next(iter(str(error).splitlines()), "")
    return f"{said} ({error.diag.message_hint})" if error.diag.message_hint else said


def complete(bench: Bench, sql: str) -> Completed:
    """Turn the engine's script into one that applies and is complete.

    Args:
        bench: The scratch copy and the changed database.
        sql: The engine's first script; empty where it could not write one: then all is written without it.
    """
    before = kept.identities(bench.scratch)
    named = in_some_order(bench.scratch, _named(bench)).done
    first = in_some_order(bench.scratch, _ahead(bench), partial(_in_the_way, bench)).done
    bench.scratch.commit()
    values, script = _values_added(bench, bench.ask() if named or first else sql)
    tried = _tried(bench, script)
    if not bench.equal() and any(error.sqlstate in BLOCKED for _, error in tried.waiting):
        tried = _cleared(bench, script, tried)
    equal = bench.equal()
    missing = () if equal else bench.missing(tried.waiting)
    waiting = () if equal else tried.waiting
    refused = {part.text: _in_words(error) for part, error in waiting if part.origin == "engine"}
    after = kept.identities(bench.scratch)
    positions = in_some_order(bench.scratch, kept.positions(before, after)).done
    idle = {this.statement for this in missing if this.what == this.statement}
    new_values, parts = enum_values_apart([*values, *first, *tried.done, *positions])
    early, late = ((*named, *new_values), parts) if new_values else ((), (*named, *parts))
    return Completed(early, tuple(_once(p for p in late if p.text not in idle)), missing, tuple(refused.items()))


def _named(bench: Bench) -> Iterator[Part]:
    yield from ahead.roles(bench.both)
    if known := (yield from kept.moves(bench.both)):
        yield from ahead.renames(bench.both, of="rpf", known=known)


def _values_added(bench: Bench, sql: str) -> tuple[list[Part], tuple[Part, ...]]:
    """The engine's script, its new values of enums added and committed: nothing can use them before."""
    values, script = enum_values_apart(engine_parts(sql))
    done = in_some_order(bench.scratch, values).done
    bench.scratch.commit()
    return done, script


def _ahead(bench: Bench) -> Iterator[Part]:
    both = bench.both
    yield from ahead.renames(both)
    yield from ahead.partition_indexes(both)
    yield from ahead.plain(both)
    if collated := [*ahead.collated(both)]:
        yield from (*bench.lacking("create", ("collation",)), *collated)
    yield from ahead.labels(both)
    for name, columns in ahead.freed(both):
        yield from (*columns, *bench.lacking("create", (f"domain {name} ",)))
    if new := ahead.new_parents(both):
        yield from bench.lacking("create", tuple(f"table {name} " for name in sorted(new)))
    yield from ahead.parents(both, bench.facts(), bench.there)


def _in_the_way(bench: Bench, part: Part) -> Sequence[Part]:
    """What keeps a column from getting another type, or a domain from being dropped."""
    if not (part.text.startswith("ALTER TABLE") and " TYPE " in part.text) and not part.text.startswith("drop domain"):
        return ()
    try:
        return Dependents(bench.scratch).cleared(part, "0A000")
    except HeldError:
        return ()


def _tried(bench: Bench, script: Sequence[Part]) -> Tried:
    """The script in an order that applies, and what it leaves out, in an open transaction."""
    tried = in_some_order(bench.scratch, script)
    steps: tuple[Callable[[], Iterable[Part]], ...] = (
        partial(bench.lacking, "create", UNKNOWN),
        partial(bench.lacking, "create"),
        # Names of new partitions' indexes, and labels that the engine has added without their carriage returns.
        lambda: (*ahead.partition_indexes(bench.both), *ahead.labels(bench.both)),
        *[partial(bench.lacking, "attribute")] * PASSES,
        bench.claimed,
    )
    for step in steps:
        if bench.equal():
            break
        _add(bench, tried, [*step()])
    return tried


def _add(bench: Bench, tried: Tried, parts: Sequence[Part]) -> None:
    """Try these, and once more what waits."""
    texts = {part.text for part in parts}
    waiting = [part for part, _ in tried.waiting if part.text not in texts]
    more = in_some_order(bench.scratch, [*parts, *waiting])
    moved = [part.moved() if part in waiting else part for part in more.done]
    tried.done.extend(moved)
    tried.waiting = more.waiting


def _cleared(bench: Bench, script: Sequence[Part], tried: Tried) -> Tried:
    """Begin again, with what stands in the way cleared first, and let the engine make it again."""
    blocked = {part.text: str(error.sqlstate) for part, error in tried.waiting if error.sqlstate in BLOCKED}
    tries = [*script, *(part for part, _ in tried.waiting if part.origin == "added" and part.text in blocked)]
    replaced = [*tries, *(part for part, _ in tried.waiting if part.origin == "added" and part.text not in blocked)]
    bench.scratch.rollback()
    ending: list[tuple[str, str]] = []

    def clear(part: Part) -> Sequence[Part]:
        if part.text not in blocked:
            return ()
        dependents = Dependents(bench.scratch)
        try:
            found = dependents.cleared(part, blocked[part.text])
        except HeldError:
            return ()
        ending.extend(dependents.at_the_end)
        return found

    again = in_some_order(bench.scratch, replaced, clear)
    _add(bench, again, [_expression(bench, table, column) for table, column in ending])
    if not any(part.origin == "added" for part in again.done):  # nothing could be cleared
        bench.scratch.rollback()
        return _tried(bench, script)
    bench.scratch.commit()
    values, script = _values_added(bench, bench.ask())
    more = _tried(bench, script)
    return Tried([*values, *again.done, *more.done], more.waiting)


def _expression(bench: Bench, table: str, column: str) -> Part:
    fact = bench.there[f"expression of {table}.{column}"]
    return added(fact.make or "", "the expression of a column that could not be dropped without moving it")


def _once(parts: Iterable[Part]) -> Iterator[Part]:
    """Each setting once."""
    seen = set()
    for part in parts:
        if not part.text.upper().startswith("SET ") or part.text not in seen:
            seen.add(part.text)
            yield part
