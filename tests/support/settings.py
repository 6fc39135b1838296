"""A folder with dotenv files in it, for the tests of the settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sbsync_tasks.errors import ConfigError
from sbsync_tasks.settings import Settings, resolve

REF = "abcdefghijklmnopqrst"
URL = "postgresql://postgres@db.example.com:5432/postgres"
HERE = "postgresql://postgres@127.0.0.1:6000/postgres"
SECRET = "tr0ub4dor"
TIMEOUT = "SBSYNC_LOCK_TIMEOUT"


class Project:
    """A folder with dotenv files in it, and the settings that it gives."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def file(self, name: str, *lines: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    def link(self, ref: str = REF) -> None:
        self.file("supabase/.temp/project-ref", ref)

    def settings(self, env: str | None = None, **given: Any) -> Settings:
        return resolve(**{"root": self.root, "process": {}, "env": env, **given})

    def error(self, env: str | None = None, **given: Any) -> str:
        with pytest.raises(ConfigError) as caught:
            self.settings(env, **given).required_remote()
        assert caught.value.exit_code == 3
        assert caught.value.hint
        text = f"{caught.value.message} {caught.value.hint}"
        assert SECRET not in text
        return text
