"""What `--allow-data-loss` names, in the form that findings have."""

from __future__ import annotations

import re

from sbsync_tasks.sqltext import UnparsableSql, parse

from . import names
from .drops import dropped
from .scope import Scope

_CALLED = re.compile(r"(function|procedure|routine|aggregate)\s", re.IGNORECASE)
_PART = re.compile(r'"((?:[^"]|"")*)"|([^\s".]+)')


def covers(allowed: str, lost: str) -> bool:
    """Whether an allowance as `read` gives it is one for an object; without types it is for each such function."""
    return lost == allowed or (bool(allowed) and " " in allowed and lost.startswith(f"{allowed}("))


def read(text: str) -> str:
    """An object's name as a user types it, in the form that findings have.

    Quotes and letter case are read as SQL reads them, functions with their types as `DROP FUNCTION` does. `table` and
    `column` may stand in front, and what has no schema is in `public`. There are no wildcards.
    """
    written = text.strip()
    if _CALLED.match(written):
        return _as_dropped(f"drop {written}") or _by_words(written)
    return _by_words(written)


def _as_dropped(statement: str) -> str:
    """The object that a statement drops; empty where it is no statement, or drops several."""
    try:
        found = [f.object for p in parse(statement) if p.name == "drop_stmt" for f in dropped(p, Scope())]
    except UnparsableSql:
        return ""
    return found[0] if len(found) == 1 else ""


def _by_words(text: str) -> str:
    """Names as findings show them, with their schema."""
    prefix = re.match(r"(?:[a-z]+\s+)*", text, re.IGNORECASE)
    kind, rest = (" ".join(text[: prefix.end()].lower().split()), text[prefix.end() :]) if prefix else ("", text)
    found = _parts(rest)
    if len(found) == 1 and names.has_schema(kind) and kind != "column":
        found = [names.PUBLIC, *found]
    return f"{'' if kind in {'table', 'column'} else kind} {names.dotted(found)}".strip()


def _parts(text: str) -> list[str]:
    return [m[2].lower() if m[2] else m[1].replace('""', '"') for m in _PART.finditer(text)]
