"""The three ways into somebody's own `tasks.py`, on the example projects, and that settings take effect in each."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from invoke.program import Program

from sbsync_tasks.databases.embedded import Clusters
from sbsync_tasks.databases.embedded.binaries import find_binaries
from sbsync_tasks.errors import RefusedError
from tests.support.project import REPOSITORY

EXAMPLES = REPOSITORY / "tests" / "import_example"
STATUS = {"whole": "status", "part": "db.status", "single": "status"}
SCENARIO = {"whole": "local-to-remote", "part": "db.local-to-remote", "single": "local-to-remote"}


@pytest.fixture(params=STATUS)
def way(request):
    return request.param


@pytest.fixture
def project(way, tmp_path, monkeypatch):
    """A copy of one example, as the project of the working directory."""
    root = tmp_path / way
    shutil.copytree(EXAMPLES / way, root)
    (root / "supabase").mkdir()
    (root / "supabase/config.toml").touch()
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def settings(invoke, mocker):
    """What a task's settings come out as."""
    seen = []

    def look(found, *_):
        seen.append(found)
        raise RefusedError("Seen.")

    mocker.patch("sbsync_tasks.run.session.open_remote", side_effect=look)

    def ask(*arguments):
        done = invoke(*arguments, program=Program())
        assert (done.code, done.stderr) == (4, "error: Seen.\n")
        return seen[-1]

    return ask


def real(root, *arguments, **environment):
    """The real `invoke`, as a user runs it."""
    return subprocess.run(
        [sys.executable, "-m", "invoke", *arguments], cwd=root, capture_output=True, text=True, check=False,
        stdin=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": str(REPOSITORY), **environment},
    )  # fmt: skip


# --- settings ---


def test_invoke_yaml_takes_effect_beside_the_defaults(settings, project, way):
    found = settings(STATUS[way], "--env", "sandbox")
    assert (found.lock_timeout, found.values["SBSYNC_LOCK_TIMEOUT"].source) == (
        "5s",
        "invoke config sbsync.lock_timeout",
    )
    assert found.backup == ("full" if way == "part" else "auto")
    assert found.backup_keep == 10
    assert found.root == project


def test_invokes_variables_win_over_the_file(settings, project, way, monkeypatch):
    monkeypatch.setenv("INVOKE_SBSYNC_LOCK_TIMEOUT", "7s")
    monkeypatch.setenv("INVOKE_SBSYNC_BACKUP_KEEP", "3")
    found = settings(STATUS[way], "--env", "sandbox")
    assert (found.lock_timeout, found.backup_keep) == ("7s", 3)


def test_the_processs_own_keys_win_over_both(settings, project, way, monkeypatch):
    monkeypatch.setenv("INVOKE_SBSYNC_LOCK_TIMEOUT", "7s")
    monkeypatch.setenv("SBSYNC_LOCK_TIMEOUT", "9s")
    assert settings(SCENARIO[way], "--env", "sandbox").lock_timeout == "9s"


def test_the_users_own_invoke_yaml_counts_too(settings, project, way, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".invoke.yaml").write_text("sbsync: {backup_keep: 4, lock_timeout: 1s}\n")
    found = settings(STATUS[way], "--env", "sandbox")
    assert (found.lock_timeout, found.backup_keep) == ("5s", 4)


@pytest.mark.parametrize("way", ["single"], indirect=True)
def test_a_task_called_by_a_task_of_the_projects_own(settings, project, way):
    (project / ".env.staging").write_text("SUPABASE_DB_URL=postgresql://u@127.0.0.1:1/d\n")
    found = settings("release")
    assert (found.env, found.lock_timeout) == ("staging", "5s")


def test_hints_name_the_tasks_as_they_are_called_there(invoke, project, way, mocker):
    hint = "`invoke status` shows it, `invoke resolve` cures it, `invoke --list` lists."
    mocker.patch("sbsync_tasks.run.session.open_remote", side_effect=RefusedError("Seen.", hint))
    there = {"whole": "resolve", "part": "db.resolve", "single": "resolve"}
    wanted = f"`invoke {STATUS[way]}` shows it, `invoke {there[way]}` cures it, `invoke --list` lists."
    done = invoke(STATUS[way], "--env", "sandbox", program=Program())
    assert done.stderr == f"error: Seen.\n{wanted}\n"
    done = invoke(STATUS[way], "--env", "sandbox", "--json", program=Program())
    assert done.data["error"]["hint"] == wanted


# --- the real thing ---


def test_the_list(project, way):
    done = real(project, "--list")
    assert (done.returncode, done.stderr) == (0, "")
    listed = {line.split()[0] for line in done.stdout.splitlines()[2:] if line.strip()}
    assert {STATUS[way], SCENARIO[way]} <= listed
    if way == "part":
        assert {"build", "db.sandbox.up", "db.remote-to-local"} <= listed
    if way == "single":
        assert listed == {"status", "local-to-remote", "release"}


def test_the_help_shows_each_flag_with_its_words(project, way):
    done = real(project, "--help", SCENARIO[way])
    assert done.returncode == 0
    assert "Bring local changes to the remote, and prove it." in done.stdout
    for words in ("--allow-data-loss", "--dry-run", "--[no-]reset", "only look: show what would be done"):
        assert words in " ".join(done.stdout.split())


def test_without_a_remote_the_exit_code_is_3(project, way):
    done = real(project, STATUS[way])
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("error: ")
    assert "SUPABASE_PROJECT_ID" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_tasks_file_below_the_root_is_found_from_a_folder_below(project, way):
    (project / "src/deep").mkdir(parents=True)
    done = real(project / "src/deep", STATUS[way])
    assert (done.returncode, "error: " in done.stderr) == (3, True)


@pytest.mark.e2e
@pytest.mark.parametrize("way", ["part"], indirect=True)
def test_the_sandbox_from_a_project_that_has_the_tasks_as_a_part(project, way):
    try:
        done = real(project, "db.status", "--env", "sandbox", "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["versions"] == []
        assert (project / ".sbsync").is_dir()
    finally:
        assert real(project, "db.sandbox.down").returncode == 0
        Clusters(project, find_binaries(None)).remove_all()
