"""What a review says: findings, how grave they are, and the whole of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from .credentials import mask

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sbsync_tasks.sqltext import Parsed, Statement

SHOWN = 100
"""How many characters of a statement a finding shows."""


class Severity(Enum):
    """How grave a finding is; the gravest first."""

    DATA_LOSS = "data-loss"
    EXPOSURE = "exposure"
    LOCKING = "locking"
    OPAQUE = "opaque"
    NOTE = "note"


@dataclass(frozen=True)
class Finding:
    """What there is to say of one statement.

    Attributes:
        rule: A short, stable id such as `drop-table`.
        severity: How grave it is.
        object: What it is about, as it is named to `--allow-data-loss`: `public.t`,
            `public.t.column`, `schema app`, `type public.mood`. Names are complete; quotes stand
            where SQL needs them.
        line: The line of the statement, from 1; 0 where it is not known.
        statement: The statement on one line, shortened.
        why: What can happen.
        way_out: What to do instead, or how to make sure.
        blocking: Nothing can be said of the text, so that no allowance helps.
    """

    rule: str
    severity: Severity
    object: str
    line: int
    statement: str
    why: str
    way_out: str = ""
    blocking: bool = False


@dataclass(frozen=True)
class Review:
    """All that is said of a text.

    Attributes:
        statements: The statements; none where the text cannot be read.
        findings: The findings, the gravest first, then in the order of the lines.
    """

    statements: tuple[Statement, ...]
    findings: tuple[Finding, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many statements of each kind there are, the most frequent first."""
        return dict(Counter(s.kind for s in self.statements).most_common())

    @property
    def data_loss(self) -> tuple[Finding, ...]:
        """The findings that need an explicit allowance."""
        return tuple(f for f in self.findings if f.severity is Severity.DATA_LOSS)

    @property
    def blocking(self) -> tuple[Finding, ...]:
        """The findings that no allowance covers: the text cannot be read."""
        return tuple(f for f in self.findings if f.blocking)


def by_gravity(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings, the gravest first, then in the order of the lines."""
    gravest = list(Severity)
    return tuple(sorted(found, key=lambda f: (gravest.index(f.severity), f.line)))


def finding(parsed: Parsed, rule: str, severity: Severity, about: str, why: str, way_out: str = "") -> Finding:
    """A finding of one statement."""
    statement = parsed.statement
    return Finding(rule, severity, about, statement.line, shortened(statement.text), why, way_out)


def shortened(text: str) -> str:
    """A text on one line, cut to `SHOWN` characters, with `***` for what looks like a credential."""
    line = " ".join(mask(text).split())
    return line if len(line) <= SHOWN else line[: SHOWN - 1] + "…"
