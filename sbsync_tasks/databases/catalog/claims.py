"""What migrations claim: the facts about the platform's objects that they have statements about."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cache
from typing import TYPE_CHECKING, Any

from sbsync_tasks import sqltext
from sbsync_tasks.sqltext import UnparsableSql

from .read import CatalogObject
from .subjects import ANY, Key, Subject, key_of, subjects

if TYPE_CHECKING:
    from sbsync_tasks.sqltext import Node, Parsed

_UNKNOWN = "sbsync_any"
_PLACEHOLDER = re.compile(r"%(?:\d+\$)?-?\d*[Is]")
_LITERAL = re.compile(r"%(?:\d+\$)?-?\d*L")
_DYNAMIC = ("PLpgSQL_stmt_dynexecute", "PLpgSQL_stmt_dynfors")
_LEVELS = 5  # blocks within functions within blocks


@dataclass
class Claims:
    """The facts that some texts have statements about, each with the privileges that are named (empty: all).

    The texts are parsed when somebody first asks: where the platform's objects are alike, nobody does.
    """

    _exact: dict[Key, frozenset[str]] = field(default_factory=dict)
    _patterns: dict[Key, frozenset[str]] = field(default_factory=dict)
    _new: set[str] = field(default_factory=set)
    _learnt: set[str] = field(default_factory=set)

    def add(self, texts: Iterable[str]) -> None:
        """Take these migrations in; a text that cannot be parsed claims nothing."""
        self._new |= {*texts} - self._learnt

    def _learn(self) -> None:
        new, self._new = self._new, set()
        self._learnt |= new
        for subject in (subject for text in new for subject in claimed_by(text)):
            of = self._patterns if subject.key.name.rpartition(".")[2] == ANY else self._exact
            before = of.get(subject.key)
            every = not subject.privileges or (before is not None and not before)
            of[subject.key] = frozenset() if every else subject.privileges | (before or frozenset())

    def privileges(self, key: Key) -> frozenset[str] | None:
        """The privileges of a fact that are claimed, empty for all; None where the fact is not claimed."""
        self._learn()
        found = [self._exact[key]] if key in self._exact else []
        found += [p for pattern, p in self._patterns.items() if _covers(pattern, key)]
        if not found:
            return None
        return frozenset() if frozenset() in found else frozenset().union(*found)

    def hold(self, fact: CatalogObject) -> bool:
        """Whether the fact is claimed."""
        return self.privileges(key_of(fact)) is not None


def _covers(pattern: Key, key: Key) -> bool:
    same = (pattern.aspect, pattern.kind, pattern.grantee) == (key.aspect, key.kind, key.grantee)
    return same and fnmatchcase(key.name, pattern.name)


@cache
def claimed_by(text: str) -> tuple[Subject, ...]:
    """What one text has statements about, blocks and dynamic SQL included as far as they can be read."""
    return tuple(dict.fromkeys(_claimed(text, _LEVELS)))


def _claimed(text: str, levels: int) -> Iterator[Subject]:
    try:
        parsed = sqltext.parse(text)
    except UnparsableSql:
        return
    for this in parsed:
        for subject in subjects(this) if this.node is not None else ():
            yield from _with_what_it_needs(subject)
        if levels:
            for inner in _inside(this):
                yield from _claimed(inner, levels - 1)


def _with_what_it_needs(subject: Subject) -> Iterator[Subject]:
    key = subject.key
    if key.aspect == "policy":  # it is worth something only while row level security is on
        yield replace(subject, key=Key("rls", *subject.object))
    if (key.aspect, key.kind) == ("object", "routine"):
        yield replace(subject, key=replace(key, aspect="body"))
    schema, _, name = key.name.rpartition(".")
    if _UNKNOWN not in f"{schema} {key.grantee}":
        yield replace(subject, key=replace(key, name=f"{schema}.{ANY}" if _UNKNOWN in name else key.name))


def _inside(parsed: Parsed) -> Iterator[str]:
    """The SQL in a block or in a function's body."""
    if parsed.name not in ("do_stmt", "create_function_stmt"):
        return
    options = parsed.node.args if parsed.name == "do_stmt" else parsed.node.options
    given = {o.def_elem.defname: o.def_elem.arg for o in options}
    language = given["language"].string.sval.lower() if "language" in given else "plpgsql"
    if language == "sql" and "as" in given:
        yield from (item.string.sval for item in given["as"].list.items)
    elif language == "plpgsql":
        try:
            yield from _queries(sqltext.plpgsql(parsed.statement.text))
        except UnparsableSql:
            return


def _queries(tree: Any, *, dynamic: bool = False) -> Iterator[str]:  # noqa: ANN401 - JSON
    if isinstance(tree, list):
        for item in tree:
            yield from _queries(item, dynamic=dynamic)
    elif isinstance(tree, dict):
        for name, item in tree.items():
            if name == "PLpgSQL_expr" and isinstance(item, dict):
                yield from _put_together(item["query"]) if dynamic else (item["query"],)
            else:
                yield from _queries(item, dynamic=name in _DYNAMIC or (dynamic and name in ("query", "PLpgSQL_expr")))


def _put_together(expression: str) -> Iterator[str]:
    """The text that an expression of EXECUTE comes to, with a stand-in for what is not known before it runs."""
    try:
        (parsed,) = sqltext.parse(f"select {expression}")
    except (UnparsableSql, ValueError):
        return
    if parsed.node is not None and parsed.node.target_list:
        yield _text_of(parsed.node.target_list[0].res_target.val)


def _text_of(node: Node) -> str:
    which = node.WhichOneof("node")
    if which == "a_const":
        return str(node.a_const.sval.sval) if node.a_const.HasField("sval") else _UNKNOWN
    if which == "type_cast":
        return _text_of(node.type_cast.arg)
    if which == "a_expr" and node.a_expr.name and node.a_expr.name[-1].string.sval == "||":
        return _text_of(node.a_expr.lexpr) + _text_of(node.a_expr.rexpr)
    if which == "func_call" and node.func_call.funcname[-1].string.sval == "format" and node.func_call.args:
        return _LITERAL.sub("''", _PLACEHOLDER.sub(_UNKNOWN, _text_of(node.func_call.args[0])))
    return _UNKNOWN
