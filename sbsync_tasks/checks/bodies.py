"""SQL inside of SQL: `DO` blocks, functions that are called or fired, and what PL/pgSQL variables stand for there."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from sbsync_tasks.platform import is_managed
from sbsync_tasks.sqltext import UnparsableSql, enum_name, plpgsql, standard_body, walk

from . import expressions, names
from .expressions import Around, Each, each_of, every_row, stripped
from .finding import Finding, Severity, finding, shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sbsync_tasks.sqltext import Node, Parsed

    from .scope import Scope


STORED = frozenset(
    ["alter_policy_stmt", "comment_stmt", "create_domain_stmt", "create_function_stmt", "create_policy_stmt",
     "create_publication_stmt", "create_schema_stmt", "create_stats_stmt", "create_stmt", "create_trig_stmt",
     "index_stmt", "prepare_stmt", "rule_stmt", "view_stmt"]
)  # fmt: skip
"""Statements that hold others, or expressions, without running them on rows now.

PostgreSQL lets an index call immutable functions only.
"""
Tree = Any  # the parser's JSON of a PL/pgSQL body or a part of it
Values: TypeAlias = "Iterable[dict[str, str | None]]"  # what variables can hold
_UNSEEN = "Read it by hand; the proof afterwards shows what it did to the schemas, not to the rows."
# PostgreSQL's TRIGGER_TYPE bits of the statements that fire a trigger.
_EVENTS = {"InsertStmt": 4, "DeleteStmt": 8, "UpdateStmt": 16, "MergeStmt": 4 | 8 | 16}
# PostgreSQL's RawParseMode of a whole statement and of an expression; assignments have others.
_STATEMENT = 0
_EXPRESSION = 2
_LEAVES = re.compile(r'"PLpgSQL_stmt_(exit|return)')
_WORD = re.compile(r"\w+")
_ROW_TYPE = re.compile(r"""[\w."]+%rowtype\b""", re.IGNORECASE)


@dataclass(frozen=True)
class Inner:
    """SQL that runs with a statement.

    Attributes:
        sql: Its text.
        line: Where it stands in the whole text, from 1.
        around: What is known of the variables in it.
        expression: Of a text with parts that are not known (`expressions.UNKNOWN`): the expression that makes it.
        elsewhere: It stands in the database; `line` is that of the statement that runs it.
    """

    sql: str
    line: int
    around: Around = field(default_factory=Around)
    expression: str = ""
    elsewhere: bool = False


def run_by(parsed: Parsed, scope: Scope) -> Iterator[Inner | Finding]:
    """What a statement runs beyond its own words; a finding stands for what cannot be seen."""
    if parsed.name == "do_stmt":
        yield from _body(parsed, parsed.node.args, scope, Around())
    elif parsed.name == "call_stmt":
        function = scope.name(parsed.node.funccall.funcname)
        if not scope.definitions(function):
            why = "It calls a procedure whose text does not stand here."
            yield finding(parsed, "call", Severity.OPAQUE, f"procedure {function}", why, _UNSEEN)
    yield from _called(parsed, scope)
    yield from _fired(parsed, scope)


def dynamic_function(parsed: Parsed, scope: Scope) -> Iterator[Finding]:
    """A function whose body puts SQL together at run time."""
    if names.language(parsed.node.options) == "plpgsql" and "execute" in _text_of(parsed.node.options).lower().split():
        why = "Its body builds SQL at run time: what it does cannot be seen from the text."
        yield finding(
            parsed, "dynamic-sql-function", Severity.NOTE, f"function {scope.name(parsed.node.funcname)}", why
        )


def _called(parsed: Parsed, scope: Scope) -> Iterator[Inner | Finding]:
    for call in calls(parsed):
        function = scope.name(call.funcname)
        found = scope.definitions(function)
        for body in found:
            yield from _run(body, parsed, scope, _given(call, body, parsed, scope))
        there = not found and parsed.name == "select_stmt" and f"function {function}" in scope.there.objects
        if there and not names.is_harmless(call) and not is_managed(function.partition(".")[0]):
            why = "It calls a function whose text does not stand here."
            yield finding(parsed, "call", Severity.OPAQUE, f"function {function}", why, _UNSEEN)


