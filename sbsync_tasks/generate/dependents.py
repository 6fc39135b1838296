"""What depends on an object, found in pg_depend, and the statements that clear it out of the way.

Only what holds no rows, values or positions of its own is cleared; the engine, asked once more, makes it again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .. import sqltext
from . import Part
from .facts import query

if TYPE_CHECKING:
    import psycopg

Address = tuple[int, int, int]
"""A catalog's oid, an object's oid in it, and a column's number or 0."""
Name = tuple[str, list[str], list[str]]
Graph = Mapping[tuple[int, int], Sequence[tuple[int, Address, bool]]]
"""What depends on each object: on which place of it, what, and whether that is named in statements."""

# What `pg_get_object_address` calls otherwise than the parser does.
_KINDS = {
    "MATVIEW": "materialized view", "FOREIGN_TABLE": "foreign table", "STATISTIC_EXT": "statistics object",
    "TSDICTIONARY": "text search dictionary", "TSCONFIGURATION": "text search configuration", "DOMAIN": "type",
}  # fmt: skip
# A statement that fails with one of these may go through once its object's dependents are out of the way.
BLOCKED = frozenset(("2BP01", "0A000", "42P13", "42P16"))
# A CREATE OR REPLACE that says this cannot replace: the object itself goes first.
NOT_REPLACED = frozenset(("42P13", "42P16"))
# ALTER COLUMN … TYPE takes these along by itself.
_TAKEN_ALONG = frozenset(("index", "table constraint", "default value", "statistics object", "sequence"))


def cleared(connection: psycopg.Connection[Any], part: Part, sqlstate: str) -> dict[str, str]:
    """What to drop before a statement, the outermost first; nothing where one of its dependents has to stay.

    A dependent has to stay where it holds rows, values or a position.

    Args:
        connection: To a scratch copy, in its open transaction.
        part: The statement.
        sqlstate: What it fails with.

    Returns:
        Each statement, with the fact that is to be made again at the end, such as `expression of public.t.c`; empty
        for none.
    """
    graph = _graph(connection)
    altered_type = " TYPE " in part.text.upper() and part.text.upper().startswith("ALTER TABLE")
    found: dict[str, str] = {}
    for subject in _subjects(connection, part):
        addresses = _outermost_first(connection, graph, subject, _TAKEN_ALONG if altered_type else frozenset())
        for address in (*addresses, *([subject] if sqlstate in NOT_REPLACED else [])):
            _, statement, again = _dependent(connection, address)
            if statement is None:
                return {}
            if statement:
                found[statement] = again or ""
    return found


def _graph(connection: psycopg.Connection[Any]) -> Graph:
    graph = defaultdict(list)
    rows = connection.execute(query("dependencies").encode(), prepare=False)
    for on, what, place, (classid, objid, objsubid), named, of_itself in rows:
        if not of_itself:
            graph[on, what].append((place, (classid, objid, objsubid), named))
    return graph


def _dependent(connection: psycopg.Connection[Any], address: Address) -> tuple[str, str | None, str | None]:
    """What an object is, what takes it out of the way (None where it has to stay), and what that takes from it."""
    parameters = dict(zip(("classid", "objid", "place"), address, strict=True))
    row = connection.execute(query("dependent").encode(), parameters).fetchone()
    assert row is not None  # noqa: S101 - functions in FROM give one row
    return row[0], row[1], row[2]


def _outermost_first(
    connection: psycopg.Connection[Any], graph: Graph, subject: Address, kept: frozenset[str]
) -> list[Address]:
    """All that depends on an object, directly or not, so that each comes before what it depends on.

    Of what depends on it directly, these kinds are left out.
    """
    order: list[Address] = []
    seen: set[Address] = {subject}

    def visit(address: Address, kept: frozenset[str]) -> None:
        for place, found, named in graph.get(address[:2], ()):
            elsewhere = address[2] and place != address[2]
            if elsewhere or found in seen or (kept and _dependent(connection, found)[0] in kept):
                continue
            seen.add(found)
            visit(found, frozenset())
            if named:
                order.append(found)

    visit(subject, kept)
    return order


def _subjects(connection: psycopg.Connection[Any], part: Part) -> Iterator[Address]:
    """The objects that a statement drops or alters, as far as they are there."""
    import psycopg

    for name in (name for parsed in sqltext.parse(part.text) for name in _names(parsed)):
        try:
            with connection.transaction():
                row = connection.execute(
                    "select classid::int8, objid::int8, objsubid from pg_get_object_address(%s, %s, %s)", name
                ).fetchone()
        except psycopg.Error:
            continue
        if row is not None:
            yield row[0], row[1], row[2]


def _names(parsed: sqltext.Parsed) -> Iterator[Name]:
    """As `pg_get_object_address` takes them."""
    node = parsed.node
    match parsed.name:
        case "alter_table_stmt":
            yield from _altered(node)
        case "drop_stmt":
            word = sqltext.enum_name(node, "remove_type").removeprefix("OBJECT_")
            for item in node.objects:
                yield _dropped(_KINDS.get(word, word.lower()), item)
        case "create_function_stmt":
            inputs = (p.function_parameter for p in node.parameters)
            outputs = ("FUNC_PARAM_OUT", "FUNC_PARAM_TABLE")
            taken = [_type(p.arg_type) for p in inputs if sqltext.enum_name(p, "mode") not in outputs]
            yield "procedure" if node.is_procedure else "function", _texts(node.funcname), taken
        case "view_stmt":
            yield "view", _relation(node.view), []


def _altered(node: Any) -> Iterator[Name]:  # noqa: ANN401 - a parse tree
    for command in (item.alter_table_cmd for item in node.cmds):
        names = [*_relation(node.relation), command.name]
        match sqltext.enum_name(command, "subtype"):
            case "AT_AlterColumnType" | "AT_DropColumn":
                yield "table column", names, []
                yield "composite type column", names, []
            case "AT_DropConstraint":
                yield "table constraint", names, []


def _dropped(kind: str, item: Any) -> Name:  # noqa: ANN401 - a parse tree
    match item.WhichOneof("node"):
        case "string":
            return kind, [item.string.sval], []
        case "type_name":
            return kind, [_type(item.type_name)], []
        case "object_with_args":
            arguments = item.object_with_args.objargs
            types = [_type(a.type_name) if a.HasField("type_name") else "-" for a in arguments]
            return kind, _texts(item.object_with_args.objname), types
    if kind == "cast":
        source, target = (_type(part.type_name) for part in item.list.items)
        return kind, [source], [target]
    return kind, _texts(item.list.items), []


def _relation(node: Any) -> list[str]:  # noqa: ANN401 - a parse tree
    return [node.schemaname or "public", node.relname]


def _texts(items: Sequence[Any]) -> list[str]:
    return [item.string.sval for item in items]


def _type(node: Any) -> str:  # noqa: ANN401 - a parse tree
    name = ".".join('"' + text.replace('"', '""') + '"' for text in _texts(node.names))
    return name + "[]" * len(node.array_bounds)
