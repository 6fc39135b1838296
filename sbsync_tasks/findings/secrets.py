"""Credentials that stand in the SQL itself, comments and function bodies included."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .credentials import find, mask
from .model import Finding, Severity, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    places = dict.fromkeys((c.kind, sql.count("\n", 0, c.start) + 1) for c in find(sql))
    # The line of the text says more than the beginning of, say, a long function.
    lines = mask(sql).split("\n") if places else []
    for kind, line in places:
        yield Finding(RULE, Severity.EXPOSURE, kind, line, shortened(lines[line - 1]), _WHY, _WAY_OUT)


def has_secret(sql: str) -> bool:
    """Whether anything in a text looks like a credential."""
    return bool(find(sql))
