"""Whether two SQL texts say the same, as PostgreSQL's parser sees them.

Blanks, comments, superfluous semicolons, a byte order mark and the case of keywords and unquoted names are nothing
to it; `CR LF` against `LF` is nothing to us either, wherever it stands. Each text is parsed once.
"""

from __future__ import annotations

import re
from copy import deepcopy
from functools import lru_cache
from itertools import pairwise

from .. import sqltext
from ..sqltext import BOM, Node, UnparsableSql

REMEMBERED = 4096  # texts; a project has one for each migration, as a file and as each database recorded it
# Fields of the tree that say where something stands, beside those whose name ends in `location`.
_PLACES = frozenset(["stmt_len", "list_start", "list_end", "rexpr_list_start", "rexpr_list_end"])
_BETWEEN = re.compile(r"[\s;]*")
# A quoted constant with the letters before its quote, which may be of either case: E'…', U&'…', B'…'.
_PREFIXED = re.compile(r"([A-Za-z]&?)'")
# What the scanner leaves as it was written: constants and quoted names.
_AS_WRITTEN = ("'", '"', "$")


def same(left: str, right: str) -> bool:
    """Whether two texts hold the same statements.

    Where the scanner refuses a text, all runs of white space and semicolons count as one space.
    """
    if left == right:
        return True
    words, others = _words(left), _words(right)
    if words is None or others is None:
        return _squeezed(left) == _squeezed(right)
    if words == others:
        return True
    # More than case and blanks, such as quotes that a name does not need: the trees tell.
    tree = _tree(left)
    return tree is not None and tree == _tree(right)


def key(sql: str) -> object:
    """What a text is looked up by: equal for two that are the same."""
    words = _words(sql)
    if words is None:
        return _squeezed(sql)
    tree = _tree(sql)
    return words if tree is None else tree


@lru_cache(REMEMBERED)
def recorded_as_written(sql: str, statements: tuple[str, ...]) -> bool:
    """Whether a file holds the recorded statements letter by letter, with only semicolons and blanks between them."""
    position, gaps = len(BOM) if sql.startswith(BOM) else 0, []
    for statement in statements:
        start = next(_BETWEEN.finditer(sql, position)).end()
        if not statement or not sql.startswith(statement, start):
            return False
        gaps.append(sql[position:start])
        position = start + len(statement)
    # A semicolon on the line of a comment is part of the comment.
    endings = (before.rpartition("\n")[2] for before, _ in pairwise(statements))
    apart = all(";" in gap and "--" not in end for gap, end in zip(gaps[1:], endings, strict=True))
    return apart and bool(_BETWEEN.fullmatch(sql, position))


@lru_cache(REMEMBERED)
def _words(sql: str) -> tuple[str, ...] | None:
    """The tokens in one case, with one semicolon between statements and none at the ends; None where it has none.

    `create schema a create table t()` and the same with a semicolon in the middle differ.
    """
    kept: list[str] = []
    try:
        for text, _, _ in sqltext.scan(_unix(sql)):
            if text != ";" or (kept and kept[-1] != ";"):
                kept.append(_in_one_case(text))
    except UnparsableSql:
        return None
    return tuple(kept[:-1] if kept and kept[-1] == ";" else kept)


def _in_one_case(token: str) -> str:
    if token.startswith(_AS_WRITTEN):
        return token
    prefixed = _PREFIXED.match(token)
    if prefixed:
        return prefixed[1].lower() + token[len(prefixed[1]) :]
    # PostgreSQL folds the letters of ASCII and no others.
    return token.lower() if token.isascii() else re.sub("[A-Z]+", lambda m: m[0].lower(), token)


@lru_cache(REMEMBERED)
def _tree(sql: str) -> tuple[bytes, ...] | None:
    """What the parser makes of each statement, wherever it stands; None where it cannot be told."""
    try:
        parsed = sqltext.parse(_unix(sql))
    except UnparsableSql:
        return None
    if any(this.node is None for this in parsed):  # nested too deeply to be handed over
        return None
    trees = ((this.name, _forget_places(deepcopy(this.node))) for this in parsed)
    return tuple(name.encode() + b"\0" + tree.SerializeToString(deterministic=True) for name, tree in trees)


def _forget_places(node: Node) -> Node:
    for field, value in node.ListFields():
        if field.name.endswith("location") or field.name in _PLACES:
            node.ClearField(field.name)
        elif field.message_type is not None:
            for below in (value,) if hasattr(value, "ListFields") else value:
                _forget_places(below)
    return node


def _unix(sql: str) -> str:
    return sql.replace("\r\n", "\n")


def _squeezed(sql: str) -> str:
    return re.sub(r"[\s;]+", " ", sql.removeprefix(BOM)).strip()
