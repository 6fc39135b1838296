"""What an expression stands for, as far as the text tells: each row of a table in turn, or the text that it makes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from sbsync_tasks.sqltext import UnparsableSql, enum_name, literal, parse, walk

from . import names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sbsync_tasks.sqltext import Node

    from .scope import Scope


_LOOKS_AT_ROWS = frozenset(["ColumnRef", "FuncCall", "CurrentOfExpr", "ParamRef"])
_LEAVES_OUT = ("where_clause", "having_clause", "limit_offset")
_AS_IT_IS = frozenset(["array_agg", "unnest"])  # of a column, they have every value
_EQUAL = frozenset(["AEXPR_OP", "AEXPR_OP_ANY", "AEXPR_IN", "AEXPR_NOT_DISTINCT"])


@dataclass(frozen=True)
class Each:
    """What a variable, cursor or alias is that stands for each row of a table in turn.

    Attributes:
        table: The table, such as `public.t`.
        columns: The names that it has for the table's columns, each with the column; None for all as they are.
    """

    table: str
    columns: frozenset[tuple[str, str]] | None = None

    def has(self, column: str, field: str) -> bool:
        """Whether a field of it (any, where that is empty) holds the column's values."""
        if self.columns is None:
            return field in {"", column}
        return any(kept == column and field in {"", name} for name, kept in self.columns)

    def part(self, name: str = "") -> Each:
        """What one field of it stands for; the whole of it without a name."""
        if not name:
            return self
        kept = {(n, c) for n, c in self.columns if n == name} if self.columns is not None else {(name, name)}
        return Each(self.table, frozenset(kept))


@dataclass(frozen=True)
class Around:
    """What is known where SQL stands.

    Attributes:
        each: By the name of a variable, cursor, parameter (`$1`) or alias: what it stands for.
        again: It is run again and again, so that LIMIT leaves nothing out in the end.
        named: The queries of the WITH around it.
    """

    each: frozenset[tuple[str, frozenset[Each]]] = frozenset()
    again: bool = False
    named: Mapping[str, Node] = field(default_factory=dict, compare=False)

    def of(self, name: str) -> frozenset[Each]:
        """What a name stands for."""
        return dict(self.each).get(name, frozenset())

    def inside(self, node: Node) -> Around:
        """What is known inside of a statement, which may have a WITH."""
        inner = {c.common_table_expr.ctename: c.common_table_expr.ctequery.select_stmt for c in node.with_clause.ctes}
        return replace(self, named={**self.named, **inner}) if inner else self


def reaches_all(node: Node, table: str, scope: Scope) -> bool:
    """Whether the condition of a DELETE or UPDATE leaves no row of its table out.

    `true`, `1 = 1` and `id IS NOT NULL`, which people write for "all", leave none; nor does `id = r.id` in a loop over
    all rows, or `id IN (SELECT id …)` of the table itself.
    """
    if not node.HasField("where_clause"):
        return True
    joined = node.using_clause if node.DESCRIPTOR.name == "DeleteStmt" else node.from_clause
    around = scope.around.inside(node)
    shown = dict(found for item in joined for found in _shown_by(item, scope, around))
    around = replace(around, each=frozenset({**dict(around.each), **shown}.items()))
    return not _restricts(node.where_clause, table, scope, around)


def _restricts(where: Node, table: str, scope: Scope, around: Around) -> bool:
    match where.WhichOneof("node"):
        case "bool_expr" if (operator := enum_name(where.bool_expr, "boolop")) != "NOT_EXPR":
            restricts = (_restricts(a, table, scope, around) for a in where.bool_expr.args)
            return any(restricts) if operator == "AND_EXPR" else all(restricts)
        case "null_test":
            return enum_name(where.null_test, "nulltesttype") == "IS_NULL"
        case "a_const" if where.a_const.WhichOneof("val") == "boolval":
            return not where.a_const.boolval.boolval
        case "current_of_expr":
            return all(e.table != table for e in around.of(where.current_of_expr.cursor_name))
        case _:
            return not _is_each(where, table, scope, around) and _looks_at_row(where)


