"""SQL that is put together at run time: what can come out of an expression, as far as its parts are known."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

from sbsync_tasks.sqltext import UnparsableSql, parse

from . import names
from .every_row import stripped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sbsync_tasks.sqltext import Node

UNKNOWN = "unknown_at_this_point"
"""A name that stands for whatever is not known."""
MOST = 64
"""How many combinations of values are followed."""
_PLACE = re.compile(r"%(?:(\d+)\$)?-?\d*([sIL%])")


def text(value: Node, known: Mapping[str, str]) -> str | None:
    """The text that an expression makes, with `UNKNOWN` for each part that is not known; None where all of it is.

    Args:
        value: The expression.
        known: By the name of a variable or of a record's field: its value.
    """
    value = stripped(value)
    match value.WhichOneof("node"):
        case "a_const":
            return _constant(value)
        case "column_ref":
            return known.get(".".join(names.column(value)))
        case "a_expr" if [names.parts(n) for n in value.a_expr.name] == [("||",)]:
            return _concatenated([value.a_expr.lexpr, value.a_expr.rexpr], known)
        case "func_call":
            return _called(value.func_call, known)
        case _:
            return None


def _constant(value: Node) -> str | None:
    kind = value.a_const.WhichOneof("val")
    return {"sval": value.a_const.sval.sval, "ival": str(value.a_const.ival.ival)}.get(kind)


def _concatenated(values: list[Node], known: Mapping[str, str]) -> str | None:
    found = [text(v, known) for v in values]
    return None if all(f is None for f in found) else "".join(UNKNOWN if f is None else f for f in found)


def _called(call: Node, known: Mapping[str, str]) -> str | None:
    name, arguments = names.called(call)[-1], list(call.args)
    first = text(arguments[0], known) if arguments else None
    match name:
        case "format" if first is not None:
            return _formatted(first, [text(a, known) for a in arguments[1:]])
        case "concat":
            return _concatenated(arguments, known)
        case "quote_ident" | "quote_literal":
            return _quoted("I" if name == "quote_ident" else "L", first)
        case "lower" | "btrim":
            return first.lower() if first and name == "lower" else first and first.strip()
        case _:
            return None


def _formatted(template: str, values: list[str | None]) -> str:
    position = iter(range(len(values)))

    def place(found: re.Match[str]) -> str:
        if found[2] == "%":
            return "%"
        number = int(found[1]) - 1 if found[1] else next(position, len(values))
        return _quoted(found[2], values[number] if number < len(values) else None)

    return _PLACE.sub(place, template)


def _quoted(kind: str, value: str | None) -> str:
    value = UNKNOWN if value is None else value
    if kind == "s":
        return value
    return names.quoted(value) if kind == "I" else names.literal(value)


Lists: TypeAlias = "Mapping[str, list[str | None]]"
"""By the name of a variable that holds an array: its elements."""


def elements(value: Node, lists: Lists) -> Iterator[str | None]:
    """The elements of an array, None for what is not known; nothing where it is no array that is written out."""
    value = stripped(value)
    yield from lists.get(".".join(names.column(value)), ())
    if value.WhichOneof("node") == "a_array_expr":
        yield from (text(e, {}) for e in value.a_array_expr.elements)
    elif value.WhichOneof("node") == "a_const" and re.fullmatch(r"\{[^{}\"]+\}", written := _constant(value) or ""):
        yield from (part.strip() for part in written[1:-1].split(","))


def rows(query: Node, variables: list[str], lists: Lists) -> Iterator[dict[str, str | None]]:
    """What the variables of a loop hold, row by row, where its query has its values written out."""
    source, columns = query, ["column1"]
    if len(query.from_clause) == 1:
        item = query.from_clause[0]
        alias = getattr(item, item.WhichOneof("node")).alias
        columns = [p for c in alias.colnames for p in names.parts(c)] or [alias.aliasname]
        if item.WhichOneof("node") == "range_subselect":
            source = item.range_subselect.subquery.select_stmt
        else:
            call = item.range_function.functions[:1]
            yield from _unnested(call[0].list.items[0] if call else item, columns[0], variables, lists)
    elif len(query.target_list) == 1:
        target = query.target_list[0].res_target
        yield from _unnested(target.val, target.name or "unnest", variables, lists)
    for values in source.values_lists:
        yield _row(variables, columns, [text(v, {}) for v in values.list.items])


def _unnested(value: Node, column: str, variables: list[str], lists: Lists) -> Iterator[dict[str, str | None]]:
    if value.func_call.args and names.called(value.func_call)[-1] == "unnest":
        yield from (_row(variables, [column], [e]) for e in elements(value.func_call.args[0], lists))


def _row(variables: list[str], columns: list[str], values: list[str | None]) -> dict[str, str | None]:
    """By variable, where there is one for each value; else by the record's fields."""
    record = {f"{variables[0]}.{c}": v for c, v in zip(columns, values, strict=False)} if variables else {}
    return {**record, **dict(zip(variables, values, strict=False))}


def expression(written: str) -> Node:
    """The tree of an expression's text; an empty one where it is none."""
    try:
        (target,) = parse(f"select {written}")[0].node.target_list
    except (UnparsableSql, AttributeError, ValueError):
        return parse("select null")[0].node.target_list[0].res_target.val
    return target.res_target.val


def select(written: str) -> Node | None:
    """The tree of a query's text; None where it is none that selects."""
    try:
        parsed = parse(written)
    except UnparsableSql:
        return None
    return parsed[0].node if len(parsed) == 1 and parsed[0].name == "select_stmt" else None
