"""The folders that the tool makes: private, and never part of a commit."""

import os
import stat
import subprocess
from pathlib import Path

import pytest

from sbsync_tasks.errors import ConfigError
from sbsync_tasks.folders import cache_dir, state_dir


@pytest.fixture
def open_umask():
    old = os.umask(0)
    yield
    os.umask(old)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.usefixtures("open_umask")
def test_the_state_is_private(tmp_path):
    folder = state_dir(tmp_path, "drafts")
    assert folder == tmp_path / ".sbsync" / "drafts"
    assert folder.is_dir()
    assert mode(tmp_path / ".sbsync") == 0o700
    assert mode(folder) == 0o700


def test_something_else_of_its_name_is_told(tmp_path):
    (tmp_path / ".sbsync").write_text("x")
    with pytest.raises(ConfigError, match=r"\.sbsync is no folder"):
        state_dir(tmp_path, "drafts")


def test_git_does_not_see_the_state(tmp_path):
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (state_dir(tmp_path, "backups") / "dump.sql").write_text("select 1;\n")
    seen = subprocess.run(
        ["git", "-C", str(tmp_path), "status", "--porcelain", "--untracked-files=all"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert seen == ""


def test_asking_again_changes_nothing(tmp_path):
    (state_dir(tmp_path, "a") / "kept").write_text("x")
    (tmp_path / ".sbsync" / ".gitignore").write_text("*\n!mine\n")
    assert (state_dir(tmp_path, "a") / "kept").read_text() == "x"
    assert (tmp_path / ".sbsync" / ".gitignore").read_text() == "*\n!mine\n"


@pytest.mark.usefixtures("open_umask")
def test_the_cache_is_where_xdg_says(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    folder = cache_dir("supabase-cli", "3.1.0")
    assert folder == tmp_path / "xdg" / "sbsync" / "supabase-cli" / "3.1.0"
    assert mode(folder) == 0o700


@pytest.mark.parametrize("value", [None, ""])
def test_the_cache_is_in_the_home_folder_otherwise(tmp_path, monkeypatch, value):
    monkeypatch.setenv("HOME", str(tmp_path))
    if value is None:
        monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    else:
        monkeypatch.setenv("XDG_CACHE_HOME", value)
    assert cache_dir() == Path(tmp_path, ".cache", "sbsync")
