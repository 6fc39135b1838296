"""Making a migration from the engine's script where that does not apply, or leaves something out.

The work is done on a scratch copy of the shadow: statements are tried, dependents cleared, the rest is added, until the
copy is what the changed database is. The engine is asked at most twice more.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING

from ..databases.catalog import Difference
from ..platform import OPEN_SCHEMAS
from . import GONE, Part, Tried, added, ahead, engine_parts, enum_values_apart, in_some_order, kept
from .dependents import BLOCKED, cleared
from .facts import Archive, Both, Fact, Facts, Stage, claimed, read_facts

if TYPE_CHECKING:
    import psycopg

# What the engine knows nothing of; its own statements may wait for these.
UNKNOWN = ("text search", "operator", "cast", "statistics", "aggregate")
_CLEARED = "it stands in the way of a change and is made again below"
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


@dataclass(frozen=True, kw_only=True)
class Bench(Both):
    """The two side by side: the copy is written to and committed, the changed database is only read.

    Attributes:
        ask: The engine's script from the copy, as it is committed, to the changed database; empty where it has none.
        differences: How the two differ at this moment in what is the user's.
        nobodys: Which of some statements are about nothing that is the user's.
        archive: Objects of the changed database in pg_dump's words.
    """

    ask: Callable[[], str]
    differences: Callable[[], Sequence[Difference]]
    nobodys: Callable[[Sequence[str]], Collection[str]]
    archive: Archive

    @cached_property
    def there(self) -> Facts:
        """What the changed database holds."""
        return read_facts(self.target, self.schemas)

    def facts(self) -> Facts:
        """What the copy holds at this moment."""
        return read_facts(self.scratch, self.schemas)

    def lacking(self, stage: Stage, kinds: tuple[str, ...] = ("",)) -> list[Part]:
        """The statements that make the copy what the changed database is, so far as they concern these kinds."""
        here = self.facts()
        differing = [key for key in self._differing(here, stage) if f"{key} ".startswith(kinds)]
        made = self._made(differing)
        parts: list[Part] = []
        for key in differing:
            ours, theirs = here.get(key), self.there.get(key)
            why = f"the engine's statements do not {'make' if theirs else 'remove'} the {key}"
            if ours and ours.undo and (theirs is None or theirs.again):
                parts.append(added(ours.undo, why))
            parts.extend(added(text, why) for text in made[key])
        nobodys = self.nobodys([part.text for part in parts])
        return [part for part in parts if part.text not in nobodys]

    def _differing(self, here: Facts, stage: Stage) -> list[str]:
        keys = sorted(here.keys() | self.there.keys())
        wanted = (key for key in keys if (self.there.get(key) or here[key]).stage == stage)
        return [key for key in wanted if not _same(here.get(key), self.there.get(key))]

    def _made(self, keys: Sequence[str]) -> dict[str, Sequence[str]]:
        """What makes each of these in the changed database, there or by pg_dump; nothing for what that lacks."""
        facts = {key: self.there[key] for key in keys if key in self.there}
        wanted = {key: fact.oids for key, fact in facts.items() if fact.make is None and fact.oids}
        managed = [schema for schema in OPEN_SCHEMAS if any(f" {schema}." in key for key in wanted)]
        dumped = self.archive.statements(wanted.values(), managed) if wanted else {}
        made = {key: [fact.make] if fact.make else dumped.get(fact.oids, ()) for key, fact in facts.items()}
        return {key: made.get(key, ()) for key in keys}

    def missing(self, waiting: Sequence[tuple[Part, psycopg.Error]]) -> tuple[Missing, ...]:
        """What is still not as in the changed database, with both definitions."""
        here = self.facts()
        errors = {part.text: error for part, error in waiting}
        found = []
        # Where an object is missing, attributes say nothing.
        differing = self._differing(here, "create") or self._differing(here, "attribute")
        for key, texts in self._made(differing).items():
            ours, theirs = here.get(key), self.there.get(key)
            statement = "; ".join(texts) if theirs or ours is None else ours.undo or ""
            error = errors.get(statement)
            if error is None or error.sqlstate not in GONE:  # else it belongs to what is missing itself
                why = _in_words(error) if error else ""
                denied = error is not None and error.sqlstate == "42501"
                found.append(Missing(key, _shown(ours), _shown(theirs), statement, why, denied))
        nobodys = self.nobodys([this.statement for this in found])
        found = [this for this in found if this.statement not in nobodys]
        for text in (part.text for part in claimed(self.differences())):
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
    scratch = bench.scratch
    scratch.autocommit = False
    before = kept.identities(scratch)
    named = in_some_order(scratch, _named(bench)).done
    first = in_some_order(scratch, _ahead(bench), partial(_in_the_way, bench)).done
    scratch.commit()
    values, script = _values_added(bench, bench.ask() if named or first else sql)
    tried = _tried(bench, script)
    if bench.differences() and any(error.sqlstate in BLOCKED for _, error in tried.waiting):
        tried = _cleared(bench, script, tried)
    waiting = tried.waiting if (differ := bench.differences()) else []
    missing = bench.missing(waiting) if differ else ()
    refused = {part.text: _in_words(error) for part, error in waiting if part.origin == "engine"}
    positions = in_some_order(scratch, kept.positions(before, kept.identities(scratch))).done
    idle = {this.statement for this in missing if this.what == this.statement}
    new_values, parts = enum_values_apart([*values, *first, *tried.done, *positions])
    early, late = ((*named, *new_values), parts) if new_values else ((), (*named, *parts))
    return Completed(early, tuple(_once(p for p in late if p.text not in idle)), missing, tuple(refused.items()))


def _named(bench: Bench) -> Iterator[Part]:
    yield from ahead.roles(bench)
    if known := (yield from kept.moves(bench)):
        yield from ahead.renames(bench, of="rpf", known=known)


def _values_added(bench: Bench, sql: str) -> tuple[list[Part], tuple[Part, ...]]:
    """The engine's script, its new values of enums added and committed: nothing can use them before."""
    values, script = enum_values_apart(engine_parts(sql))
    done = in_some_order(bench.scratch, values).done
    bench.scratch.commit()
    return done, script


