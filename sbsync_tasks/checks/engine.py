"""The review: every statement past every rule, from top to bottom."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from sbsync_tasks.sqltext import UnparsableSql, is_transactional, parse, stands_alone

from . import bodies, changes, exposure, losses, transactions
from .finding import Finding, Met, Review, Severity, by_gravity, finding, mask, mask_quoted, secrets, shortened
from .scope import LEARNERS, Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from sbsync_tasks.sqltext import Parsed

    Rule = Callable[[Parsed, Scope], Iterator[Finding]]


# Ends a last statement that has no semicolon; the CLI resets a session's settings after each file.
_BETWEEN = "\n;\nreset search_path;\n"


def _merged(tables: Iterable[Mapping[str, Sequence[Rule]]]) -> dict[str, list[Rule]]:
    merged: dict[str, list[Rule]] = defaultdict(list)
    for table in tables:
        for name, rules in table.items():
            merged[name] += rules
    return dict(merged)


_MODULES = (losses, exposure, changes, bodies)
_BY_NAME = _merged(m.RULES for m in _MODULES)
_IN_TRANSACTION = _merged([transactions.RULES])
_ALWAYS: tuple[Rule, ...] = tuple(rule for m in _MODULES for rule in getattr(m, "ALWAYS", ()))
_LEARNERS = (LEARNERS, exposure.LEARNERS)
_AT_END = tuple(rule for m in _MODULES for rule in getattr(m, "AT_END", ()))
_GRAVE = frozenset([Severity.DATA_LOSS, Severity.EXPOSURE, Severity.OPAQUE])
# Findings that are none where the object is made again later, as diffs and idempotent files do it.
_PUT_RIGHT = frozenset(
    ["drop-constraint", "drop-function", "drop-materialized-view", "drop-policy", "drop-procedure",
     "drop-publication", "drop-trigger", "drop-view"]
)  # fmt: skip


def review(sql: str, met: Met | None = None) -> Review:
    """Judge the statements of one migration; see `review_together`."""
    return review_together((sql,), met)[0]


def review_together(texts: Sequence[str], met: Met | None = None) -> tuple[Review, ...]:
    """Judge files that are applied one after the other, each by what stands before it, and what a later one puts right.

    Never raises: a text that PostgreSQL's parser refuses yields one blocking finding, `unparsable`.

    Args:
        texts: The files.
        met: What the database has that they are going to meet; None where that is not known.
    """
    scope, files = Scope(met), [_File(text) for text in texts]
    for file in files:
        file.read(scope)
        scope.next_file()
    places = {id(parsed): file for file in files for parsed in file.parsed}
    for inside, outer in scope.within:
        places[id(inside)] = places[id(outer)]
    for at_end in _AT_END:
        for parsed, found in at_end(scope):
            places[id(parsed)].findings.append(found)
    return tuple(file.reviewed(scope.made_again) for file in files)


def learn(scope: Scope, parsed: Parsed, *, inside: bool = False) -> None:
    """Take note of what a statement does; what one inside of another makes does not count as new afterwards."""
    if parsed.name == "transaction_stmt" or stands_alone(parsed):
        scope.enum_values.clear()  # what was added before is committed
    learners = [table[parsed.name] for table in _LEARNERS if parsed.name in table]
    makes = bool(learners) and (parsed.name != "select_stmt" or parsed.node.HasField("into_clause"))
    before = set(scope.created) if inside and makes else None
    for learner in learners:
        learner(scope, parsed)
    scope.created = scope.created if before is None else before


class _File:
    """One file while it is judged."""

    def __init__(self, sql: str) -> None:
        self.sql = sql
        self.parsed: tuple[Parsed, ...] = ()
        self.findings = [*secrets(sql)]

    def read(self, scope: Scope) -> None:
        """Judge each statement, and let the scope learn from it."""
        try:
            self.parsed = parse(self.sql)
        except UnparsableSql as error:
            self.findings.append(_unparsable(self.sql, error))
        else:
            self.findings += _findings(self.parsed, scope, transactional=is_transactional(self.sql))

    def reviewed(self, made_again: Collection[str]) -> Review:
        """The findings, the gravest first; of what was dropped and made again only a loss is one."""
        found = (f for f in dict.fromkeys(self.findings) if not _is_put_right(f, made_again))
        return Review(tuple(p.statement for p in self.parsed), by_gravity(found))


def _is_put_right(found: Finding, made_again: Collection[str]) -> bool:
    again = found.rule in _PUT_RIGHT and _label(found) in made_again
    return again or f"{found.rule} {found.object}" in made_again


def _label(found: Finding) -> str:
    """The object without a function's arguments."""
    return found.object.partition("(")[0] if found.object.startswith(("function ", "procedure ")) else found.object


