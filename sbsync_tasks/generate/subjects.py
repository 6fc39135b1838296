"""Which object a statement is about, in the terms of `pg_get_object_address`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from .. import sqltext

if TYPE_CHECKING:
    import psycopg

    from .script import Part

Address = tuple[int, int, int]
"""A catalog's oid, an object's oid in it, and a column's number or 0."""
Name = tuple[str, list[str], list[str]]

_RELATIONS = {
    "OBJECT_TABLE": "table", "OBJECT_VIEW": "view", "OBJECT_MATVIEW": "materialized view", "OBJECT_INDEX": "index",
    "OBJECT_SEQUENCE": "sequence", "OBJECT_FOREIGN_TABLE": "foreign table", "OBJECT_COLLATION": "collation",
    "OBJECT_TSDICTIONARY": "text search dictionary", "OBJECT_TSCONFIGURATION": "text search configuration",
    "OBJECT_STATISTIC_EXT": "statistics object", "OBJECT_SCHEMA": "schema",
}  # fmt: skip
_ROUTINES = {
    "OBJECT_FUNCTION": "function", "OBJECT_PROCEDURE": "procedure", "OBJECT_AGGREGATE": "aggregate",
    "OBJECT_ROUTINE": "routine", "OBJECT_OPERATOR": "operator",
}  # fmt: skip


def subjects(connection: psycopg.Connection[Any], part: Part) -> list[Address]:
    """The objects that a statement drops or alters, as far as they are there."""
    import psycopg

    found = []
    for parsed in sqltext.parse(part.text):
        for name in _names(parsed):
            try:
                with connection.transaction():
                    row = connection.execute(
                        "select classid::int8, objid::int8, objsubid from pg_get_object_address(%s, %s, %s)", name
                    ).fetchone()
            except psycopg.Error:
                continue
            if row is not None:
                found.append((row[0], row[1], row[2]))
    return found


def _names(parsed: sqltext.Parsed) -> Iterator[Name]:
    node = parsed.node
    match parsed.name:
        case "alter_table_stmt":
            yield from _altered(node)
        case "drop_stmt":
            for item in node.objects:
                yield from _dropped(sqltext.enum_name(node, "remove_type"), item)
        case "create_function_stmt":
            inputs = [p.function_parameter for p in node.parameters]
            modes = [sqltext.enum_name(p, "mode") for p in inputs]
            taken = [
                p for p, mode in zip(inputs, modes, strict=True) if mode not in ("FUNC_PARAM_OUT", "FUNC_PARAM_TABLE")
            ]
            word = "procedure" if node.is_procedure else "function"
            yield word, _texts(node.funcname), [_type(p.arg_type) for p in taken]
        case "view_stmt":
            yield "view", _relation(node.view), []


def _altered(node: Any) -> Iterator[Name]:  # noqa: ANN401 - a parse tree
    table = _relation(node.relation)
    for item in node.cmds:
        command = item.alter_table_cmd
        match sqltext.enum_name(command, "subtype"):
            case "AT_AlterColumnType" | "AT_DropColumn":
                yield "table column", [*table, command.name], []
                yield "composite type column", [*table, command.name], []
            case "AT_DropConstraint":
                yield "table constraint", [*table, command.name], []


def _dropped(kind: str, item: Any) -> Iterator[Name]:  # noqa: ANN401 - a parse tree
    if kind in _RELATIONS:
        yield _RELATIONS[kind], _texts(item.list.items) if item.HasField("list") else [item.string.sval], []
    elif kind in {"OBJECT_TYPE", "OBJECT_DOMAIN"}:
        yield "type", [_type(item.type_name)], []
    elif kind in _ROUTINES:
        arguments = item.object_with_args.objargs
        names = _texts(item.object_with_args.objname)
        yield _ROUTINES[kind], names, [_type(a.type_name) if a.HasField("type_name") else "-" for a in arguments]
    elif kind == "OBJECT_CAST":
        source, target = (part.type_name for part in item.list.items)
        yield "cast", [_type(source)], [_type(target)]


def _relation(node: Any) -> list[str]:  # noqa: ANN401 - a parse tree
    return [node.schemaname or "public", node.relname]


def _texts(items: Sequence[Any]) -> list[str]:
    return [item.string.sval for item in items]


def _type(node: Any) -> str:  # noqa: ANN401 - a parse tree
    name = ".".join('"' + text.replace('"', '""') + '"' for text in _texts(node.names))
    return name + "[]" * len(node.array_bounds)
