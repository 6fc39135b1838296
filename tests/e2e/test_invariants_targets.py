"""I1 and I10: every call of the CLI names its target by flag, and nothing around the run can change what it does.

One run of both scenarios serves all, with decoys in the shell and in files, and a config.toml that the CLI refuses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from sbsync_tasks.supabase_cli.binary import native
from tests.support.configs import REFUSED
from tests.support.project import Project
from tests.support.watch import Call, Recorder

pytestmark = [pytest.mark.cli, pytest.mark.e2e]

# Whatever follows one of these fails, or works on another database: nothing listens at 127.0.0.9.
SHELL = {
    "PGHOST": "127.0.0.9", "PGHOSTADDR": "127.0.0.9", "PGPORT": "1", "PGDATABASE": "elsewhere", "PGUSER": "nobody",
    "PGPASSWORD": "decoy-password", "PGPASSFILE": "/nowhere/pgpass", "PGSERVICE": "decoy",
    "PGSERVICEFILE": "/nowhere/pg_service.conf", "PGOPTIONS": "-c default_transaction_read_only=on",
    "PGSSLMODE": "verify-full", "PGSSLROOTCERT": "/nowhere/root.crt", "PGREQUIREAUTH": "none",
    "PGTARGETSESSIONATTRS": "standby", "PGCLIENTENCODING": "LATIN1", "PGAPPNAME": "decoy", "PGTZ": "decoy/zone",
    "NODE_ENV": "staging", "SUPABASE_ENV": "staging", "SUPABASE_YES": "1",
    "SUPABASE_INTERNAL_IMAGE_REGISTRY": "decoy.invalid", "SUPABASE_EXPERIMENTAL": "1", "SUPABASE_DEBUG": "1",
    "SUPABASE_ACCESS_TOKEN": "sbp_" + "d" * 40, "DATABASE_URL": "postgresql://127.0.0.9:1/elsewhere",
    "CLAUDECODE": "1",
}  # fmt: skip
DECOY_FILE = (
    "PGOPTIONS='-c default_transaction_read_only=on'\nPGHOSTADDR=127.0.0.9\nSUPABASE_YES=1\nDECOY_FROM_FILE=1\n"
)
FILES = (".env", ".env.local", ".env.development", ".env.staging", "supabase/.env", "supabase/.env.development")
VERSIONS = ("3.1.0", "2.115.0")
# Calls of the CLI, each of them a second: six for a scenario with one change, the proof included. Lower it when one is
# saved; never raise it.
CALLS = 12


@pytest.fixture(scope="module", params=[VERSIONS[0], pytest.param(VERSIONS[1], marks=pytest.mark.matrix)])
def watched(
    request: pytest.FixtureRequest,
    synced: Project,
    cli: Callable[[str], Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Project, Recorder, str]]:
    """Both scenarios were run with decoys all around; what they started is in the recorder."""
    folder = tmp_path_factory.mktemp("targets")
    recorder = Recorder(folder / "bin")
    project = synced.copy_to(folder / "project")
    project.cli = recorder.stand_in(native(cli(request.param)))
    for name in ("git", "npm", "docker"):
        recorder.stand_in(Path("/usr/bin", name))
    try:
        for path in FILES:
            project.write(path, DECOY_FILE)
        project.write("supabase/config.toml", REFUSED)
        project.settings = {**SHELL, "PATH": f"{recorder.folder}:{project.environment()['PATH']}"}
        project.local.run("create table public.made_locally (id int primary key)")
        project.sync("local-to-remote", "--name", "up", "--commit")
        project.remote.run("create table public.made_remotely (id int primary key)")
        project.sync("remote-to-local", "--name", "down")
        yield project, recorder, request.param
    finally:
        project.remove_databases()


def working(recorder: Recorder) -> list[Call]:
    """The calls of the CLI that touch a database."""
    return [call for call in recorder.calls("supabase") if call.argv != ["--version"]]


def targets(call: Call, version: str) -> list[str]:
    """The URLs that a call names as its targets, by the flags of its major version only."""
    argv = call.argv
    if "diff" in argv:
        return [argv[argv.index(flag) + 1] for flag in ("--from", "--to")]
    if version.startswith("2."):
        return [argv[argv.index("--db-url") + 1]]
    return [word.removeprefix("--remote=") for word in argv if word.startswith("--remote=")]


def test_the_changes_arrived_where_they_were_meant_to(watched: tuple[Project, Recorder, str]) -> None:
    project, _, _ = watched
    for database in (project.local, project.remote):
        assert database.has("public.made_locally")
        assert database.has("public.made_remotely")
        assert database.history().keys() == set(project.versions)


def test_every_call_names_its_target_by_a_flag_of_its_version(watched: tuple[Project, Recorder, str]) -> None:
    project, recorder, version = watched
    calls = working(recorder)
    assert {tuple(c.argv[:2]) for c in calls} >= {("db", "diff"), ("db", "push"), ("migration", "repair")}
    for call in calls:
        named = targets(call, version)
        assert len(named) == (2 if "diff" in call.argv else 1), call.argv
        for url in named:
            parts = urlsplit(url)
            assert (parts.scheme, parts.hostname, parts.path) == ("postgresql", "127.0.0.1", "/postgres"), call.argv
            assert parts.port
            assert parts.password is None
        other = {"--linked", "--local", "--project-ref"} | ({"--remote"} if version < "3" else {"--db-url", "--remote"})
        assert not other & set(call.argv)
        assert ("--use-pg-delta" in call.argv) == (version < "3" and "diff" in call.argv)
        assert call.argv[call.argv.index("--agent") + 1] == "no"
    port = project.remote.endpoint.port
    assert any(c.argv[:2] == ["db", "push"] and f":{port}/" in targets(c, version)[0] for c in calls)
    assert any(c.argv[:2] == ["migration", "repair"] and f":{port}/" in targets(c, version)[0] for c in calls)


def test_no_call_was_added_unseen(watched: tuple[Project, Recorder, str]) -> None:
    _, recorder, _ = watched
    calls = [" ".join(call.argv[:2]) for call in working(recorder)]
    assert len(calls) <= CALLS, calls


def test_a_push_says_skip_vault_and_a_repair_names_versions(watched: tuple[Project, Recorder, str]) -> None:
    _, recorder, _ = watched
    for call in working(recorder):
        if call.argv[:2] == ["db", "push"]:
            assert "--skip-vault" in call.argv
        if call.argv[:2] == ["migration", "repair"]:
            assert any(re.fullmatch(r"\d{14}", word) for word in call.argv)


def test_the_environment_of_every_call_is_replaced(watched: tuple[Project, Recorder, str]) -> None:
    project, recorder, _ = watched
    ours = {"PGPASSFILE", "PGOPTIONS", "SUPABASE_TELEMETRY_DISABLED", "SUPABASE_NO_UPDATE_NOTIFIER"}
    for call in recorder.calls("supabase"):
        strays = {k for k in call.env if k.startswith(("PG", "SUPABASE_", "NODE_", "DATABASE", "CLAUDE", "SBSYNC"))}
        assert strays <= ours, call.argv
        assert "decoy" not in repr(call.env)
        assert call.env.get("PGPASSFILE") != SHELL["PGPASSFILE"]
        assert call.env.get("PGOPTIONS", "-c lock_timeout=10s") == "-c lock_timeout=10s"
        assert project.remote.endpoint.password not in repr(call.env)
    pushes = [c for c in working(recorder) if f":{project.remote.endpoint.port}/" in repr(c.argv) and "push" in c.argv]
    assert [c.env.get("PGOPTIONS") for c in pushes] == ["-c lock_timeout=10s"]


def test_every_call_has_a_private_empty_folder_and_sees_no_settings_file(
    watched: tuple[Project, Recorder, str],
) -> None:
    project, recorder, _ = watched
    for call in working(recorder):
        assert call.cwd_entries == []
        assert call.place_mode == 0o700
        assert call.passfile_mode == 0o600
        assert not Path(call.cwd).is_relative_to(project.root)
        assert [f for f in call.workdir_files if Path(f).name.startswith(".env")] == []
        assert any(f.endswith("supabase/config.toml") for f in call.workdir_files)
        assert not Path(call.cwd).exists()


def test_git_gets_no_secret_and_nothing_else_is_started(watched: tuple[Project, Recorder, str]) -> None:
    _, recorder, _ = watched
    assert recorder.calls("git")
    for call in recorder.calls("git"):
        assert not {k for k in call.env if k.startswith(("PG", "SUPABASE_", "SBSYNC_"))}
        assert "decoy-password" not in repr(call.env)
    assert recorder.calls("npm") == []
    assert recorder.calls("docker") == []


@pytest.mark.parametrize("key", ["SUPABASE_PROJECT_ID", "SUPABASE_DB_URL"])
def test_a_remote_in_the_shell_is_refused_beside_the_sandbox(watched: tuple[Project, Recorder, str], key: str) -> None:
    project, recorder, _ = watched
    before = len(recorder.calls("supabase"))
    value = "abcdefghijklmnopqrst" if key.endswith("ID") else "postgresql://postgres@127.0.0.9:1/elsewhere"
    done = project.invoke("local-to-remote", "--env", "sandbox", "--yes", settings={key: value})
    assert done.code == 3
    assert key in done.stderr
    assert len(recorder.calls("supabase")) == before
