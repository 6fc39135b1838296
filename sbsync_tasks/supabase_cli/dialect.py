"""How a target is named to the CLI: 3.0 changed which database a command works on.

Measured on 2.115.0, 2.122.1, 3.0.0 and 3.1.0: 2.x takes `--db-url URL`, and without a flag `db push` means the
linked project; 3.x takes `--remote=URL`, and without a flag every command means the local stack. So no call
is made without a flag, and the flag follows the major version.
"""

from __future__ import annotations

from .binary import Version

FIRST_WITH_REMOTE = 3


def target_flags(version: Version, url: str) -> list[str]:
    """The flags that name a database by its URL (without a password)."""
    return [f"--remote={url}"] if version.major >= FIRST_WITH_REMOTE else ["--db-url", url]


def diff_flags(version: Version) -> list[str]:
    """The flags that choose the engine which needs no Docker: the default from 3.0 on."""
    return [] if version.major >= FIRST_WITH_REMOTE else ["--use-pg-delta"]
