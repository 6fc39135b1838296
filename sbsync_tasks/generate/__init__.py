"""From the engine's script to a migration that applies and is complete: its statements, and the order that works."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from .. import sqltext

if TYPE_CHECKING:
    import psycopg

# What a DROP says when its object is gone already. A later try would drop what was made again meanwhile.
GONE = frozenset(("42P01", "42704", "42883", "42703", "3F000"))
# What is called so on its way to a name that is not free yet.
SPARE = "sbsync_spare"
# Nothing can become possible by these.
_NO_HELP = ("GRANT", "REVOKE", "COMMENT", "SET")

_RULE = re.compile(r"create\s+(or\s+replace\s+)?rule\b", re.IGNORECASE)

Origin = Literal["engine", "moved", "added"]


@dataclass(frozen=True)
class Part:
    """One statement of a generated migration, or several that only apply together.

    Attributes:
        text: The statement, without its last semicolon.
        origin: The engine's, the engine's in another place, or added to complete it.
        why: For the reader, why it was moved or added; empty for the engine's own.
    """

    text: str
    origin: Origin = "engine"
    why: str = ""

    @property
    def sql(self) -> str:
        """The statement as it stands in the file, below a comment that says why where there is something to say."""
        why = " ".join(self.why.split())  # a name may hold a line end, and a comment ends there
        note = f"-- {self.origin}: {why}\n" if self.origin != "engine" else ""
        return f"{note}{_uncut(self.text)};"

    def moved(self) -> Part:
        """The same, tried again after others; what was added has no place of its own."""
        if self.origin != "engine":
            return self
        return replace(self, origin="moved", why="it needs what stands above")


def _uncut(text: str) -> str:
    """A rule of several statements in a block: the CLI's push would cut it at their semicolons."""
    if ";" not in text or not _RULE.match(text):
        return text
    tag = "$rule$"
    while tag in text:
        tag = f"{tag[:-1]}_$"
    return f"DO {tag} BEGIN\n{text};\nEND {tag}"


def added(text: str, why: str) -> Part:
    """A statement that the engine has not written."""
    return Part(text, "added", why)


def engine_parts(sql: str) -> tuple[Part, ...]:
    """The statements of the engine's script.

    Raises:
        UnparsableSql: PostgreSQL's parser refuses it.
    """
    return tuple(Part(statement.text) for statement in sqltext.split(sql))


def changes_alone(sql: str) -> str:
    """The engine's script without what is no part of a change.

    That is what it does to roles that nothing else in it names, and the comments on extensions: each version brings
    its own, and `supabase db dump` leaves them out, too.
    """
    try:
        parsed = sqltext.parse(sql)
    except sqltext.UnparsableSql:
        return sql
    about = {i: names for i, this in enumerate(parsed) if (names := _roles_of(this))}
    rest = "\n".join(this.statement.text for i, this in enumerate(parsed) if i not in about)
    idle = {i for i, names in about.items() if not any(re.search(rf"(?<!\w){re.escape(n)}(?!\w)", rest) for n in names)}
    idle |= {i for i, this in enumerate(parsed) if _of_extension(this)}
    if len(idle) == len(parsed):
        return ""
    return sqltext.without(sql, idle) if idle else sql


def _of_extension(this: sqltext.Parsed) -> bool:
    return this.name == "comment_stmt" and sqltext.enum_name(this.node, "objtype") == "OBJECT_EXTENSION"


def _roles_of(this: sqltext.Parsed) -> tuple[str, ...]:
    """The roles that a statement makes, changes or drops."""
    match this.name:
        case "create_role_stmt":
            return (str(this.node.role),)
        case "alter_role_stmt" | "alter_role_set_stmt":
            return (str(this.node.role.rolename),)
        case "drop_role_stmt":
            return tuple(str(role.role_spec.rolename) for role in this.node.roles)
    return ()


def text_of(parts: Iterable[Part]) -> str:
    """The text of a migration file."""
    return "\n\n".join(part.sql for part in parts) + "\n"


def enum_values_apart(parts: Sequence[Part]) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """The statements that add values to an enum, and all others.

    PostgreSQL refuses to use such a value in the transaction that has added it (55P04). In a file of their own that
    comes first they need nothing else, and no table stands open, its policy dropped and not yet made again, between
    two files.
    """
    values = [part for part in parts if _adds_value(part)]
    rest = [part for part in parts if not _adds_value(part)]
    last = max((parts.index(part) for part in values), default=-1)
    if any(not part.text.upper().startswith("SET ") for part in parts[: last + 1] if part in rest):
        why = "a new value comes before what may use it"
        values = [part if parts.index(part) == 0 else replace(part, origin="moved", why=why) for part in values]
    return tuple(values), tuple(rest)


def drops_column(parts: Iterable[Part], of: Literal["TABLE", "TYPE"]) -> bool:
    """Whether a table loses a column, or a composite type an attribute, with what every value holds there."""
    return any(
        parsed.name == "alter_table_stmt" and sqltext.enum_name(parsed.node, "objtype") == f"OBJECT_{of}"
        and any(sqltext.enum_name(c.alter_table_cmd, "subtype") == "AT_DropColumn" for c in parsed.node.cmds)
        for part in parts for parsed in sqltext.parse(part.text)
    )  # fmt: skip


def replaces(parts: Iterable[Part], what: Literal["TABLE", "TYPE"]) -> bool:
    """Whether a table, or an enum, is made and one is dropped: it may be the same, and what it holds would be lost."""
    kinds = {parsed.name for part in parts if f" {what} " in part.text.upper() for parsed in sqltext.parse(part.text)}
    return {"drop_stmt", "create_stmt" if what == "TABLE" else "create_enum_stmt"} <= kinds


def _adds_value(part: Part) -> bool:
    return all(sqltext.adds_enum_value(parsed) for parsed in sqltext.parse(part.text))


@dataclass
class Tried:
    """What became of a list of statements.

    Attributes:
        done: Those that were applied, in the order in which they were.
        waiting: Those that were not, with PostgreSQL's last word on each.
    """

    done: list[Part] = field(default_factory=list)
    waiting: list[tuple[Part, psycopg.Error]] = field(default_factory=list)


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
            _attempt(connection, first, first, tried)
        if tried.done and tried.done[-1] is part and not part.text.upper().startswith(_NO_HELP):
            _again(connection, tried)
    _again(connection, tried)
    return tried


def _again(connection: psycopg.Connection[Any], tried: Tried) -> None:
    """Try what waits, until nothing more of it can be applied."""
    done = -1
    while done < len(tried.done):
        done = len(tried.done)
        waiting, tried.waiting = tried.waiting, []
        for part, _ in waiting:
            _attempt(connection, part, part.moved(), tried)


def _attempt(connection: psycopg.Connection[Any], part: Part, done: Part, tried: Tried) -> None:
    """Apply one statement in the open transaction, without any effect where it fails; what is gone is dropped."""
    import psycopg

    connection.execute("savepoint attempt")
    try:
        connection.execute(part.text.encode(), prepare=False)
    except psycopg.Error as error:
        if connection.closed:
            raise
        connection.execute("rollback to attempt")
        if not (part.text.upper().startswith("DROP ") and error.sqlstate in GONE):
            tried.waiting.append((part, error))
    else:
        connection.execute("release attempt")
        tried.done.append(done)