def _ahead(bench: Bench) -> Iterator[Part]:
    yield from ahead.renames(bench)
    yield from ahead.partition_indexes(bench)
    yield from ahead.plain(bench)
    if collated := [*ahead.collated(bench)]:
        yield from (*bench.lacking("create", ("collation",)), *collated)
    yield from ahead.labels(bench)
    for name, columns in ahead.freed(bench):
        yield from (*columns, *bench.lacking("create", (f"domain {name} ",)))
    if new := ahead.new_parents(bench):
        yield from bench.lacking("create", tuple(f"table {name} " for name in sorted(new)))
    yield from ahead.parents(bench, bench.facts(), bench.there)


def _in_the_way(bench: Bench, part: Part) -> Sequence[Part]:
    """What keeps a column from getting another type, or a domain from being dropped."""
    if not (part.text.startswith("ALTER TABLE") and " TYPE " in part.text) and not part.text.startswith("drop domain"):
        return ()
    return [added(text, _CLEARED) for text in cleared(bench.scratch, part, "0A000")]


def _tried(bench: Bench, script: Sequence[Part]) -> Tried:
    """The script in an order that applies, and what it leaves out, in an open transaction."""
    tried = in_some_order(bench.scratch, script)
    steps: tuple[Callable[[], Iterable[Part]], ...] = (
        partial(bench.lacking, "create", UNKNOWN),
        partial(bench.lacking, "create"),
        # Names of new partitions' indexes, and labels that the engine has added without their carriage returns.
        lambda: (*ahead.partition_indexes(bench), *ahead.labels(bench)),
        *[partial(bench.lacking, "attribute")] * PASSES,
        lambda: claimed(bench.differences()),
    )
    for step in steps:
        if not bench.differences():
            break
        _add(bench, tried, [*step()])
    return tried


def _add(bench: Bench, tried: Tried, parts: Sequence[Part]) -> None:
    """Try these, and once more what waits."""
    texts = {part.text for part in parts}
    waiting = [part for part, _ in tried.waiting if part.text not in texts]
    more = in_some_order(bench.scratch, [*parts, *waiting])
    tried.done.extend(part.moved() if part in waiting else part for part in more.done)
    tried.waiting = more.waiting


def _cleared(bench: Bench, script: Sequence[Part], tried: Tried) -> Tried:
    """Begin again, with what stands in the way cleared first, and let the engine make it again."""
    scratch = bench.scratch
    blocked = {part.text: str(error.sqlstate) for part, error in tried.waiting if error.sqlstate in BLOCKED}
    own = sorted((part for part, _ in tried.waiting if part.origin == "added"), key=lambda p: p.text not in blocked)
    scratch.rollback()
    again: dict[str, str] = {}

    def clear(part: Part) -> Sequence[Part]:
        found = cleared(scratch, part, blocked[part.text]) if part.text in blocked else {}
        again.update(found)
        return [added(text, _CLEARED) for text in found]

    begun = in_some_order(scratch, [*script, *own], clear)
    expressions = [bench.there[fact].make or "" for fact in again.values() if fact]
    why = "the expression of a column that could not be dropped without moving it"
    _add(bench, begun, [added(text, why) for text in expressions])
    if not any(part.origin == "added" for part in begun.done):  # nothing could be cleared
        scratch.rollback()
        return _tried(bench, script)
    scratch.commit()
    values, script = _values_added(bench, bench.ask())
    more = _tried(bench, script)
    return Tried([*values, *begun.done, *more.done], more.waiting)


def _once(parts: Iterable[Part]) -> Iterator[Part]:
    """Each setting once."""
    seen = set()
    for part in parts:
        if not part.text.upper().startswith("SET ") or part.text not in seen:
            seen.add(part.text)
            yield part
