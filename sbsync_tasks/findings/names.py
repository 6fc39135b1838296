"""Names of database objects: out of a parse tree, and as the user writes them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sbsync_tasks.sqltext import enum_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sbsync_tasks.sqltext import Node

PUBLIC = "public"
_PLAIN = re.compile(r"[a-z_][a-z0-9_$]*")
_PART = re.compile(r'"((?:[^"]|"")*)"|([^\s".]+)')
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


def quoted(name: str) -> str:
    """An identifier, in quotes only where SQL needs them."""
    return name if _PLAIN.fullmatch(name) else '"' + name.replace('"', '""') + '"'


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


def normalised(text: str) -> str:
    """What a user typed as an object's name, in the form that findings have.

    Quotes and letter case are read as SQL reads them, `table` and `column` may stand in front, and
    a table without a schema is one of `public`. There are no wildcards.
    """
    prefix = re.match(r"(?:[a-z]+\s+)*", text.strip(), re.IGNORECASE)
    rest = text.strip()[prefix.end() :] if prefix else text
    kind = " ".join(text[: text.rindex(rest)].lower().split())
    if " on " in rest.lower() or kind.endswith(" on"):
        return " ".join(text.split())
    found = [m[2].lower() if m[2] else m[1].replace('""', '"') for m in _PART.finditer(rest)]
    if len(found) == 1 and has_schema(kind) and kind != "column":
        found = [PUBLIC, *found]
    label = "" if kind in {"table", "column"} else kind
    return f"{label} {dotted(found)}".strip()
