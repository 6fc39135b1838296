"""How a migration file differs from what a database has recorded of it, statement by statement. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest

from .. import sqltext
from ..same_sql import essence


@dataclass(frozen=True)
class Edit:
    """The difference between a file and the recorded statements.

    Attributes:
        changes: Pairs of (recorded, in the file) statements that differ; an empty text where one has no counterpart.
        added: The file's text behind the recorded statements, where it does nothing but add to their end; else empty.
    """

    changes: tuple[tuple[str, str], ...]
    added: str


def compare(sql: str, statements: Sequence[str]) -> Edit:
    """Compare a file's text with the recorded statements; what the parser overlooks does not count.

    Where PostgreSQL's parser refuses either of them, both are taken as one statement each.
    """
    recorded = "\n;\n".join(statements)
    try:
        before, after = _statements(recorded), _statements(sql)
    except sqltext.UnparsableSql:
        return Edit(((recorded.strip(), sql.strip()),), "")
    return Edit(_changes(before, after), _added(sql, before, after))


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


def _added(sql: str, before: Sequence[str], after: Sequence[str]) -> str:
    if len(after) <= len(before) or _keys(after[: len(before)]) != _keys(before):
        return ""
    parsed = sqltext.parse(sql)
    data = sql.removeprefix("\ufeff").encode()
    rest = data[parsed[len(before) - 1].end :] if before else data
    return rest.decode().lstrip().removeprefix(";").lstrip("\r\n ")