def joined(texts: Iterable[str]) -> str:
    """Files that are applied one after the other, as one text."""
    return _BETWEEN.join(text.removeprefix("\ufeff") for text in texts)


def unallowed(reviewed: Review, allowed: Sequence[str]) -> tuple[Finding, ...]:
    """The losses of data that nobody has allowed by name.

    Args:
        reviewed: The review.
        allowed: What `--allow-data-loss` names. Quotes and letter case are read as SQL reads them;
            there are no wildcards, and a table does not stand for its columns nor a schema for its
            tables.
    """
    names = {losses.read_allowance(a) for a in allowed}
    return tuple(f for f in reviewed.data_loss if not any(losses.covers(name, f.object) for name in names))


def _unparsable(sql: str, error: UnparsableSql) -> Finding:
    lines = mask(sql).split("\n")
    text = shortened(lines[error.line - 1]) if 0 < error.line <= len(lines) else ""
    return Finding(
        "unparsable", Severity.OPAQUE, "file", error.line, text, mask_quoted(error.reason, sql), error.hint, True
    )


def _findings(parsed: Sequence[Parsed], scope: Scope, *, transactional: bool) -> Iterator[Finding]:
    seen = set[bodies.Inner]()
    for this in parsed:
        if transactional and this.node is not None:
            for rule in (*_IN_TRANSACTION.get(this.name, ()), *transactions.ALWAYS):
                yield from rule(this, scope)
        yield from _of_statement(this, scope, seen)
        learn(scope, this)
    if transactional:
        yield from transactions.not_alone(parsed)
        yield from transactions.own(parsed)


def _of_statement(parsed: Parsed, scope: Scope, seen: set[bodies.Inner]) -> Iterator[Finding]:
    if parsed.node is None:
        why = "It is nested too deeply to be looked into."
        yield finding(parsed, "too-deep", Severity.OPAQUE, parsed.statement.kind, why)
        return
    for rule in (*_BY_NAME.get(parsed.name, ()), *_ALWAYS):
        yield from rule(parsed, scope)
    for found in bodies.run_by(parsed, scope):
        if isinstance(found, Finding):
            yield found
        elif found not in seen:
            # Functions may call themselves.
            seen.add(found)
            yield from _inside(parsed, found, scope, seen)


def _inside(outer: Parsed, found: bodies.Inner, scope: Scope, seen: set[bodies.Inner]) -> Iterator[Finding]:
    """The findings of SQL that a statement runs; what it creates counts for nothing outside."""
    try:
        parsed = parse(found.sql)
    except UnparsableSql as error:
        if found.expression:
            yield bodies.unseen(outer, found.expression, found.line, "SQL")
            return
        why = f"SQL inside of it cannot be read: {error.reason}."
        yield finding(outer, "opaque-body", Severity.OPAQUE, outer.statement.kind, why)
        return
    before, scope.around = scope.around, found.around
    for this in parsed:
        line = found.line + (0 if found.elsewhere else this.statement.line - 1)
        placed = replace(this, statement=replace(this.statement, line=line))
        if found.expression:
            yield from _in_part(outer, placed, found, scope, seen)
        else:
            scope.within.append((placed, outer))
            yield from _of_statement(placed, scope, seen)
            learn(scope, placed, inside=True)
    scope.around = before


def _in_part(
    outer: Parsed, this: Parsed, found: bodies.Inner, scope: Scope, seen: set[bodies.Inner]
) -> Iterator[Finding]:
    """Of a statement whose objects are not known: that it cannot be seen what it does, where that can be grave."""
    if any(f.severity in _GRAVE for f in _of_statement(this, scope, seen)):
        yield bodies.unseen(outer, found.expression, this.statement.line, this.statement.kind)
    if this.name in {"rename_stmt", "alter_object_schema_stmt"}:
        scope.met = None  # what is there, and under which name, can no longer be told
