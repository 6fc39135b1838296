"""The order in which statements apply, found by trying each under a savepoint of an open transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .script import Part

if TYPE_CHECKING:
    import psycopg

# What a DROP says when its object is gone already. A later try would drop what was made again meanwhile.
GONE = frozenset(("42P01", "42704", "42883", "42703", "3F000"))
# Nothing can become possible by these.
NO_HELP = ("GRANT", "REVOKE", "COMMENT", "SET")


@dataclass
class Tried:
    """What became of a list of statements.

    Attributes:
        done: Those that were applied, in the order in which they were.
        waiting: Those that were not, with PostgreSQL's last word on each.
    """

    done: list[Part] = field(default_factory=list)
    waiting: list[tuple[Part, psycopg.Error]] = field(default_factory=list)


def attempt(connection: psycopg.Connection[Any], part: Part) -> psycopg.Error | None:
    """Apply one statement in the open transaction; the error, and no effect, where it does not apply."""
    import psycopg

    connection.execute("savepoint attempt")
    try:
        connection.execute(part.text.encode(), prepare=False)
    except psycopg.Error as error:
        if connection.closed:
            raise
        connection.execute("rollback to attempt")
        return error
    connection.execute("release attempt")
    return None


def in_some_order(
    connection: psycopg.Connection[Any],
    parts: Iterable[Part],
    ahead: Callable[[Part], Sequence[Part]] = lambda _part: (),
) -> Tried:
    """Apply statements in their order; one that fails waits, and is tried again after each that succeeds.

    Args:
        connection: To a scratch copy, in a transaction that the caller ends.
        parts: The statements.
        ahead: What is to be applied just before a statement, asked when its turn comes.
    """
    tried = Tried()
    for part in parts:
        for first in (*ahead(part), part):
            error = attempt(connection, first)
            if error is None:
                tried.done.append(first)
            elif not _is_gone(first, error):
                tried.waiting.append((first, error))
        if tried.done and tried.done[-1] is part and not part.text.upper().startswith(NO_HELP):
            _again(connection, tried)
    _again(connection, tried)
    return tried


def _again(connection: psycopg.Connection[Any], tried: Tried) -> None:
    """Try what waits, until nothing more of it can be applied."""
    progress = True
    while progress and tried.waiting:
        progress = False
        for part, _ in tuple(tried.waiting):
            error = attempt(connection, part)
            position = next(i for i, (other, _) in enumerate(tried.waiting) if other is part)
            if error is None or _is_gone(part, error):
                del tried.waiting[position]
                progress = progress or error is None
                tried.done.extend([part.moved()] if error is None else [])
            else:
                tried.waiting[position] = (part, error)


def _is_gone(part: Part, error: psycopg.Error) -> bool:
    return part.text.upper().startswith("DROP ") and error.sqlstate in GONE
