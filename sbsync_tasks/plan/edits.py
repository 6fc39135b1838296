"""How a migration file differs from what a database has recorded of it, statement by statement. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import zip_longest

from .. import sqltext
from ..databases.catalog.subjects import subjects
from ..state.histories import Recorded
from ..state.migrations import Migration
from ..state.same_sql import essence


def compare(sql: str, statements: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Compare a file's text with the recorded statements; what the parser overlooks does not count.

    Returns:
        Pairs of (recorded, in the file) statements that differ; an empty text where one has no counterpart. Where
        PostgreSQL's parser refuses either text, both are taken as one statement each.
    """
    recorded = "\n;\n".join(statements)
    try:
        before, after = _statements(recorded), _statements(sql)
    except sqltext.UnparsableSql:
        return ((recorded.strip(), sql.strip()),)
    return _changes(before, after)


def _statements(sql: str) -> list[str]:
    return [statement.text for statement in sqltext.split(sql)]


def _changes(before: Sequence[str], after: Sequence[str]) -> tuple[tuple[str, str], ...]:
    matcher = SequenceMatcher(a=_keys(before), b=_keys(after), autojunk=False)
    return tuple(
        pair
        for tag, a, b, c, d in matcher.get_opcodes()
        if tag != "equal"
        for pair in zip_longest(before[a:b], after[c:d], fillvalue="")
    )


def _keys(statements: Sequence[str]) -> list[object]:
    return [essence(statement) for statement in statements]


def is_another(file: Migration, recorded: Recorded | None) -> bool:
    """Whether a file is another migration than the one that was recorded with its version, and no edit of that.

    Two clones that write in one second give one version to both. Then no statement is the same, and they are about
    other things, or the names differ.
    """
    if recorded is None or recorded.statements is None or recorded.matches(file):
        return False
    try:
        ours, theirs = sqltext.parse(file.sql), sqltext.parse(recorded.text)
    except sqltext.UnparsableSql:
        return False
    if {essence(p.statement.text) for p in ours} & {essence(p.statement.text) for p in theirs}:
        return False
    renamed = bool(recorded.name) and recorded.name != file.name
    about, others = ({s.key for p in parsed for s in subjects(p)} for parsed in (ours, theirs))
    return renamed or bool(about and others and not about & others)