def _is_each(where: Node, table: str, scope: Scope, around: Around) -> bool:
    """Whether a comparison is one of the row with each row in turn, itself included."""
    sides: list[tuple[Node, Node]] = []
    if where.WhichOneof("node") == "a_expr" and enum_name(where.a_expr, "kind") in _EQUAL:
        left, right = where.a_expr.lexpr, where.a_expr.rexpr
        listed = right.list.items[:] if right.WhichOneof("node") == "list" else [right]
        if names.parts(where.a_expr.name[0]) == ("=",) and len(listed) == 1:
            sides = [(left, listed[0]), (listed[0], left)]
            if same_column(left, right):
                return True
    elif where.WhichOneof("node") == "sub_link" and enum_name(where.sub_link, "sub_link_type") == "ANY_SUBLINK":
        sides = [(where.sub_link.testexpr, where)] if not where.sub_link.oper_name else []
    columns = ((c, names.column(stripped(v))[1:2], v) for a, v in sides for c in names.column(stripped(a))[-1:])
    return any(
        e.table == table and e.has(column, "".join(name))
        for column, name, v in columns
        for e in each_of(v, scope, around)
    )


def same_column(left: Node, right: Node) -> bool:
    """Whether both sides are one column; it equals itself."""
    return names.column(left) != () and names.column(left) == names.column(right)


def _looks_at_row(node: Node) -> bool:
    kind = node.DESCRIPTOR.name
    if kind in _LOOKS_AT_ROWS:
        return True
    if kind == "SubLink" and not node.HasField("testexpr"):
        return _looks_outside(node.subselect)
    below = (v for f, v in node.ListFields() if f.message_type is not None)
    return any(_looks_at_row(n) for v in below for n in ((v,) if hasattr(v, "ListFields") else v))


def _looks_outside(query: Node) -> bool:
    """Whether a query in a condition depends on the row; a name without a table may be one of the row's columns."""
    found = list(walk(query))
    if not any(k in {"JoinExpr", "SubLink"} or (k == "SelectStmt" and n.HasField("where_clause")) for k, n in found):
        return False
    own = {n.alias.aliasname or n.relname for k, n in found if k == "RangeVar"}
    columns = [tuple(p for f in n.fields for p in names.parts(f)) for k, n in found if k == "ColumnRef"]
    return any(c and (len(c) == 1 or c[0] not in own) for c in columns)


def each_of(value: Node, scope: Scope, around: Around) -> frozenset[Each]:
    """What a value stands for: a variable, a parameter, or a query for each value of a column."""
    value = stripped(value)
    match value.WhichOneof("node"):
        case "column_ref" if name := names.column(value):
            return frozenset(e.part(*name[1:2]) for e in around.of(name[0]))
        case "param_ref":
            return around.of(f"${value.param_ref.number}")
        case "sub_link":
            return every_row(value.sub_link.subselect.select_stmt, scope, around)
        case _:
            return frozenset()


def every_row(query: Node, scope: Scope, around: Around) -> frozenset[Each]:
    """What the rows of a query stand for, one after the other; nothing where it may leave rows out."""
    limited = query.HasField("limit_count") and not around.again
    if limited or len(query.from_clause) != 1 or any(query.HasField(f) for f in _LEAVES_OUT):
        return frozenset()
    shown = _shown_by(query.from_clause[0], scope, around.inside(query))
    return frozenset(_selected(e, query) for _, found in shown for e in found)


def _shown_by(item: Node, scope: Scope, around: Around) -> Iterator[tuple[str, frozenset[Each]]]:
    """The name in a FROM under which every row of a table is shown."""
    while item.WhichOneof("node") == "join_expr" and enum_name(item.join_expr, "jointype") == "JOIN_LEFT":
        item = item.join_expr.larg
    if item.WhichOneof("node") == "range_subselect":
        query = item.range_subselect.subquery.select_stmt
        yield item.range_subselect.alias.aliasname, every_row(query, scope, around)
    elif item.WhichOneof("node") == "range_var":
        name = item.range_var.relname
        if name in around.named:
            rest = replace(around, named={n: q for n, q in around.named.items() if n != name})
            found = every_row(around.named[name], scope, rest)
        else:
            found = frozenset([Each(scope.written(item.range_var))])
        yield item.range_var.alias.aliasname or name, found