def _given(call: Node, body: Parsed, parsed: Parsed, scope: Scope) -> Around:
    """What a function's parameters stand for: in a query over all rows of a table, for each row in turn."""
    selects = parsed.name == "select_stmt" and parsed.node.from_clause
    rows = {Each(e.table) for e in (every_row(parsed.node, scope, Around()) if selects else ())}
    taken = [p.name for p in names.taken(body.node)]
    each: dict[str, frozenset[Each]] = {}
    for number, argument in enumerate(call.args):
        column = names.column(argument)[-1:]
        found = frozenset(e.part(*column) for e in rows if column)
        found = found or each_of(argument, scope, Around(scope.around.each))
        each.update({n: found for n in (f"${number + 1}", *taken[number : number + 1]) if n and found})
    return Around(frozenset(each.items()))


def _fired(parsed: Parsed, scope: Scope) -> Iterator[Inner | Finding]:
    """What triggers do when the statement writes to their table."""
    for kind, node in () if parsed.name in STORED else parsed.acts:
        for trigger in scope.triggers_on(scope.name(node.relation)) if kind in _EVENTS else ():
            if trigger.node.events & _EVENTS[kind]:
                for function in scope.definitions(scope.name(trigger.node.funcname)):
                    yield from _run(function, parsed, scope, Around())


def _run(function: Parsed, by: Parsed, scope: Scope, around: Around) -> Iterator[Inner | Finding]:
    """What a function does; of one that the database has, all at the place of the statement that calls it."""
    here = scope.name(function.node.funcname) in scope.bodies
    for found in _body(function, function.node.options, scope, around):
        if here:
            yield found
        elif isinstance(found, Inner):
            yield replace(found, line=by.statement.line, elsewhere=True)
        else:
            yield replace(found, line=by.statement.line)


def _text_of(options: Sequence[Node]) -> str:
    body = names.option(options, "as")
    return names.parts(body.arg)[0] if body is not None else ""


def calls(parsed: Parsed) -> Iterator[Node]:
    """The function calls that a statement makes when it is run."""
    acts = () if parsed.name in STORED else parsed.acts
    if parsed.name == "alter_table_stmt":
        commands = (item.alter_table_cmd for item in parsed.node.cmds)
        acts = tuple(f for c in commands if enum_name(c, "subtype") != "AT_ColumnDefault" for f in walk(c))
    return (node for kind, node in acts if kind == "FuncCall")


def _body(parsed: Parsed, options: Sequence[Node], scope: Scope, around: Around) -> Iterator[Inner | Finding]:
    text, language = _text_of(options), names.language(options)
    first = parsed.statement.line + (parsed.statement.text.partition(text)[0].count("\n") if text else 0)
    if names.option(options, "as") is None and parsed.name == "create_function_stmt":
        yield from (Inner(sql, first, around) for sql in standard_body(parsed.node))
    elif language == "sql":
        yield Inner(text, first, around)
    elif language == "plpgsql":
        yield from _of_plpgsql(parsed, first, scope, around)
    else:
        why = f"Its body is written in {language}, which cannot be looked into."
        yield finding(parsed, "opaque-body", Severity.OPAQUE, parsed.statement.kind, why, _UNSEEN)


def _of_plpgsql(parsed: Parsed, first: int, scope: Scope, around: Around) -> Iterator[Inner | Finding]:
    try:
        # The parser knows no tables, so that the fields of such a variable would be unknown to it.
        tree = plpgsql(_ROW_TYPE.sub("record", parsed.statement.text))
    except UnparsableSql as error:
        why = f"Its body cannot be read: {error.reason}."
        yield finding(parsed, "opaque-body", Severity.OPAQUE, parsed.statement.kind, why, _UNSEEN)
        return
    # What is called often is read once; a view may lead its names elsewhere.
    key = (parsed.statement, around, scope.schema, frozenset(scope.shows.items()))
    if key not in scope.walked:
        bodies = (_Body(function["PLpgSQL_function"], parsed, first, scope, around) for function in tree)
        scope.walked[key] = tuple(found for body in bodies for found in body.read())
    yield from scope.walked[key]


def dynamic(parsed: Parsed, expression: str, line: int, what: str) -> Finding:
    """The finding for SQL that cannot be seen because it is put together at run time."""
    why = f"It builds {what} at run time: what it does cannot be seen from the text."
    return replace(finding(parsed, "dynamic-sql", Severity.OPAQUE, shortened(expression), why, _UNSEEN), line=line)


