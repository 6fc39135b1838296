"""What cannot run in the one transaction in which the CLI runs a migration file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sbsync_tasks.sqltext import enum_name, stands_alone

from .model import Finding, Severity, finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sbsync_tasks.sqltext import Parsed

    from .scope import Scope

_SPLIT = "Put it into a migration file of its own."


def own_transaction(parsed: Parsed, _scope: Scope) -> Iterator[Finding]:
    """`BEGIN`, `COMMIT`, `ROLLBACK`: the CLI's transaction is ended by them."""
    kind = enum_name(parsed.node, "kind")
    if kind not in {"TRANS_STMT_SAVEPOINT", "TRANS_STMT_RELEASE", "TRANS_STMT_ROLLBACK_TO"}:
        why = "The CLI wraps the file in a transaction; a part of it may stay when it fails."
        yield finding(parsed, "explicit-transaction", Severity.NOTE, "file", why, "Take it out.")


def copied(parsed: Parsed, scope: Scope) -> Iterator[Finding]:
    """`COPY … FROM stdin`: a migration has no input."""
    if parsed.node.is_from and not parsed.node.filename and not parsed.node.is_program:
        about = scope.name(parsed.node.relation)
        why = "A migration has no input to copy from: it fails."
        yield finding(parsed, "copy-stdin", Severity.NOTE, about, why, "Use INSERT.")


def used_enum_value(parsed: Parsed, scope: Scope) -> Iterator[Finding]:
    """A text that holds an enum value which the same transaction added (55P04)."""
    for value in scope.enum_values:
        literal = "'" + value.replace("'", "''") + "'"
        if literal in parsed.statement.text and parsed.name != "alter_enum_stmt":
            why = f"PostgreSQL refuses to use {literal} in the transaction that added it (55P04)."
            yield finding(parsed, "enum-value-used", Severity.NOTE, literal, why, _SPLIT)


def not_alone(parsed: Sequence[Parsed]) -> Iterator[Finding]:
    """Statements that PostgreSQL refuses in a transaction, in a file with others."""
    for this in parsed if len(parsed) > 1 else ():
        if stands_alone(this):
            why = "PostgreSQL refuses it inside a transaction: the file fails."
            yield finding(this, "not-alone", Severity.NOTE, this.statement.kind, why, _SPLIT)


RULES = {
    "transaction_stmt": (own_transaction,),
    "copy_stmt": (copied,),
}
ALWAYS = (used_enum_value,)
