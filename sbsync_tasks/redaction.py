"""Masking secrets in whatever is shown."""

from __future__ import annotations

import json
from collections.abc import Iterable
from urllib.parse import quote

MASK = "***"
# Everybody's first password: masking it would mask the name of the role `postgres` everywhere.
NOT_SECRET = {"", "postgres"}


class Redactor:
    """Masks every secret that it was told of: plain, percent-encoded, or as it stands in a JSON string."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: set[str] = set()
        self.add(secrets)

    def add(self, secrets: Iterable[str]) -> None:
        """Learn further secrets."""
        for secret in secrets:
            if secret not in NOT_SECRET:
                in_json = json.dumps(secret, ensure_ascii=False)[1:-1]
                self._secrets |= {secret, quote(secret, safe=""), quote(secret), in_json}

    def __call__(self, text: str) -> str:
        """The text with each secret replaced by `***`."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, MASK)
        return text

    def holds(self, text: str) -> bool:
        """Whether a secret stands in the text."""
        return any(secret in text for secret in self._secrets)
