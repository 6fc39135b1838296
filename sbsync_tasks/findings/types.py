"""Whether a column of one type takes every value of another as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sbsync_tasks.sqltext import parse

from . import names

if TYPE_CHECKING:
    from sbsync_tasks.sqltext import Node

# Every type turns into these without losing anything.
_TAKE_ALL = frozenset(["text", "varchar", "citext"])
_WIDER = {
    "int2": ("int4", "int8", "float4", "float8"),
    "int4": ("int8", "float8"),
    "float4": ("float8",),
    "date": ("timestamp", "timestamptz"),
    "timestamp": ("timestamptz",),
    "cidr": ("inet",),
}
_DIGITS = {"int2": 5, "int4": 10, "int8": 19}
_MEASURED = frozenset(["varchar", "bpchar", "varbit", "time", "timetz", "timestamp", "timestamptz"])


def takes_all(new: Node, old: str) -> bool:
    """Whether no value of the old type is cut, rounded or refused.

    Args:
        new: The new type's node.
        old: The old type, as PostgreSQL's `format_type` writes it; empty where it is not known.
    """
    to, room = read(new)
    if is_text(new) or not old:
        return is_text(new)
    before = parse(f"select null::{old}")[0].node.target_list[0].res_target.val.type_cast.type_name
    was, size = read(before)
    if bool(new.array_bounds) != bool(before.array_bounds):
        return False
    if (was, size) == (to, room) or (to in _TAKE_ALL and not room and was in {*_TAKE_ALL, "bpchar"}):
        return True
    if to == "numeric":
        return _fits(_digits(was, size), _digits(to, room))
    if to == was:
        return to in _MEASURED and (not room or (bool(size) and room >= size))
    return to in _WIDER.get(was, ()) and not room


def is_text(node: Node) -> bool:
    """Whether a type is text of any length."""
    name, room = read(node)
    return name in _TAKE_ALL and not room and not node.array_bounds


def read(node: Node) -> tuple[str, tuple[int, ...]]:
    """A type's name, without the schemas that are always searched, and its length or precision."""
    parts = names.parts(node)
    known = parts[:-1] in {(), ("pg_catalog",), (names.PUBLIC,)} or parts[-1] == "citext"
    return parts[-1] if known else names.dotted(parts), tuple(m.a_const.ival.ival for m in node.typmods)


def _digits(name: str, size: tuple[int, ...]) -> tuple[float, float] | None:
    """How many digits stand before and behind the point; None where it is no exact number."""
    if name != "numeric":
        return (_DIGITS[name], 0) if name in _DIGITS else None
    if not size:
        return (float("inf"), float("inf"))
    scale = size[1] if len(size) > 1 else 0
    return (size[0] - scale, scale)


def _fits(old: tuple[float, float] | None, new: tuple[float, float] | None) -> bool:
    return old is not None and new is not None and old[0] <= new[0] and old[1] <= new[1]
