"""`.env.example`: every key that may stand in a file, and no value that is not true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sbsync_tasks.settings.keys import KEYS
from tests.support.settings import SECRET, Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_the_example_lists_every_key_and_no_other() -> None:
    example = Path(__file__).parents[2] / ".env.example"
    text = example.read_text(encoding="utf-8")
    named = re.findall(r"^(?:# )?([A-Z_]+)=", text, re.MULTILINE)
    assert sorted(named) == sorted(KEYS)


def test_the_example_is_true(project: Project) -> None:
    """Each example value, uncommented, is accepted; those of settings are the defaults."""
    example = Path(__file__).parents[2] / ".env.example"
    lines = re.findall(r"^# ([A-Z_]+=.*)$", example.read_text(encoding="utf-8"), re.MULTILINE)
    lines = [line for line in lines if not line.startswith("SUPABASE_DB_URL")]
    project.file(".env", *lines)
    settings = project.settings(process={"STAGING_DB_PASSWORD": SECRET})
    assert settings.required_remote().password == SECRET
    for key in KEYS.values():
        assert not key.default or settings.values[key.name].text == key.default
