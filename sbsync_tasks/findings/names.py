"""Names of database objects: out of a parse tree, and as the user writes them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from sbsync_tasks.sqltext import enum_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sbsync_tasks.sqltext import Node

PUBLIC = "public"
_PLAIN = re.compile(r"[a-z_][a-z0-9_$]*")
# Kinds whose names have no schema.
_WITHOUT_SCHEMA = frozenset(
    [
        "access method",
        "database",
        "event trigger",
        "extension",
        "fdw",
        "foreign server",
        "language",
        "owned by",
        "publication",
        "role",
        "schema",
        "subscription",
        "tablespace",
        "transform",
    ]
)
_WORDS = {"matview": "materialized view", "fdw": "foreign data wrapper"}
_SERIAL = frozenset((t,) for t in ("serial", "serial2", "serial4", "serial8", "bigserial", "smallserial"))
_ON = frozenset(["true", "on", "yes", "1"])
_ON_TABLE = frozenset(["policy", "trigger", "rule"])
_CALLED = frozenset(["function", "procedure", "routine", "aggregate"])


@lru_cache(4096)
def quoted(name: str) -> str:
    """An identifier, in quotes only where SQL needs them."""
    return name if _PLAIN.fullmatch(name) else '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as a constant."""
    return "'" + text.replace("'", "''") + "'"


def dotted(parts: Sequence[str]) -> str:
    """A name of several parts, such as `public.t`."""
    return ".".join(quoted(p) for p in parts)


def kind_word(node: Node, field: str) -> str:
    """The kind of object in a field such as `remove_type`, in words: `materialized view`."""
    word = enum_name(node, field).removeprefix("OBJECT_").replace("_", " ").lower()
    return _WORDS.get(word, word)


def has_schema(kind: str) -> bool:
    """Whether objects of this kind live in a schema."""
    return kind not in _WITHOUT_SCHEMA and kind != "foreign data wrapper"


def is_on_table(kind: str) -> bool:
    """Whether objects of this kind are named together with their table."""
    return kind in _ON_TABLE


def parts(node: Node) -> tuple[str, ...]:
    """The parts of the name in any node that names an object, as they stand in the SQL."""
    kind = node.WhichOneof("node") if "node" in node.DESCRIPTOR.oneofs_by_name else ""
    inner = getattr(node, kind) if kind else node
    match type(inner).DESCRIPTOR.name:
        case "String":
            return (inner.sval,)
        case "RangeVar":
            return tuple(p for p in (inner.schemaname, inner.relname) if p)
        case "List":
            return tuple(p for item in inner.items for p in parts(item))
        case "TypeName":
            return tuple(p for item in inner.names for p in parts(item))
        case "ObjectWithArgs":
            return tuple(p for item in inner.objname for p in parts(item))
        case _:
            return ()


def column(node: Node) -> tuple[str, ...]:
    """The parts of a column's name, such as `("t", "id")`; none where it is anything else."""
    return tuple(p for f in node.column_ref.fields for p in parts(f))


def called(node: Node) -> tuple[str, ...]:
    """The parts of the name of a function that a node calls, makes or fires."""
    return joined(node.funcname)


def joined(nodes: Iterable[Node]) -> tuple[str, ...]:
    """The parts of a name that stands in several nodes."""
    return tuple(p for n in nodes for p in parts(n))


def roles(nodes: Sequence[Node]) -> tuple[str, ...]:
    """The names in a list of roles; `public` stands for everyone."""
    found = [n.role_spec for n in nodes]
    return tuple(PUBLIC if enum_name(r, "roletype") == "ROLESPEC_PUBLIC" else r.rolename for r in found)


def is_serial(type_name: Node) -> bool:
    """Whether a column's type is one that comes with a sequence of its own."""
    return parts(type_name)[-1:] in _SERIAL


def option(nodes: Sequence[Node], name: str) -> Node | None:
    """The argument of an option such as `security_invoker`: its `DefElem`, or None without it."""
    return next((n.def_elem for n in nodes if n.def_elem.defname.lower() == name), None)


def is_on(element: Node) -> bool:
    """Whether an option is on: named alone, or true, on, yes or 1 as PostgreSQL reads them."""
    if element.arg.WhichOneof("node") is None:
        return True
    values = {element.arg.string.sval.lower(), str(element.arg.integer.ival)}
    return element.arg.boolean.boolval or not values.isdisjoint(_ON)


def arguments(kind: str, node: Node) -> str:
    """What tells one function from others of its name, such as `(int4, app.mood[])`; empty where nothing is said.

    They stand as the parser has them: `int` is `int4`, and `pg_catalog` and `public` are left out.
    """
    if kind not in _CALLED or node.object_with_args.args_unspecified:
        return ""
    return signature(n.type_name for n in node.object_with_args.objargs)


def signature(types: Iterable[Node]) -> str:
    """A function's argument types, as `arguments` has them."""
    return f"({', '.join(map(_type, types))})"


def _type(node: Node) -> str:
    found = parts(node)
    if len(found) > 1 and found[0] in {"pg_catalog", PUBLIC}:
        found = found[1:]
    return dotted(found) + "[]" * len(node.array_bounds)
