"""What keeps every test apart from the machine that it runs on: its user's settings, databases and terminal."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

# Whatever would change what the code under test does; SBSYNC_TEST_* is the tests' own.
FOREIGN = ("INVOKE_", "PG", "SUPABASE_", "SBSYNC_", "GIT_", "RICH_")
ONE_BY_ONE = (
    "NODE_ENV", "FORCE_COLOR", "CLICOLOR_FORCE", "COLUMNS", "LINES", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "EDITOR",
    "VISUAL", "XDG_CONFIG_HOME",
)  # fmt: skip


@pytest.fixture(scope="session", autouse=True)
def isolated_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No settings of the user's: an empty home folder, no stray variables, no colour.

    The per-user cache stays the real one: a server and a CLI that were fetched once are not fetched again.
    """
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    with pytest.MonkeyPatch.context() as patch:
        for key in list(os.environ):
            if key in ONE_BY_ONE or (key.startswith(FOREIGN) and not key.startswith("SBSYNC_TEST_")):
                patch.delenv(key)
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("XDG_CACHE_HOME", cache)
        patch.setenv("NO_COLOR", "1")
        yield