class _Body:
    """One body while it is read from top to bottom.

    A variable is bound to loops: those that it takes a value of each row from, and those whose rows decide its value.
    Where a condition asks for the latter, the rows are no longer all rows.
    """

    def __init__(self, tree: Tree, parsed: Parsed, first: int, scope: Scope, around: Around) -> None:
        self._parsed, self._first, self._scope = parsed, first, scope
        self._each: dict[str, frozenset[Each]] = dict(around.each)
        self._bound: dict[str, frozenset[str]] = {name: frozenset([name]) for name in self._each}
        self._again = around.again
        self._values: list[dict[str, str]] = [{}]
        self._lists: dict[str, list[str | None]] = {}
        self._line = 1
        self._variables: list[Tree] = [next(iter(d.values()), {}) for d in tree["datums"]]
        self._names: list[str] = [d.get("refname", d.get("fieldname", "")) for d in self._variables]
        self._tree = tree["action"]

    def read(self) -> Iterator[Inner | Finding]:
        """All SQL that it runs, in the order of its text."""
        for number, variable in enumerate(self._variables):
            name = self._names[number]
            if "cursor_explicit_expr" in variable:
                self._stands(name, self._shown(_text(variable["cursor_explicit_expr"])))
            elif "default_val" in variable:
                written = _text(variable["default_val"])
                self._take(name, f"select {written}")
                if number and not re.search(rf'"varno": {number}\b', json.dumps(self._tree)):
                    self._lists[name] = list(expressions.elements(expressions.expression(written), {}))
                    self._bind_values({name: v} for v in self._texts(written))
            yield from self._visit(variable)
        yield from self._visit(self._tree)

    def _visit(self, tree: Tree) -> Iterator[Inner | Finding]:
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
                    yield from self._dynamic(_text(value))
                elif key == "PLpgSQL_expr":
                    yield from self._expression(value)
                elif isinstance(value, dict | list):
                    yield from self._visit(value)

    def _expression(self, expression: Tree) -> Iterator[Inner | Finding]:
        if expression.get("parseMode") == _STATEMENT:
            yield self._query(expression["query"])
        elif "(" in expression["query"]:  # what it calls is run as well
            yield self._query(f"select {_value(expression)}")

    # Statements, by the parser's names

    def _stmt_fors(self, node: Tree) -> Iterator[Inner | Finding]:
        text, targets = _text(node["query"]), _targets(node["var"])
        yield self._query(text)
        select = expressions.select(text)
        values = expressions.rows(select, targets, self._lists) if select else ()
        yield from self._stmt_loop(node, targets, self._shown(text), values)

    def _stmt_dynfors(self, node: Tree) -> Iterator[Inner | Finding]:
        found = self._dynamic(_text(node["query"]))
        yield from found
        known = [f.sql for f in found if isinstance(f, Inner)]
        yield from self._stmt_loop(node, _targets(node["var"]), self._shown(known[0]) if known else frozenset())

    def _stmt_forc(self, node: Tree) -> Iterator[Inner | Finding]:
        cursor = self._named(node, "curvar")
        yield from self._stmt_loop(node, [*_targets(node["var"]), cursor], self._each.get(cursor, frozenset()))

    def _stmt_foreach_a(self, node: Tree) -> Iterator[Inner | Finding]:
        variable, array = self._named(node, "varno"), expressions.expression(_text(node["expr"]))
        yield from self._expression(node["expr"]["PLpgSQL_expr"])
        values = ({variable: v} for v in expressions.elements(array, self._lists))
        yield from self._stmt_loop(node, [variable], each_of(array, self._scope, self._around()), values)

    def _stmt_while(self, node: Tree) -> Iterator[Inner | Finding]:
        before, self._again = self._again, True
        yield from self._visit(node["cond"])
        yield from self._stmt_loop(node, [], frozenset())
        self._again = before

    def _stmt_loop(
        self, node: Tree, variables: Iterable[str] = (), each: frozenset[Each] | None = None, values: Values = ()
    ) -> Iterator[Inner | Finding]:
        before = dict(self._each), self._again, self._values
        self._again |= each is None
        for name in variables:
            self._stands(name, each or frozenset())
            self._bound[name] = frozenset(variables)
        self._bind_values(values)
        yield from self._visit(node.get("body"))
        self._each, self._again, self._values = before

    def _stmt_if(self, node: Tree) -> Iterator[Inner | Finding]:
        before = dict(self._each)
        for condition in (node["cond"], *(e["PLpgSQL_if_elsif"]["cond"] for e in node.get("elsif_list", []))):
            self._restrict(_text(condition))
        yield from self._visit(node)
        if before and not _LEAVES.search(json.dumps(node)):
            self._each = before

    def _stmt_case(self, node: Tree) -> Iterator[Inner | Finding]:
        before = dict(self._each)
        conditions = [node.get("t_expr"), [w["PLpgSQL_case_when"]["expr"] for w in node["case_when_list"]]]
        self._restrict(json.dumps(conditions))
        yield from self._visit(node)
        self._each = before

    def _stmt_exit(self, node: Tree) -> Iterator[Inner | Finding]:
        yield from self._visit(node.get("cond"))
        self._restrict(_text(node["cond"]) if "cond" in node else "")

    def _stmt_assign(self, node: Tree) -> Iterator[Inner | Finding]:
        yield from self._expression(node["expr"]["PLpgSQL_expr"])
        self._take(self._named(node, "varno"), f"select {_value(node['expr']['PLpgSQL_expr'])}")

    def _stmt_execsql(self, node: Tree) -> Iterator[Inner | Finding]:
        text = _text(node["sqlstmt"])
        yield self._query(text)
        self._bound["found"] = self._asked(text)
        for name in _targets(node.get("target", {})):
            self._take(name, text)

    def _stmt_perform(self, node: Tree) -> Iterator[Inner | Finding]:
        yield from self._visit(node["expr"])
        self._bound["found"] = self._asked(_text(node["expr"]))

    def _stmt_open(self, node: Tree) -> Iterator[Inner | Finding]:
        yield from self._visit(node.get("query"))
        yield from self._visit({"dynquery": node["dynquery"]} if "dynquery" in node else None)
        if "query" in node:
            self._stands(self._named(node, "curvar"), self._shown(_text(node["query"])))

    def _stmt_fetch(self, node: Tree) -> Iterator[Inner | Finding]:
        cursor = self._named(node, "curvar")
        self._bound["found"] = frozenset()
        for name in _targets(node.get("target", {})):
            self._stands(name, self._each.get(cursor, frozenset()))
            self._bound[name] = self._bound.get(cursor, frozenset())
        yield from ()

    def _stmt_dynexecute(self, node: Tree) -> Iterator[Inner | Finding]:
        yield from self._dynamic(_text(node["query"]))
        yield from self._visit(node.get("params"))

    # What is known

    def _named(self, node: Tree, key: str) -> str:
        """The variable of a number, which is left out where it is 0."""
        number: int = node.get(key, 0)
        return self._names[number]

    def _query(self, text: str) -> Inner:
        return Inner(text, self._place(), self._around())

    def _dynamic(self, text: str) -> list[Inner | Finding]:
        return [
            dynamic(self._parsed, text, self._place(), "SQL")
            if sql is None
            else replace(self._query(sql), expression=text if expressions.UNKNOWN in sql else "")
            for sql in dict.fromkeys(self._texts(text))
        ]

    def _place(self) -> int:
        return self._first + self._line - 1

    def _around(self) -> Around:
        return Around(frozenset((n, e) for n, e in self._each.items() if e), self._again)

    def _texts(self, expression: str) -> list[str | None]:
        value = expressions.expression(expression)
        return [expressions.text(value, known) for known in self._values]

    def _bind_values(self, found: Values) -> None:
        """Note what variables can hold, each with each that is known already; nothing where that is not known."""
        rows = list(found)
        known = all(v is not None for r in rows for v in r.values())
        if rows and known and len(rows) * len(self._values) <= expressions.MOST:
            self._values = [{**before, **row} for before in self._values for row in rows]  # type: ignore[dict-item]

    def _stands(self, name: str, each: frozenset[Each]) -> None:
        self._each[name] = each
        self._bound[name] = frozenset([name])

    def _take(self, name: str, query: str) -> None:
        """Note that a variable takes the one value or row of a query."""
        self._bound[name] = self._asked(query)
        select, around, each = expressions.select(query), self._around(), frozenset[Each]()
        for target in select.target_list if select is not None else ():
            aggregated = stripped(target.res_target.val).WhichOneof("node") == "func_call"
            found = every_row(select, self._scope, around) if aggregated else frozenset()
            each |= found or each_of(target.res_target.val, self._scope, around)
        self._each[name] = each

    def _shown(self, query: str) -> frozenset[Each]:
        select = expressions.select(query)
        return every_row(select, self._scope, self._around()) if select is not None else frozenset()

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


RULES = {"create_function_stmt": (dynamic_function,)}
