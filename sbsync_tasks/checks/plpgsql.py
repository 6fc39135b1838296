"""The SQL that a PL/pgSQL body runs, with what its variables stand for there."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from . import expressions
from .expressions import Around, Each, Place, each_of, every_row, stripped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .known import Scope


Tree = Any
"""The parser's JSON of a body or a part of it."""
# PostgreSQL's RawParseMode of a whole statement and of an expression; assignments have others.
_STATEMENT = 0
_EXPRESSION = 2
_LEAVES = re.compile(r'"PLpgSQL_stmt_(exit|return)')
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Query:
    """SQL in a body.

    Attributes:
        sql: Its text; of one that is put together at run time, the expression.
        line: Where it stands in the body, from 1.
        around: What its variables stand for.
        texts: Of one that is put together at run time: what can come out; None for one that is not.
    """

    sql: str
    line: int
    around: Around
    texts: tuple[str | None, ...] | None = None


def queries(tree: Tree, scope: Scope, around: Around) -> Iterator[Query]:
    """All SQL of a body, in the order of its text.

    Args:
        tree: The parser's JSON of the whole body.
        scope: What its names mean.
        around: What its parameters stand for.
    """
    for function in tree:
        yield from _Body(function["PLpgSQL_function"], scope, around).queries()


class _Body:
    """One body while it is read from top to bottom.

    A variable is bound to loops: those that it takes a value of each row from, and those whose rows decide its value.
    Where a condition asks for the latter, the rows are no longer all rows.
    """

    def __init__(self, function: Tree, scope: Scope, around: Around) -> None:
        self._scope = scope
        self._each: dict[str, frozenset[Each]] = dict(around.each)
        self._bound: dict[str, frozenset[str]] = {name: frozenset([name]) for name in self._each}
        self._again = around.again
        self._values: list[dict[str, str]] = [{}]
        self._lists: dict[str, list[str | None]] = {}
        self._line = 1
        data: list[Tree] = [next(iter(d.values()), {}) for d in function["datums"]]
        self._names: list[str] = [d.get("refname", d.get("fieldname", "")) for d in data]
        self._variables = data
        self._tree = function["action"]

    def queries(self) -> Iterator[Query]:
        for number, variable in enumerate(self._variables):
            name = self._names[number]
            if "cursor_explicit_expr" in variable:
                self._stands(name, self._shown(_text(variable["cursor_explicit_expr"])))
            elif "default_val" in variable:
                self._take(name, f"select {_text(variable['default_val'])}")
                if number and not re.search(rf'"varno": {number}\b', json.dumps(self._tree)):
                    array = expressions.expression(_text(variable["default_val"]))
                    self._lists[name] = list(expressions.elements(array, {}))
                    self._bind_values({name: v} for v in self._texts(_text(variable["default_val"])))
            yield from self._visit(variable)
        yield from self._visit(self._tree)

    def _visit(self, tree: Tree) -> Iterator[Query]:
        if isinstance(tree, list):
            for item in filter(None, tree):
                yield from self._visit(item)
        elif isinstance(tree, dict):
            self._line = tree.get("lineno", self._line)
            for key, value in tree.items():
                if key.startswith("PLpgSQL_stmt_") and (read := getattr(self, key.removeprefix("PLpgSQL"), None)):
                    self._line = value.get("lineno", self._line)
                    yield from read(value)
                elif key == "dynquery":
                    yield self._dynamic(_text(value))
                elif key == "PLpgSQL_expr":
                    yield from self._expression(value)
                elif isinstance(value, dict | list):
                    yield from self._visit(value)

    def _expression(self, expression: Tree) -> Iterator[Query]:
        if expression.get("parseMode") == _STATEMENT:
            yield self._query(expression["query"])
        elif "(" in expression["query"]:  # what it calls is run as well
            yield self._query(f"select {_value(expression)}")

    # Statements, by the parser's names

    def _stmt_fors(self, node: Tree) -> Iterator[Query]:
        text = _text(node["query"])
        yield self._query(text)
        targets, select = _targets(node["var"]), expressions.select(text)
        before = self._values
        self._bind_values(expressions.rows(select, targets, self._lists) if select else ())
        yield from self._stmt_loop(node, targets, self._shown(text))
        self._values = before

    def _stmt_dynfors(self, node: Tree) -> Iterator[Query]:
        query = self._dynamic(_text(node["query"]))
        yield query
        known = [t for t in query.texts or () if t is not None]
        yield from self._stmt_loop(node, _targets(node["var"]), self._shown(known[0]) if known else frozenset())

    def _stmt_forc(self, node: Tree) -> Iterator[Query]:
        cursor = self._named(node, "curvar")
        yield from self._stmt_loop(node, [*_targets(node["var"]), cursor], self._each.get(cursor, frozenset()))

    def _stmt_foreach_a(self, node: Tree) -> Iterator[Query]:
        variable, expression = self._named(node, "varno"), _text(node["expr"])
        yield from self._expression(node["expr"]["PLpgSQL_expr"])
        array, before = expressions.expression(expression), self._values
        self._bind_values({variable: v} for v in expressions.elements(array, self._lists))
        yield from self._stmt_loop(node, [variable], each_of(array, self._place(), self._each))
        self._values = before

    def _stmt_while(self, node: Tree) -> Iterator[Query]:
        before, self._again = self._again, True
        yield from self._visit(node["cond"])
        yield from self._stmt_loop(node, [], frozenset())
        self._again = before

    def _stmt_loop(
        self, node: Tree, variables: Iterable[str] = (), each: frozenset[Each] | None = None
    ) -> Iterator[Query]:
        before, again = dict(self._each), self._again
        self._again = again or each is None
        for name in variables:
            self._stands(name, each or frozenset())
            self._bound[name] = frozenset(variables)
        yield from self._visit(node.get("body"))
        self._each, self._again = before, again

    def _stmt_if(self, node: Tree) -> Iterator[Query]:
        before = dict(self._each)
        conditions = [node["cond"], *(e["PLpgSQL_if_elsif"]["cond"] for e in node.get("elsif_list", []))]
        for condition in conditions:
            self._restrict(_text(condition))
        yield from self._visit(node)
        if before and not _LEAVES.search(json.dumps(node)):
            self._each = before

    def _stmt_case(self, node: Tree) -> Iterator[Query]:
        before = dict(self._each)
        self._restrict(
            json.dumps([node.get("t_expr"), [w["PLpgSQL_case_when"]["expr"] for w in node["case_when_list"]]])
        )
        yield from self._visit(node)
        self._each = before

    def _stmt_exit(self, node: Tree) -> Iterator[Query]:
        yield from self._visit(node.get("cond"))
        self._restrict(_text(node["cond"]) if "cond" in node else "")

    def _stmt_assign(self, node: Tree) -> Iterator[Query]:
        yield from self._expression(node["expr"]["PLpgSQL_expr"])
        self._take(self._named(node, "varno"), f"select {_value(node['expr']['PLpgSQL_expr'])}")

    def _stmt_execsql(self, node: Tree) -> Iterator[Query]:
        text = _text(node["sqlstmt"])
        yield self._query(text)
        self._bound["found"] = self._asked(text)
        for name in _targets(node.get("target", {})):
            self._take(name, text)

    def _stmt_perform(self, node: Tree) -> Iterator[Query]:
        yield from self._visit(node["expr"])
        self._bound["found"] = self._asked(_text(node["expr"]))

    def _stmt_open(self, node: Tree) -> Iterator[Query]:
        yield from self._visit(node.get("query"))
        yield from self._visit({"dynquery": node["dynquery"]} if "dynquery" in node else None)
        if "query" in node:
            self._stands(self._named(node, "curvar"), self._shown(_text(node["query"])))

    def _stmt_fetch(self, node: Tree) -> Iterator[Query]:
        cursor = self._named(node, "curvar")
        self._bound["found"] = frozenset()
        for name in _targets(node.get("target", {})):
            self._stands(name, self._each.get(cursor, frozenset()))
            self._bound[name] = self._bound.get(cursor, frozenset())
        yield from ()

    def _stmt_dynexecute(self, node: Tree) -> Iterator[Query]:
        yield self._dynamic(_text(node["query"]))
        yield from self._visit(node.get("params"))

    # What is known

    def _named(self, node: Tree, key: str) -> str:
        """The variable of a number, which is left out where it is 0."""
        number: int = node.get(key, 0)
        return self._names[number]

    def _query(self, text: str) -> Query:
        return Query(text, self._line, self._around())

    def _dynamic(self, text: str) -> Query:
        return replace(self._query(text), texts=tuple(dict.fromkeys(self._texts(text))))

    def _place(self) -> Place:
        return Place(self._scope, self._again)

    def _around(self) -> Around:
        return Around(tuple(sorted((n, e) for n, e in self._each.items() if e)), self._again)

    def _texts(self, expression: str) -> list[str | None]:
        value = expressions.expression(expression)
        return [expressions.text(value, known) for known in self._values]

    def _bind_values(self, found: Iterable[dict[str, str | None]]) -> None:
        """Note what variables can hold, each with each that is known already; nothing where that is not known."""
        rows = list(found)
        if (
            rows
            and all(v is not None for r in rows for v in r.values())
            and len(rows) * len(self._values) <= expressions.MOST
        ):
            self._values = [{**known, **row} for known in self._values for row in rows]  # type: ignore[dict-item]

    def _stands(self, name: str, each: frozenset[Each]) -> None:
        self._each[name] = each
        self._bound[name] = frozenset([name])

    def _take(self, name: str, query: str) -> None:
        """Note that a variable takes the one value or row of a query."""
        self._bound[name] = self._asked(query)
        self._each[name] = frozenset()
        select = expressions.select(query)
        for target in select.target_list if select is not None else ():
            aggregated = stripped(target.res_target.val).WhichOneof("node") == "func_call"
            found = every_row(select, self._place()) if aggregated else frozenset()
            self._each[name] |= found or each_of(target.res_target.val, self._place(), self._each)

    def _shown(self, query: str) -> frozenset[Each]:
        select = expressions.select(query)
        return every_row(select, self._place()) if select is not None else frozenset()

    def _asked(self, text: str) -> frozenset[str]:
        """The loops that the variables in a text are bound to."""
        if not any(self._bound.values()):
            return frozenset()
        words = {w.lower() for w in _WORD.findall(text)}
        return frozenset(b for name in words & self._bound.keys() for b in self._bound[name])

    def _restrict(self, condition: str) -> None:
        asked = self._asked(condition)
        self._each = {n: e for n, e in self._each.items() if asked.isdisjoint(self._bound.get(n, frozenset()))}


def _text(holder: Tree) -> str:
    text: str = holder["PLpgSQL_expr"]["query"]
    return text


def _value(expression: Tree) -> str:
    """The value of an expression, or of what stands behind `:=`."""
    text: str = expression["query"]
    return text if expression.get("parseMode") == _EXPRESSION else re.split(r":?=", text, maxsplit=1)[-1]


def _targets(target: Tree) -> list[str]:
    """The variables that a statement puts values into."""
    found: Tree = next(iter(target.values()), {})
    return [f["name"] for f in found["fields"]] if "fields" in found else [found["refname"]] if found else []
