"""What a review is told and what it says: findings, how grave they are, and texts without credentials."""

from __future__ import annotations

import base64
import json
import re
from bisect import bisect
from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sbsync_tasks.sqltext import Parsed, Statement, UnparsableSql


SHOWN = 100
"""How many characters of a statement a finding shows."""


@dataclass(frozen=True)
class Met:
    """What the database has that a text is going to meet.

    Attributes:
        objects: Relations (`public.t`), schemas, extensions, types, domains and functions, with the kind in front as
            in findings; functions without their arguments.
        columns: The columns of its relations, as `public.t.column`, with their types as `format_type` writes them.
        rights: What roles that the API reaches (`REACHABLE`) may do, in lower case, by object (as in `objects`) and
            role; and what they will be able to do with new relations (`default privileges in public`).
        restrictive: Policies that keep out rather than let in, as findings name them; None where that is not known.
        functions: The statements that make its functions of a name (`public.f`), as far as they can be read.
        triggers: By table: the statements that make its triggers.
    """

    objects: frozenset[str] = frozenset()
    columns: Mapping[str, str] = field(default_factory=dict)
    rights: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    restrictive: frozenset[str] | None = None
    functions: Mapping[str, Sequence[str]] = field(default_factory=dict)
    triggers: Mapping[str, Sequence[str]] = field(default_factory=dict)


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


MASK = "***"

# The group `secret` is what must not be shown. Special forms stand before the general ones.
_PATTERNS = {
    "private key": re.compile(
        r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----"
        r"(?P<secret>(?:(?!-----).){40,}?)-----END (?:[A-Z]+ )*PRIVATE KEY",
        re.DOTALL,
    ),
    "JSON Web Token": re.compile(
        r"(?<![\w-])(?P<secret>eyJ[\w-]{8,}\.(?P<payload>eyJ[\w-]{8,})\.[\w-]{16,})", re.ASCII
    ),
    "Supabase secret key": re.compile(r"(?<!\w)(?P<secret>sb_secret_[\w-]{16,})", re.ASCII),
    "Supabase access token": re.compile(r"(?<!\w)(?P<secret>sbp_(?:[a-z0-9]+_)?[0-9a-f]{40})(?!\w)"),
    "database password": re.compile(r"\bpostgres(?:ql)?://[^\s:@/'\"]*:(?P<secret>[^\s@/'\"]+)@", re.IGNORECASE),
    "role password": re.compile(
        r"\b(?:create|alter)\s+(?:role|user|server)\b[^;]{0,300}?\bpassword\s+E?'(?P<secret>(?:[^']|'')+)'",
        re.IGNORECASE,
    ),
    # One that ends in `_id` names a secret of the vault.
    "foreign server's secret": re.compile(
        r"\boptions\s*\([^;]{0,500}?\b\w*(?:password|secret|token|_key|conn_string|conn_url)(?!\w*_id\b)\w*\"?\s+"
        r"E?'(?P<secret>(?:[^']|'')+)'",
        re.IGNORECASE,
    ),
    "vault secret": re.compile(
        r"\bvault\s*\.\s*(?:create_secret\s*\(|update_secret\s*\([^,;]+,)\s*(?:new_secret\s*(?::=|=>)\s*)?"
        r"E?'(?P<secret>(?!https?:)(?=[^']*\d)(?:[^']|'')+)'",
        re.IGNORECASE,
    ),
    "service's key": re.compile(
        r"(?<![\w-])(?P<secret>[sr]k_live_\w{16,}|whsec_\w{16,}|gh[opsu]_\w{36}|github_pat_\w{40,}|xox[abprs]-[\w-]{16,}|"
        r"sk-(?:proj|ant|or)-[\w-]{16,}|SG\.[\w-]{16,}\.[\w-]{16,}|AIza[\w-]{35})(?![\w-])",
        re.ASCII,
    ),
    "AWS access key": re.compile(r"(?<![A-Za-z0-9])(?P<secret>(?:AKIA|ASIA)[0-9A-Z]{16})(?![A-Za-z0-9])"),
    "bearer token": re.compile(r"\bbearer[ \t]+(?P<secret>(?=[^\s'\"]*\d)[\w.~+/-]{20,}=*)", re.IGNORECASE | re.ASCII),
}
_KNOWN_TO_ALL = "JSON Web Token of anon"  # every browser has it that uses the project
_PLACEHOLDER = re.compile(
    r"\[.*\]|<.*>|\$?\{.*\}|\$\w+|%\w*|[*x.]+|__\w+__|.*(your|example|placeholder|change).*", re.IGNORECASE
)
_MAY_BE_PLACEHOLDER = frozenset(
    ["database password", "role password", "bearer token", "Supabase secret key", "foreign server's secret",
     "vault secret", "service's key"]
)  # fmt: skip


