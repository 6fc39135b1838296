"""What `--allow-data-loss` names, in the form that findings have."""

from __future__ import annotations

import re

from sbsync_tasks.sqltext import UnparsableSql, parse

from . import names
from .drops import dropped, dropped_cluster_object
from .scope import Scope

_PART = re.compile(r'"((?:[^"]|"")*)"|([^\s".]+)')


def covers(allowed: str, lost: str) -> bool:
    """Whether an allowance as `read` gives it is one for an object; without types it is for each such function."""
    return lost == allowed or (bool(allowed) and " " in allowed and lost.startswith(f"{allowed}("))


def read(text: str) -> str:
    """An object's name as a user types it, in the form that findings have.

    It is read as PostgreSQL reads `DROP …`: quotes, letter case, schemas and argument types mean the same. `table` and
    `column` may stand in front, and what has no schema is in `public`. There are no wildcards.
    """
    written = text.strip()
    column = re.match(r"column\s+", written, re.IGNORECASE)
    if column:
        parts = _parts(written[column.end() :])
        return names.dotted([names.PUBLIC, *parts] if len(parts) == 2 else parts)  # noqa: PLR2004 - table, column
    if "(" not in written and not re.match(r"[a-z]+\s+", written, re.IGNORECASE):
        return _by_words(written)
    return _as_dropped(f"drop {written}") or _as_dropped(f"drop table {written}") or _by_words(written)


def _as_dropped(statement: str) -> str:
    """The object that a statement drops; empty where it is no statement, or drops several."""
    try:
        parsed = parse(statement)
    except UnparsableSql:
        return ""
    if len(parsed) != 1 or parsed[0].node is None:
        return ""
    if parsed[0].name != "drop_stmt":
        found = [f.object for f in dropped_cluster_object(parsed[0], Scope())] if "drop" in parsed[0].name else []
    else:
        found = [f.object for f in dropped(parsed[0], Scope())]
    return found[0] if len(found) == 1 else ""


def _by_words(text: str) -> str:
    """Names that SQL wants in quotes and findings show without, such as `schema user`."""
    prefix = re.match(r"(?:[a-z]+\s+)*", text, re.IGNORECASE)
    kind, rest = (" ".join(text[: prefix.end()].lower().split()), text[prefix.end() :]) if prefix else ("", text)
    found = _parts(rest)
    if len(found) == 1 and names.has_schema(kind):
        found = [names.PUBLIC, *found]
    return f"{'' if kind == 'table' else kind} {names.dotted(found)}".strip()


def _parts(text: str) -> list[str]:
    return [m[2].lower() if m[2] else m[1].replace('""', '"') for m in _PART.finditer(text)]
