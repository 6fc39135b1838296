"""Dotenv files: read strictly, and `${NAME}` put in afterwards, once.

The grammar is python-dotenv's, with its interpolation left alone. Two things are stricter here:
what it skips with a warning is an error, and so is a reference to a name that nothing sets. No
message quotes a line: it may hold a secret.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_ASSIGNMENT = re.compile(r"\s*(?:export[^\S\r\n]+)?(?:'[^']+'|[^=#\s]+)[^\S\r\n]*=[^\S\r\n]*(?P<quote>['\"]?)")
_LEADING_SPACE = re.compile(r"\s*")
_NEWLINE = re.compile(r"\r\n|\n|\r")
# A quote left open takes in the lines after it, up to the next quote in the file.
_SWALLOWED = re.compile(r"[\r\n]\s*(?:export\s+)?(?:SBSYNC|SUPABASE)_\w+\s*=")
_REFERENCE = re.compile(r"\$\{([^}]*)\}")
_PLAIN_REFERENCE = re.compile(r"\$\{\w+\}")
_REFERENCED = re.compile(r"([A-Za-z_]\w*)(?::-(.*))?", re.ASCII | re.DOTALL)


@dataclass(frozen=True)
class Entry:
    """One assignment in a dotenv file.

    Attributes:
        key: The name on its left.
        text: The value, unquoted and unescaped, with its references as they were written.
        line: Where the assignment starts, counted from 1.
        literal: Single quotes kept it from having references (as for the Supabase CLI's parser).
    """

    key: str
    text: str = field(repr=False)
    line: int
    literal: bool


@dataclass(frozen=True)
class Found:
    """What a reference leads to.

    Attributes:
        key: The name referred to.
        text: Its value, with references of its own unless `literal`.
        source: Where it stands.
        literal: It is taken as it is.
    """

    key: str
    text: str = field(repr=False)
    source: str
    literal: bool


def read(path: Path, name: str) -> tuple[Entry, ...]:
    """Read one file.

    Args:
        path: The file, UTF-8, with or without a byte order mark.
        name: What to call it in errors.

    Raises:
        ConfigError: it cannot be read, or a line in it is no assignment. The line is never quoted.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{name} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{name} is not UTF-8 text.", "Save it as UTF-8.") from None
    return parse(text, name)


def parse(text: str, name: str) -> tuple[Entry, ...]:
    """Take the text of a dotenv file apart; see `read`."""
    from dotenv.parser import parse_stream

    entries = []
    for binding in parse_stream(io.StringIO(text, newline="")):
        line = binding.original.line + _blank_lines(binding.original.string)
        assignment = _ASSIGNMENT.match(binding.original.string)
        quote = assignment["quote"] if assignment else ""
        if binding.error or _SWALLOWED.search(binding.value or ""):
            raise _bad_line(f"{name}:{line}", quoted=bool(quote))
        if binding.key is None:
            continue
        if binding.value is None or "\0" in binding.value:
            raise _bad_line(f"{name}:{line}", quoted=False)
        entries.append(Entry(binding.key, binding.value, line, literal=quote == "'"))
    return tuple(entries)


def _blank_lines(original: str) -> int:
    """How many line ends stand before the assignment in what the parser took for it."""
    space = _LEADING_SPACE.match(original)
    return len(_NEWLINE.findall(space[0])) if space else 0


def _bad_line(where: str, *, quoted: bool) -> ConfigError:
    if quoted:
        return ConfigError(
            f"{where}: a quotation mark is not closed, or something follows the closing one.",
            "Inside double quotes write \\\" for a quotation mark, inside single quotes \\'.",
        )
    return ConfigError(f"{where} is no KEY=VALUE line.", "Comments start with #; an empty value is written KEY= .")


def without_references(text: str) -> str:
    """A text without its `${NAME}`, which are no secrets: they only say where one is. A `:-default` may be one."""
    return _PLAIN_REFERENCE.sub("", text)


def expand(start: Found, find: Callable[[str], Found | None]) -> str:
    """Put the values of `${NAME}` and `${NAME:-default}` into a text.

    The default counts when the name is not set or empty, as in a shell. What was put in is not
    looked at again. A bare `$NAME` stays as it is.

    Args:
        start: The value to expand.
        find: Looks a name up; None when nothing sets it.

    Raises:
        ConfigError: a cycle, a name that nothing sets, or braces that hold no name. Neither the
            text nor what stands in the braces is quoted: it may be part of a password.
    """
    return _expand(start, find, ())


def _expand(item: Found, find: Callable[[str], Found | None], trail: tuple[Found, ...]) -> str:
    if item.literal:
        return item.text
    if any((seen.key, seen.source) == (item.key, item.source) for seen in trail):
        way = " -> ".join(f"{seen.key} ({seen.source})" for seen in (*trail, item))
        raise ConfigError(f"References go round in a circle: {way}.", "Give one of them a value.")

    def value_of(match: re.Match[str]) -> str:
        name, default = _name_and_default(match[1], item)
        found = find(name)
        if found is None and default is None:
            raise _bad_reference(item, "refers to a name that nothing sets")
        text = _expand(found, find, (*trail, item)) if found else ""
        return text or default or ""

    return _REFERENCE.sub(value_of, item.text)


def _name_and_default(inside: str, item: Found) -> tuple[str, str | None]:
    match = _REFERENCED.fullmatch(inside)
    if match is None:
        raise _bad_reference(item, "has a ${...} that holds no name")
    return match[1], match[2]


def _bad_reference(item: Found, what: str) -> ConfigError:
    return ConfigError(
        f"{item.key} ({item.source}) {what}.",
        "Set that name, or write ${NAME:-default}; single quotes keep ${...} as it is.",
    )
