"""What the one transaction does not allow in which the CLI runs a migration file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sbsync_tasks.sqltext import stands_alone

from . import names
from .model import Finding, Severity, finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sbsync_tasks.sqltext import Parsed

    from .scope import Scope

_NOT_ATOMIC = (
    "It runs outside of a transaction, so the file is not applied all or nothing: where a later statement fails, this "
    "one and those before it stay."
)
_REFUSED = "PostgreSQL refuses it beside other statements: the file fails."
_SPLIT = "Put it into a migration file of its own."


def copied(parsed: Parsed, scope: Scope) -> Iterator[Finding]:
    """`COPY … FROM stdin`: a migration has no input."""
    if parsed.node.is_from and not parsed.node.filename and not parsed.node.is_program:
        about = scope.name(parsed.node.relation)
        why = "A migration has no input to copy from: it fails."
        yield finding(parsed, "copy-stdin", Severity.NOTE, about, why, "Use INSERT.")


def used_enum_value(parsed: Parsed, scope: Scope) -> Iterator[Finding]:
    """A text that holds an enum value which the same transaction added (55P04)."""
    if parsed.name == "alter_enum_stmt" or _is_read_later(parsed):
        return
    for value in scope.enum_values:
        literal = names.literal(value)
        if literal in parsed.statement.text:
            why = f"PostgreSQL refuses to use {literal} in the transaction that added it (55P04)."
            yield finding(parsed, "enum-value-used", Severity.NOTE, literal, why, _SPLIT)


def _is_read_later(parsed: Parsed) -> bool:
    """Whether it makes a function whose body PostgreSQL does not look into before it is called."""
    if parsed.name != "create_function_stmt":
        return False
    language = names.option(parsed.node.options, "language")
    return language is not None and language.arg.string.sval.lower() == "plpgsql"


def not_alone(parsed: Sequence[Parsed]) -> Iterator[Finding]:
    """Statements that cannot run in a transaction, in a file with others.

    Measured with 2.122.1 and 3.1.0: the CLI commits what stands before them, all but `DETACH … CONCURRENTLY`.
    """
    for this in parsed if len(parsed) > 1 else ():
        if stands_alone(this):
            why = _REFUSED if this.name == "alter_table_stmt" else _NOT_ATOMIC
            yield finding(this, "not-alone", Severity.NOTE, this.statement.kind, why, _SPLIT)


RULES = {
    "copy_stmt": (copied,),
}
ALWAYS = (used_enum_value,)
