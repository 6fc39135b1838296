"""Transactions that a migration file opens or ends by itself, although the CLI makes one of each file.

Measured with 2.122.1 and 3.1.0: of a file that ends inside of a transaction that it has opened, the CLI says that it
was applied. Neither it nor any later file is recorded, and what they do is rolled back.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from sbsync_tasks.sqltext import UnparsableSql, enum_name, literal, parse, plpgsql, scan, stands_alone

from . import names
from .finding import Finding, Severity, finding, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sbsync_tasks.sqltext import Parsed

    from ..state.migrations import Migration
    from .scope import Scope


REMEMBERED = 4096  # texts
WAY_OUT = (
    "Take these statements out: the CLI makes one transaction of each file. What has to be committed first goes into "
    "an earlier file."
)
_FIRST_WORDS = frozenset(
    ["begin", "start", "commit", "end", "rollback", "abort", "savepoint", "release", "prepare"]
)  # fmt: skip
_OPENS = {"TRANS_STMT_BEGIN", "TRANS_STMT_START"}
_ENDS = {"TRANS_STMT_COMMIT", "TRANS_STMT_ROLLBACK"}
_TWO_PHASE = {"TRANS_STMT_PREPARE", "TRANS_STMT_COMMIT_PREPARED", "TRANS_STMT_ROLLBACK_PREPARED"}
_ATOMIC = "the file is not applied all or nothing: where it fails, what was committed before stays."


@dataclass(frozen=True)
class Fault:
    """A statement that leaves the CLI's transaction, or one of the file's own, in disorder.

    Attributes:
        line: Where it stands, from 1.
        why: What is wrong with it, in words that begin with the statement.
    """

    line: int
    why: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.why}"


@lru_cache(REMEMBERED)
def faults(sql: str) -> tuple[Fault, ...]:
    """What is wrong with the transactions of a file; nothing where each BEGIN has its COMMIT or ROLLBACK.

    A text that the parser refuses has none: it fails wherever it is run.
    """
    try:
        if _FIRST_WORDS.isdisjoint(_first_words(sql)):
            return ()
        return tuple(_faults(parse(sql)))
    except UnparsableSql:
        return ()


def problem(migration: Migration) -> str:
    """The faults of a migration in one line, with the file's name; empty for none."""
    found = "; ".join(map(str, faults(migration.sql)))
    return f"supabase/migrations/{migration.file_name}, {found}." if found else ""


def own(parsed: Sequence[Parsed]) -> Iterator[Finding]:
    """For the review: the faults, or else that a file with complete transactions of its own is not atomic."""
    at_line = {this.statement.line: this for this in parsed}
    wrong = list(_faults(parsed))
    for fault in wrong:
        yield finding(at_line[fault.line], "open-transaction", Severity.OPAQUE, "file", f"{fault.why}.", WAY_OUT)
    own = next((this for this in parsed if this.name == "transaction_stmt"), None)
    if own and not wrong:
        why = f"It has a transaction of its own, so {_ATOMIC}"
        yield finding(own, "explicit-transaction", Severity.NOTE, "file", why, "Take BEGIN and COMMIT out.")
        yield from _taken_back(parsed)
    for this in parsed:
        if this.name == "do_stmt" and _ends_transactions(this.statement.text):
            why = f"The DO block ends transactions, so {_ATOMIC}"
            yield finding(this, "explicit-transaction", Severity.NOTE, "file", why)


def _taken_back(parsed: Sequence[Parsed]) -> Iterator[Finding]:
    """The statements that end a transaction of the file's own by undoing it."""
    begun = 0
    for this in parsed:
        if this.name != "transaction_stmt":
            continue
        kind = enum_name(this.node, "kind")
        if kind == "TRANS_STMT_ROLLBACK":
            why = f"It takes back what the file does from line {begun} on: nothing of that stays."
            yield finding(this, "taken-back", Severity.NOTE, "file", why, "Write COMMIT if it is to stay.")
        if kind in _ENDS:
            begun = this.statement.line if this.node.chain else 0
        elif kind in _OPENS:
            begun = begun or this.statement.line


def _ends_transactions(block: str) -> bool:
    """Whether a `DO` block has `COMMIT` or `ROLLBACK` among its statements."""
    if not re.search(r"\b(commit|rollback)\b", block, re.IGNORECASE):
        return False
    try:
        body = json.dumps(plpgsql(block))
    except UnparsableSql:
        return False
    return '"PLpgSQL_stmt_commit"' in body or '"PLpgSQL_stmt_rollback"' in body


def _first_words(sql: str) -> Iterator[str]:
    before = ";"
    for token, _, _ in scan(sql):
        if before == ";":
            yield token.lower()
        before = token


def _faults(parsed: Sequence[Parsed]) -> Iterator[Fault]:
    opened: Parsed | None = None
    for this in parsed:
        if this.name != "transaction_stmt":
            continue
        kind = enum_name(this.node, "kind")
        if kind in _TWO_PHASE:
            yield _fault(this, "is of two-phase commit, which a migration cannot use")
        elif kind in _OPENS:
            opened = opened or this
        elif opened is None:
            yield _fault(this, f"{_does(kind)} a transaction that the file has not begun")
        elif kind in _ENDS:
            opened = this if this.node.chain else None
    if opened is not None:
        yield _fault(opened, "opens a transaction that the file does not end")


def _does(kind: str) -> str:
    return "ends" if kind in _ENDS else "needs"


def _fault(this: Parsed, why: str) -> Fault:
    return Fault(this.statement.line, f"`{shortened(this.statement.text)}` {why}")


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
    # The body of a PL/pgSQL function is not looked into before it is called.
    later = parsed.name == "create_function_stmt" and names.language(parsed.node.options) == "plpgsql"
    if parsed.name == "alter_enum_stmt" or later:
        return
    for value in scope.enum_values:
        constant = literal(value)
        if constant in parsed.statement.text:
            why = f"PostgreSQL refuses to use {constant} in the transaction that added it (55P04)."
            yield finding(parsed, "enum-value-used", Severity.NOTE, constant, why, _SPLIT)


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
