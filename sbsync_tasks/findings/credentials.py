"""Texts that look like credentials: where they stand, and the text without them."""

from __future__ import annotations

import base64
import json
import re
from bisect import bisect
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    "AWS access key": re.compile(r"(?<![A-Za-z0-9])(?P<secret>(?:AKIA|ASIA)[0-9A-Z]{16})(?![A-Za-z0-9])"),
    "bearer token": re.compile(r"\bbearer[ \t]+(?P<secret>(?=[^\s'\"]*\d)[\w.~+/-]{20,}=*)", re.IGNORECASE | re.ASCII),
}
_PLACEHOLDER = re.compile(
    r"\[.*\]|<.*>|\$?\{.*\}|\$\w+|%\w*|[*x.]+|__\w+__|.*(your|example|placeholder|change).*", re.IGNORECASE
)
_MAY_BE_PLACEHOLDER = frozenset(
    ["database password", "role password", "bearer token", "Supabase secret key", "foreign server's secret"]
)


@dataclass(frozen=True)
class Credential:
    """A piece of a text that looks like a credential.

    Attributes:
        kind: What it looks like, in words.
        start: The offset of its first character.
        end: The offset behind its last character.
    """

    kind: str
    start: int
    end: int


def find(text: str) -> tuple[Credential, ...]:
    """The credentials in a text, in their order; none of them overlaps another."""
    found: list[Credential] = []
    for this in _candidates(text):
        at = bisect(found, this.start, key=lambda c: c.start)
        before, after = found[at - 1 : at] if at else [], found[at : at + 1]
        if all(o.end <= this.start for o in before) and all(this.end <= o.start for o in after):
            found.insert(at, this)
    return tuple(found)


def mask(text: str) -> str:
    """A text with `***` for each credential; lines keep their numbers."""
    for this in reversed(find(text)):
        lines = "\n" * text.count("\n", this.start, this.end)
        text = text[: this.start] + MASK + lines + text[this.end :]
    return text


def mask_quoted(message: str, text: str) -> str:
    """A parser's message on a text, with `***` for a quoted part of a credential."""
    quoted = re.search(r'"(.+)"', message, re.DOTALL)
    if quoted and any(quoted[1] in text[c.start : c.end] for c in find(text)):
        message = message[: quoted.start(1)] + MASK + message[quoted.end(1) :]
    return mask(message)


def _candidates(text: str) -> Iterator[Credential]:
    for kind, pattern in _PATTERNS.items():
        for match in pattern.finditer(text):
            if kind in _MAY_BE_PLACEHOLDER and _PLACEHOLDER.fullmatch(match["secret"]):
                continue
            role = _role(match["payload"]) if "payload" in pattern.groupindex else ""
            yield Credential(f"{kind} of {role}" if role else kind, *match.span("secret"))


def _role(payload: str) -> str:
    """The Supabase role of a JSON Web Token; empty where it names none of them."""
    try:
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, RecursionError):
        return ""
    role = claims.get("role") if isinstance(claims, dict) else None
    return role if role in ("service_role", "anon", "authenticated") else ""
