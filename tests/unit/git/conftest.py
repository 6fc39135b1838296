"""Repositories for the tests of git.py."""

import os

import pytest

from tests.support.repository import run, write


@pytest.fixture(autouse=True)
def _own_git_world(tmp_path, monkeypatch):
    """No configuration of this machine takes part."""
    for key in [k for k in os.environ if k.startswith(("GIT_", "XDG_"))] + ["EMAIL"]:
        monkeypatch.delenv(key, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    # Without it a git that finds no repository would go on looking above the test's folder.
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))


@pytest.fixture
def unborn(tmp_path):
    """A repository without a commit, in a folder with a space in its name."""
    root = tmp_path / "my project"
    root.mkdir()
    run(root, "init", "-q", "-b", "main")
    run(root, "config", "user.name", "Ada Example")
    run(root, "config", "user.email", "ada@example.org")
    return root


@pytest.fixture
def root(unborn):
    """A repository with one commit and one file."""
    write(unborn, "app.py", "one\n")
    run(unborn, "add", "app.py")
    run(unborn, "commit", "-q", "-m", "first")
    return unborn


@pytest.fixture
def busy(root):
    """The same with the user's own work: staged, staged and changed again, unstaged, untracked."""
    write(root, "tracked.py", "one\n")
    run(root, "add", ".")
    run(root, "commit", "-q", "-m", "second")
    write(root, "app.py", "staged\n")
    write(root, "new.py", "staged\n")
    run(root, "add", "app.py", "new.py")
    write(root, "new.py", "staged, then changed\n")
    write(root, "tracked.py", "changed\n")
    write(root, "notes.txt", "untracked\n")
    return root
