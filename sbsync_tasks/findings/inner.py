"""SQL inside of SQL: `DO` blocks, and functions of the text that the text itself calls."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sbsync_tasks.sqltext import UnparsableSql, parse, plpgsql

from . import harmless, names
from .model import Finding, Severity, finding, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sbsync_tasks.sqltext import Node, Parsed

    from .scope import Scope

_UNSEEN = "Read it by hand; the proof afterwards shows what it did to the schemas, not to the rows."
# PostgreSQL's RawParseMode of a whole statement and of an expression; assignments have others.
_STATEMENT = 0
_EXPRESSION = 2
# PostgreSQL's TRIGGER_TYPE bits of the statements that fire a trigger.
_EVENTS = {"InsertStmt": 4, "DeleteStmt": 8, "UpdateStmt": 16, "MergeStmt": 4 | 8 | 16}
_DYNAMIC = frozenset(["PLpgSQL_stmt_dynexecute", "PLpgSQL_stmt_dynfors"])


@dataclass(frozen=True)
class Inner:
    """SQL that runs with a statement.

    Attributes:
        sql: Its text.
        line: Where it stands in the whole text, from 1.
    """

    sql: str
    line: int


def run_by(parsed: Parsed, scope: Scope) -> Iterator[Inner | Finding]:
    """What a statement runs beyond its own words; a finding stands for what cannot be seen."""
    if parsed.name == "do_stmt":
        yield from _body(parsed, parsed.node.args)
    elif parsed.name == "call_stmt":
        function = _name(parsed.node.funccall, scope)
        if function not in scope.bodies:
            why = "It calls a procedure whose text does not stand here."
            about = f"procedure {function}"
            yield finding(parsed, "call", Severity.OPAQUE, about, why, _UNSEEN)
    yield from _called(parsed, scope)
    yield from _fired(parsed, scope)


def dynamic_function(parsed: Parsed, scope: Scope) -> Iterator[Finding]:
    """A function whose body puts SQL together at run time."""
    definition = _text_of(parsed.node.options)
    words = definition.lower().split()
    if _language(parsed.node.options) == "plpgsql" and "execute" in words:
        parts = tuple(p for n in parsed.node.funcname for p in names.parts(n))
        why = "Its body builds SQL at run time: what it does cannot be seen from the text."
        about = f"function {scope.qualified(parts)}"
        yield finding(parsed, "dynamic-sql-function", Severity.NOTE, about, why)


def _called(parsed: Parsed, scope: Scope) -> Iterator[Inner | Finding]:
    for call in harmless.calls(parsed):
        function = _name(call, scope)
        if body := scope.bodies.get(function):
            yield from _body(body, body.node.options)
        elif parsed.name == "select_stmt" and _is_users(function, scope) and not harmless.is_harmless(call):
            why = "It calls a function whose text does not stand here."
            yield finding(parsed, "call", Severity.OPAQUE, f"function {function}", why, _UNSEEN)


def _fired(parsed: Parsed, scope: Scope) -> Iterator[Inner | Finding]:
    """What triggers of the text do when the statement writes to their table."""
    if not scope.triggers or parsed.name in harmless.STORED:
        return
    for kind, node in parsed.acts:
        for trigger in scope.triggers.get(scope.name(node.relation), ()) if kind in _EVENTS else ():
            function = scope.bodies.get(
                scope.qualified(tuple(p for n in trigger.node.funcname for p in names.parts(n)))
            )
            if function and trigger.node.events & _EVENTS[kind]:
                yield from _body(function, function.node.options)


def _is_users(function: str, scope: Scope) -> bool:
    """Whether it is one that the database has, and neither PostgreSQL's nor Supabase's own."""
    known = scope.met is not None and f"function {function}" in scope.met.objects
    return known and function.partition(".")[0] not in {"pg_catalog", "information_schema", *names.MANAGED}


def _name(call: Node, scope: Scope) -> str:
    return scope.qualified(tuple(p for n in call.funcname for p in names.parts(n)))


def _body(parsed: Parsed, options: list[Node]) -> Iterator[Inner | Finding]:
    text, language = _text_of(options), _language(options)
    before = parsed.statement.text.partition(text)[0].count("\n") if text else 0
    first = parsed.statement.line + before
    has_text = names.option(options, "as") is not None
    if language == "sql" and has_text:
        yield Inner(text, first)
    elif language == "plpgsql" and has_text:
        yield from _of_plpgsql(parsed, first)
    else:
        # PL/pgSQL's parser crashes on a function without a body of text: BEGIN ATOMIC, or RETURN alone.
        form = language if has_text else "the form of standard SQL"
        why = f"Its body is written in {form}, which cannot be looked into."
        yield finding(parsed, "opaque-body", Severity.OPAQUE, parsed.statement.kind, why, _UNSEEN)


def _of_plpgsql(parsed: Parsed, first: int) -> Iterator[Inner | Finding]:
    try:
        tree = plpgsql(parsed.statement.text)
    except UnparsableSql as error:
        why = f"Its body cannot be read: {error.reason}."
        yield finding(parsed, "opaque-body", Severity.OPAQUE, parsed.statement.kind, why, _UNSEEN)
        return
    for query, dynamic, line in _queries(tree, 1):
        place = first + line - 1
        sql = _constant(query) if dynamic else query
        if sql is not None:
            yield Inner(sql, place)
        else:
            why = "It builds SQL at run time: what it does cannot be seen from the text."
            found = finding(parsed, "dynamic-sql", Severity.OPAQUE, shortened(query), why, _UNSEEN)
            yield replace(found, line=place)


def _text_of(options: list[Node]) -> str:
    body = names.option(options, "as")
    return names.parts(body.arg)[0] if body is not None else ""


def _language(options: list[Node]) -> str:
    language = names.option(options, "language")
    return language.arg.string.sval.lower() if language is not None else "plpgsql"


def _queries(tree: Any, line: int) -> Iterator[tuple[str, bool, int]]:  # noqa: ANN401 - JSON
    """The SQL in a body: the text, whether it is an expression that makes SQL, the line."""
    if isinstance(tree, list):
        for item in filter(None, tree):
            yield from _queries(item, line)
    elif isinstance(tree, dict):
        line = tree.get("lineno", line)
        for key, value in tree.items():
            if key == "dynquery":
                yield value["PLpgSQL_expr"]["query"], True, line
            elif key in _DYNAMIC:
                at = value.get("lineno", line)
                yield value["query"]["PLpgSQL_expr"]["query"], True, at
                yield from _queries({k: v for k, v in value.items() if k != "query"}, at)
            elif key == "PLpgSQL_expr" and value.get("parseMode") == _STATEMENT:
                yield value["query"], False, line
            elif key == "PLpgSQL_expr" and "(" in value["query"]:
                yield _as_query(value), False, line
            elif isinstance(value, dict | list):
                yield from _queries(value, line)


def _as_query(expression: Any) -> str:  # noqa: ANN401 - JSON
    """An expression as a query of its own: what it calls is run as well."""
    text: str = expression["query"]
    if expression.get("parseMode") != _EXPRESSION:
        text = re.split(r":?=", text, maxsplit=1)[-1]
    return f"select {text}"


def _constant(expression: str) -> str | None:
    """The text of an expression that is one string constant, else None."""
    try:
        (target,) = parse(f"select {expression}")[0].node.target_list
    except (UnparsableSql, AttributeError, ValueError):
        return None
    value = target.res_target.val.a_const
    return str(value.sval.sval) if value.WhichOneof("val") == "sval" else None


RULES = {"create_function_stmt": (dynamic_function,)}