def _selected(each: Each, query: Node) -> Each:
    """What is left of a row's columns in a query's result."""
    columns: set[tuple[str, str]] = set()
    for target in (t.res_target for t in query.target_list):
        value, name = stripped(target.val), target.name
        if value.func_call.args and names.parts(value.func_call.funcname[-1])[0] in _AS_IT_IS:
            name = name or names.parts(value.func_call.funcname[-1])[0]
            value = stripped(value.func_call.args[0])
        if value.column_ref.fields and value.column_ref.fields[-1].WhichOneof("node") == "a_star":
            return each
        if column := names.column(value)[-1:]:
            inner = {column[0]} if each.columns is None else {kept for n, kept in each.columns if n == column[0]}
            columns.update((name or column[0], i) for i in inner)
    return Each(each.table, frozenset(columns))


def stripped(value: Node) -> Node:
    """A value without the casts around it."""
    while value.WhichOneof("node") == "type_cast":
        value = value.type_cast.arg
    return value


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
    constant = value.a_const
    return {"sval": constant.sval.sval, "ival": str(constant.ival.ival)}.get(constant.WhichOneof("val"))


def _concatenated(values: list[Node], known: Mapping[str, str]) -> str | None:
    found = [text(v, known) for v in values]
    return None if all(f is None for f in found) else "".join(UNKNOWN if f is None else f for f in found)


def _called(call: Node, known: Mapping[str, str]) -> str | None:
    name, arguments = names.parts(call.funcname)[-1], list(call.args)
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
    return names.quoted(value) if kind == "I" else literal(value)


Lists: TypeAlias = "Mapping[str, list[str | None]]"
"""By the name of a variable that holds an array: its elements."""


def elements(value: Node, lists: Lists) -> Iterator[str | None]:
    """The elements of an array, None for what is not known; nothing where it is no array that is written out."""
    value = stripped(value)
    yield from lists.get(".".join(names.column(value)), ())
    if names.parts(value.func_call.funcname)[-1:] == ("string_to_array",):
        whole, divider, *_ = (*(text(a, {}) for a in value.func_call.args), None, None)
        yield from whole.split(divider) if whole and divider else ()
    if value.WhichOneof("node") == "a_array_expr":
        yield from (text(e, {}) for e in value.a_array_expr.elements)
    elif value.WhichOneof("node") == "a_const" and re.fullmatch(r"\{[^{}\"]+\}", written := _constant(value) or ""):
        yield from (part.strip() for part in written[1:-1].split(","))


def rows(query: Node, variables: list[str], lists: Lists) -> Iterator[dict[str, str | None]]:
    """What the variables of a loop hold, row by row, where its query has its values written out."""
    source, columns = query, ["column1"]
    if len(query.from_clause) == 1:
        item = query.from_clause[0]
        alias = (item.range_subselect if item.HasField("range_subselect") else item.range_function).alias
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
    if value.func_call.args and names.parts(value.func_call.funcname)[-1] == "unnest":
        yield from (_row(variables, [column], [e]) for e in elements(value.func_call.args[0], lists))


def _row(variables: list[str], columns: list[str], values: list[str | None]) -> dict[str, str | None]:
    """By variable, where there is one for each value; else by the record's fields."""
    record = {f"{variables[0]}.{c}": v for c, v in zip(columns, values, strict=False)} if variables else {}
    return {**record, **dict(zip(variables, values, strict=False))}


def expression(written: str) -> Node:
    """The tree of an expression's text; an empty one where it is none."""
    targets: Any = getattr(select(f"select {written}"), "target_list", ())
    return targets[0].res_target.val if len(targets) == 1 else expression("null")


def select(written: str) -> Node | None:
    """The tree of a query's text; None where it is none that selects."""
    try:
        parsed = parse(written)
    except UnparsableSql:
        return None
    return parsed[0].node if len(parsed) == 1 and parsed[0].name == "select_stmt" else None
