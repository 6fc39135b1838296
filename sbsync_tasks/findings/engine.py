"""The review: every statement past every rule, from top to bottom."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING

from sbsync_tasks.sqltext import UnparsableSql, is_transactional, parse

from . import allowances, data_loss, drops, exposure, inner, locking, notes, own_transactions, transactions
from .credentials import mask, mask_quoted
from .model import Finding, Review, Severity, finding, shortened
from .scope import Scope
from .secrets import secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from sbsync_tasks.sqltext import Parsed

    Rule = Callable[[Parsed, Scope], Iterator[Finding]]

_GRAVEST_FIRST = list(Severity)
# Ends a last statement that has no semicolon; the CLI resets a session's settings after each file.
_BETWEEN = "\n;\nreset search_path;\n"


def _merged(tables: Iterable[Mapping[str, Sequence[Rule]]]) -> dict[str, list[Rule]]:
    merged: dict[str, list[Rule]] = defaultdict(list)
    for table in tables:
        for name, rules in table.items():
            merged[name] += rules
    return dict(merged)


_MODULES = (drops, data_loss, exposure, locking, notes, inner)
_BY_NAME = _merged(m.RULES for m in _MODULES)
_IN_TRANSACTION = _merged([transactions.RULES])
_ALWAYS: tuple[Rule, ...] = (*data_loss.ALWAYS, *notes.ALWAYS)
_AT_END = (*exposure.AT_END, *notes.AT_END)


def review(sql: str) -> Review:
    """Judge the statements of a migration.

    Never raises: a text that PostgreSQL's parser refuses yields one blocking finding, `unparsable`.
    """
    try:
        parsed = parse(sql)
    except UnparsableSql as error:
        return Review((), (*secrets(sql), _unparsable(sql, error)))
    found = [*secrets(sql), *_findings(parsed, transactional=is_transactional(sql))]
    unique = dict.fromkeys(found)
    ordered = sorted(unique, key=lambda f: (_GRAVEST_FIRST.index(f.severity), f.line))
    return Review(tuple(p.statement for p in parsed), tuple(ordered))


def joined(texts: Iterable[str]) -> str:
    """Files that are applied one after the other, as one text."""
    return _BETWEEN.join(text.removeprefix("\ufeff") for text in texts)


def review_together(texts: Sequence[str]) -> tuple[Review, ...]:
    """Judge files that are applied one after the other: each alone, but for what a later one puts right.

    A new table without row level security is a finding only where none of the files that follow switches it on.
    """
    reviews, whole = tuple(map(review, texts)), review(joined(texts))
    if whole.blocking:
        return reviews
    left = {f.line for f in whole.findings if f.rule == exposure.UNSECURED}
    starts = accumulate((text.count("\n") + _BETWEEN.count("\n") for text in texts), initial=0)
    return tuple(_still_open(found, start, left) for found, start in zip(reviews, starts, strict=False))


def _still_open(reviewed: Review, start: int, left: Collection[int]) -> Review:
    kept = (f for f in reviewed.findings if f.rule != exposure.UNSECURED or start + f.line in left)
    return replace(reviewed, findings=tuple(kept))


def unallowed(reviewed: Review, allowed: Sequence[str]) -> tuple[Finding, ...]:
    """The losses of data that nobody has allowed by name.

    Args:
        reviewed: The review.
        allowed: What `--allow-data-loss` names. Quotes and letter case are read as SQL reads them;
            there are no wildcards, and a table does not stand for its columns nor a schema for its
            tables.
    """
    names = {allowances.read(a) for a in allowed}
    return tuple(f for f in reviewed.data_loss if not any(allowances.covers(name, f.object) for name in names))


def _unparsable(sql: str, error: UnparsableSql) -> Finding:
    lines = mask(sql).split("\n")
    text = shortened(lines[error.line - 1]) if 0 < error.line <= len(lines) else ""
    return Finding(
        "unparsable", Severity.OPAQUE, "file", error.line, text, mask_quoted(error.reason, sql), error.hint, True
    )


def _findings(parsed: Sequence[Parsed], *, transactional: bool) -> Iterator[Finding]:
    scope, seen = Scope(), set[inner.Inner]()
    for this in parsed:
        yield from _of_statement(this, scope, seen)
        if transactional and this.node is not None:
            for rule in (*_IN_TRANSACTION.get(this.name, ()), *transactions.ALWAYS):
                yield from rule(this, scope)
        scope.learn(this)
    for at_end in _AT_END:
        yield from at_end(scope)
    if transactional:
        yield from transactions.not_alone(parsed)
        yield from own_transactions.findings(parsed)


def _of_statement(parsed: Parsed, scope: Scope, seen: set[inner.Inner]) -> Iterator[Finding]:
    if parsed.node is None:
        why = "It is nested too deeply to be looked into."
        yield finding(parsed, "too-deep", Severity.OPAQUE, parsed.statement.kind, why)
        return
    for rule in (*_BY_NAME.get(parsed.name, ()), *_ALWAYS):
        yield from rule(parsed, scope)
    for found in inner.run_by(parsed, scope):
        if isinstance(found, Finding):
            yield found
        elif found not in seen:
            # Functions may call themselves.
            seen.add(found)
            yield from _inside(parsed, found, scope, seen)


def _inside(outer: Parsed, found: inner.Inner, scope: Scope, seen: set[inner.Inner]) -> Iterator[Finding]:
    """The findings of SQL that a statement runs; what it creates counts for nothing outside."""
    try:
        parsed = parse(found.sql)
    except UnparsableSql as error:
        why = f"SQL inside of it cannot be read: {error.reason}."
        yield finding(outer, "opaque-body", Severity.OPAQUE, outer.statement.kind, why)
        return
    for this in parsed:
        line = found.line + this.statement.line - 1
        placed = replace(this, statement=replace(this.statement, line=line))
        yield from _of_statement(placed, scope, seen)
