"""Whether a migration can be applied after later ones: do they name anything in common? Pure.

Deliberately narrow: only definitions of objects are judged. Whatever runs code or touches rows (`DO`, `SELECT`,
`INSERT`, …), or reaches objects that it does not name (`CASCADE`, `ALL TABLES IN SCHEMA`, default privileges), is not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from sbsync_tasks import sqltext
from sbsync_tasks.sqltext import enum_name

from . import names

if TYPE_CHECKING:
    from sbsync_tasks.sqltext import Node, Parsed

# Objects that are named together with their table, which they change.
_WITH_TABLE = frozenset(["policy", "trigger", "rule", "column", "tabconstraint"])
_HARMLESS_SETTING = "check_function_bodies"  # the diff engine's output begins with it


def dependencies(late: str, others: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Why a migration may not be applied after these others.

    Args:
        late: The text of the migration that comes late.
        others: Name and text of each migration that has gone before it and should not have.

    Returns:
        Reasons, one a line; none where nothing that one of them defines is named by the other.
    """
    try:
        written, named = _written(late), _named(late)
    except (_Unsure, sqltext.UnparsableSql) as error:
        return (f"it cannot be told what it depends on: {error}",)
    return tuple(reason for name, text in others for reason in _in_common(written, named, name, text))


def _in_common(written: set[str], named: set[str], name: str, text: str) -> list[str]:
    try:
        common = (written & _named(text)) | (_written(text) & named)
    except (_Unsure, sqltext.UnparsableSql) as error:
        return [f"it cannot be told what {name} does: {error}"]
    return [f"{name} has to do with {word}, too" for word in sorted(common)]


class _Unsure(Exception):  # noqa: N818 - no error, a reason
    """A statement of which it is not known what it touches."""


def _written(sql: str) -> set[str]:
    """The names, without schema, of the objects that a text defines or changes."""
    found: set[str] = set()
    for parsed in sqltext.parse(sql):
        found.update(_plain(parsed, name) for name in _targets(parsed))
    return found


def _targets(parsed: Parsed) -> Iterable[str]:
    read = _READERS.get(parsed.name)
    if read is None or parsed.node is None:
        raise _unsure(parsed)
    return read(parsed)


def _plain(parsed: Parsed, name: str) -> str:
    if not re.fullmatch(r"\w+", name):
        raise _unsure(parsed)
    return name.lower()


def _unsure(parsed: Parsed) -> _Unsure:
    return _Unsure(f"{parsed.statement.kind} in line {parsed.statement.line} can touch what it does not name")


def _named(sql: str) -> set[str]:
    """Every word of a text but for its comments, those inside of strings and function bodies included."""
    text = " ".join(sqltext.tokens(sql)).lower()
    if "u&" in text:
        raise _Unsure("it holds Unicode escapes")
    return set(re.findall(r"\w+", text))


def _last(*nodes: Node) -> list[str]:
    return [names.parts(node)[-1] for node in nodes if names.parts(node)]


def _of(field: str) -> Callable[[Parsed], list[str]]:
    """The object that stands in one field of the statement: a node, or a list of the name's parts."""

    def read(parsed: Parsed) -> list[str]:
        value = getattr(parsed.node, field)
        return _last(value) if hasattr(value, "DESCRIPTOR") else _last(*value)[-1:]

    return read


def _altered(parsed: Parsed) -> list[str]:
    if any(enum_name(c.alter_table_cmd, "behavior") == "DROP_CASCADE" for c in parsed.node.cmds):
        raise _unsure(parsed)
    return _last(parsed.node.relation)


def _index(parsed: Parsed) -> list[str]:
    return [*_last(parsed.node.relation), *([parsed.node.idxname] if parsed.node.idxname else [])]


def _schema(parsed: Parsed) -> list[str]:
    if parsed.node.schema_elts:
        raise _unsure(parsed)
    return [parsed.node.schemaname]


def _object(parsed: Parsed, kind: str, node: Node) -> list[str]:
    parts = names.parts(node)
    if not parts:
        raise _unsure(parsed)
    return list(parts[-2:] if kind in _WITH_TABLE else parts[-1:])


def _comment(parsed: Parsed) -> list[str]:
    return _object(parsed, names.kind_word(parsed.node, "objtype"), parsed.node.object)


def _drop(parsed: Parsed) -> list[str]:
    if enum_name(parsed.node, "behavior") == "DROP_CASCADE":
        raise _unsure(parsed)
    kind = names.kind_word(parsed.node, "remove_type")
    return [part for node in parsed.node.objects for part in _object(parsed, kind, node)]


def _grant(parsed: Parsed) -> list[str]:
    if enum_name(parsed.node, "targtype") != "ACL_TARGET_OBJECT":
        raise _unsure(parsed)
    return [part for node in parsed.node.objects for part in _object(parsed, "", node)]


def _rename(parsed: Parsed) -> list[str]:
    node = parsed.node
    target = node.relation if node.HasField("relation") else node.object
    subname = [node.subname] if node.subname else []
    return [*_object(parsed, names.kind_word(node, "rename_type"), target), *subname, node.newname]


def _setting(parsed: Parsed) -> list[str]:
    if parsed.node.name != _HARMLESS_SETTING:
        raise _unsure(parsed)
    return []


_READERS: Mapping[str, Callable[[Parsed], list[str]]] = {
    "create_stmt": _of("relation"),
    "alter_table_stmt": _altered,
    "index_stmt": _index,
    "view_stmt": _of("view"),
    "create_function_stmt": _of("funcname"),
    "create_trig_stmt": _of("relation"),
    "create_policy_stmt": _of("table"),
    "alter_policy_stmt": _of("table"),
    "create_enum_stmt": _of("type_name"),
    "alter_enum_stmt": _of("type_name"),
    "composite_type_stmt": _of("typevar"),
    "create_domain_stmt": _of("domainname"),
    "create_seq_stmt": _of("sequence"),
    "alter_seq_stmt": _of("sequence"),
    "create_schema_stmt": _schema,
    "comment_stmt": _comment,
    "drop_stmt": _drop,
    "grant_stmt": _grant,
    "rename_stmt": _rename,
    "variable_set_stmt": _setting,
}