class Credential(NamedTuple):
    """A piece of a text that looks like a credential: between which offsets it stands, and what it looks like."""

    start: int
    end: int
    kind: str


def credentials(text: str) -> tuple[Credential, ...]:
    """The credentials in a text, in their order; none of them overlaps another."""
    found: list[Credential] = []
    for this in _candidates(text):
        at = bisect(found, this)
        if all(o.end <= this.start or this.end <= o.start for o in found[max(at - 1, 0) : at + 1]):
            found.insert(at, this)
    return tuple(c for c in found if c.kind != _KNOWN_TO_ALL)


def mask(text: str) -> str:
    """A text with `***` for each credential; lines keep their numbers."""
    for this in reversed(credentials(text)):
        lines = "\n" * text.count("\n", this.start, this.end)
        text = text[: this.start] + MASK + lines + text[this.end :]
    return text


def mask_quoted(message: str, text: str) -> str:
    """A parser's message on a text, with `***` for a quoted part of a credential."""
    quoted = re.search(r'"(.+)"', message, re.DOTALL)
    if quoted and any(quoted[1] in text[c.start : c.end] for c in credentials(text)):
        message = message[: quoted.start(1)] + MASK + message[quoted.end(1) :]
    return mask(message)


def _candidates(text: str) -> Iterator[Credential]:
    for kind, pattern in _PATTERNS.items():
        for match in pattern.finditer(text):
            if kind in _MAY_BE_PLACEHOLDER and _PLACEHOLDER.fullmatch(match["secret"]):
                continue
            role = _role(match["payload"]) if "payload" in pattern.groupindex else ""
            yield Credential(*match.span("secret"), f"{kind} of {role}" if role else kind)


def _role(payload: str) -> str:
    """The Supabase role of a JSON Web Token; empty where it names none of them."""
    try:
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, RecursionError):
        return ""
    role = claims.get("role") if isinstance(claims, dict) else None
    return role if role in ("service_role", "anon", "authenticated") else ""


def unparsable(sql: str, error: UnparsableSql) -> Finding:
    """The finding for a text that PostgreSQL's parser refuses."""
    lines = mask(sql).split("\n")
    text = shortened(lines[error.line - 1]) if 0 < error.line <= len(lines) else ""
    return Finding(
        "unparsable", Severity.OPAQUE, "file", error.line, text, mask_quoted(error.reason, sql), error.hint, True
    )


RULE = "secret"
_WHY = "It seems to stand in the SQL as plain text, for everyone who can read the repository or the migration history."
_WAY_OUT = (
    "Keep it out of migrations: store it in Supabase Vault and read it from vault.decrypted_secrets."
    " A commit stays in git for ever: what was committed has to be replaced."
)


def secrets(sql: str) -> Iterator[Finding]:
    """What looks like a credential, anywhere in a text; no part of a finding shows it.

    Args:
        sql: The whole text; it need not be valid SQL.
    """
    places = dict.fromkeys((c.kind, sql.count("\n", 0, c.start) + 1) for c in credentials(sql))
    # The line of the text says more than the beginning of, say, a long function.
    lines = mask(sql).split("\n") if places else []
    for kind, line in places:
        yield Finding(RULE, Severity.EXPOSURE, kind, line, shortened(lines[line - 1]), _WHY, _WAY_OUT)


def has_secret(sql: str) -> bool:
    """Whether anything in a text looks like a credential."""
    return bool(credentials(sql))
