"""How commands end: the documented exit code, one clear message, never a traceback and never a secret."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from invoke.program import Program

from sbsync_tasks import errors

SECRET = "tr0ub4dor"
NEEDS_A_REMOTE = (
    "local-to-remote", "remote-to-local", "push", "pull", "status", "verify", "backup", "review", "diff --remote",
)  # fmt: skip
CONFIGURED = (
    "local-to-remote",
    "remote-to-local",
    "push",
    "pull",
    "status",
    "verify",
    "backup",
    "reset",
    "commit",
    "diff",
)
REMOTE = f"SUPABASE_DB_URL=postgresql://ann:{SECRET}@127.0.0.1:1/d\n"


def check(done, code, *words):
    """One message on stderr that starts with `error:`."""
    assert done.code == code, done
    text = done.stdout + done.stderr
    assert "Traceback" not in text
    assert SECRET not in text
    assert done.stderr.count("error: ") == 1
    for word in words:
        assert word in done.stderr


# --- 3: configuration ---


@pytest.mark.parametrize("command", NEEDS_A_REMOTE)
def test_no_remote_configured(invoke, project, command):
    done = invoke(*command.split())
    check(done, 3, "SUPABASE_PROJECT_ID", ".env.development.local", "--env sandbox")
    assert done.stdout == ""
    assert sorted(p.name for p in project.iterdir()) == ["supabase"]  # nothing was made


@pytest.mark.parametrize(
    "command", [*NEEDS_A_REMOTE, "sandbox.up", "sandbox.down", "sandbox.reset", "sandbox.status", "sandbox.url"]
)
def test_no_project(invoke, project, monkeypatch, command):
    above = project.parent
    (above / "tasks.py").touch()
    monkeypatch.chdir(above)
    before = sorted(above.rglob("*"))
    done = invoke(*command.split())
    check(done, 3, f"There is no project in {above} or above", "Below are: project.", "`cd project`")
    assert (done.stdout, sorted(above.rglob("*"))) == ("", before)


def test_the_invoke_config_names_the_project(invoke, project, monkeypatch):
    monkeypatch.chdir(project.parent)
    (project / ".env.staging").write_text(REMOTE)
    monkeypatch.setenv("INVOKE_SBSYNC_WORKDIR", "project")
    done = invoke("verify", "--env", "staging")
    assert (done.code, f"project {project} (INVOKE_SBSYNC_WORKDIR)" in done.stderr) == (1, True)
    assert (project / ".sbsync").parent.is_dir()
    assert not (project.parent / ".sbsync").exists()


def test_the_doctor_says_that_there_is_no_project(invoke, project, monkeypatch):
    monkeypatch.chdir(project.parent)
    done = invoke("doctor", "--env", "sandbox", "--json")
    (line,) = [check for check in done.data["checks"] if check["name"] == "project"]
    assert (line["level"], "Below are: project." in line["what"]) == ("warning", True)
    assert "`demo`" in line["what"]
    assert sorted(p.name for p in project.parent.iterdir()) == ["project"]


@pytest.mark.parametrize("command", CONFIGURED)
def test_an_environment_that_there_is_not(invoke, project, command):
    check(invoke(command, "--env", "nowhere"), 3, "nowhere", ".env.nowhere")


@pytest.mark.parametrize("command", CONFIGURED)
def test_a_bad_line_in_a_dotenv_file(invoke, project, command):
    (project / ".env").write_text(f"SBSYNC_BACKUP=full\nthis {SECRET} is no line\n")
    check(invoke(command), 3, ".env", "2")


BAD = {
    "an unknown setting": ({".env": "SBSYNC_LOKAL=stack\n"}, {}, "Did you mean SBSYNC_LOCAL?"),
    "a bad URL": ({".env": f"SUPABASE_DB_URL=mysql://u:{SECRET}@h/d\n"}, {}, "SUPABASE_DB_URL"),
    "a bad value": ({".env": "SBSYNC_LOCK_TIMEOUT=soon\n"}, {}, "SBSYNC_LOCK_TIMEOUT"),
    "a bad value of the process": ({}, {"SBSYNC_BACKUP": "none"}, "process environment"),
    "an unknown setting of the process": ({}, {"SBSYNC_LOKAL": "stack"}, "SBSYNC_LOKAL"),
    "a bad invoke.yaml": ({"invoke.yaml": "sbsync: {lock_timeout: soon}\n"}, {}, "sbsync.lock_timeout"),
    "an unknown key in invoke.yaml": ({"invoke.yaml": "sbsync: {lokal: stack}\n"}, {}, "Did you mean local?"),
    "a secret in invoke.yaml": ({"invoke.yaml": f"sbsync: {{db_password: {SECRET}}}\n"}, {}, "SUPABASE_DB_PASSWORD"),
    "no mapping in invoke.yaml": ({"invoke.yaml": "sbsync: full\n"}, {}, "not a mapping"),
    "a number in invoke.yaml": ({"invoke.yaml": "sbsync: 5\n"}, {}, "not a mapping"),
    "a bad INVOKE_ variable": ({}, {"INVOKE_SBSYNC_LOCK_TIMEOUT": "soon"}, "INVOKE_SBSYNC_LOCK_TIMEOUT"),
    "no environment's name": ({}, {"SBSYNC_ENV": "a/b"}, "SBSYNC_ENV"),
    "two remotes": (
        {".env.development": REMOTE}, {"SUPABASE_DB_URL": "postgresql://u@h/d"}, "process environment",
    ),
    "not UTF-8": ({".env": b"A=\xff\n"}, {}, ".env"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_wrong_settings(invoke, project, monkeypatch, case):
    files, process, words = BAD[case]
    for name, text in files.items():
        (project / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    for key, value in process.items():
        monkeypatch.setenv(key, value)
    (project / "tasks.py").write_text("from sbsync_tasks import ns\n")
    check(invoke("status", program=Program()), 3, words)


def test_an_env_file_that_there_is_not(invoke, project):
    check(invoke("status", "--env-file", "none.env"), 3, "none.env")


@pytest.mark.parametrize("command", ["local-to-remote", "status"])
def test_with_json_the_error_is_the_document(invoke, project, command):
    done = invoke(command, "--json")
    check(done, 3)
    assert done.data["error"]["exit_code"] == 3
    assert done.data["error"]["message"] in done.stderr
    assert done.data["error"]["hint"] in done.stderr


# --- 1: something failed ---


def test_a_server_that_does_not_answer(invoke, project):
    (project / ".env.development.local").write_text(REMOTE)
    check(invoke("status"), 1, "nothing listens at 127.0.0.1 port 1")


@pytest.mark.parametrize(
    ("raised", "words"),
    [
        (
            psycopg.errors.LockNotAvailable("canceling statement due to lock timeout\nCONTEXT: x"),
            "LockNotAvailable: canc",
        ),
        (psycopg.OperationalError(), "OperationalError: no details"),
        (psycopg.OperationalError(f"password {SECRET} is wrong"), "password *** is wrong"),
        (
            psycopg.errors.QueryCanceled("canceling statement due to statement timeout"),
            "raise it, then run again",
        ),
        (OSError(28, "No space left on device"), "No space left on device"),
        (PermissionError(13, "Permission denied", "/x"), "error: /x: Permission denied."),
    ],
)
def test_an_error_that_nobody_expected(invoke, project, mocker, raised, words):
    (project / ".env.development.local").write_text(REMOTE)
    mocker.patch("sbsync_tasks.run.session.open_remote", side_effect=raised)
    check(invoke("status"), 1, words)


def test_a_mistake_in_the_code_is_no_message_but_a_traceback(invoke, project, mocker):
    mocker.patch("sbsync_tasks.run.session.open_remote", side_effect=ZeroDivisionError)
    with pytest.raises(ZeroDivisionError):
        invoke("status", "--env", "sandbox")


# --- the others ---


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (errors.SbsyncError, 1), (errors.ConfigError, 3), (errors.RefusedError, 4),
        (errors.MissingToolError, 5),
    ],
)  # fmt: skip
def test_each_kind_of_error_has_its_code(invoke, project, mocker, kind, code):
    mocker.patch("sbsync_tasks.run.session.open_remote", side_effect=kind("What is wrong.", "How to go on."))
    done = invoke("status", "--env", "sandbox")
    check(done, code)
    assert done.stderr == "error: What is wrong.\nHow to go on.\n"


@pytest.mark.parametrize(
    ("found", "flags", "code"), [(True, (), 0), (True, ("--exit-code",), 2), (False, ("--exit-code",), 0)]
)
def test_status_tells_by_its_exit_code_when_asked(invoke, project, mocker, found, flags, code):
    mocker.patch("sbsync_tasks.run.look.status", return_value=found)
    assert invoke("status", "--env", "sandbox", *flags).code == code


def test_an_interruption(invoke, project, mocker):
    mocker.patch("sbsync_tasks.run.session.open_remote", side_effect=KeyboardInterrupt)
    check(invoke("status", "--env", "sandbox"), 130, "Interrupted.", "Run the command again")


def test_a_real_interruption(project):
    """Ctrl-C while a server lets itself be waited for: no traceback, 130, and no child is left."""
    import socket

    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        (project / ".env.development.local").write_text(
            f"SUPABASE_DB_URL=postgresql://u:{SECRET}@127.0.0.1:{silent.getsockname()[1]}/d\n"
        )
        (project / "tasks.py").write_text("from sbsync_tasks import ns\n")
        child = subprocess.Popen(
            [sys.executable, "-m", "invoke", "status"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            stdin=subprocess.DEVNULL, cwd=project, env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )  # fmt: skip
        connection, _ = silent.accept()
        time.sleep(0.2)
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=30)
        connection.close()
    assert (child.returncode, out) == (130, "")
    assert "error: Interrupted." in err
    assert "Traceback" not in err


def test_debug_shows_where_it_went_wrong(invoke, project, monkeypatch):
    monkeypatch.setenv("SBSYNC_DEBUG", "1")
    with pytest.raises(errors.ConfigError):
        invoke("status")
    monkeypatch.setenv("SBSYNC_DEBUG", "0")
    check(invoke("status"), 3)


def test_an_error_after_the_document_leaves_one_document(invoke, project):
    """A review that refuses has shown its findings already."""
    (project / "loss.sql").write_text("drop table public.teams;\n")
    done = invoke("review", "--file", "loss.sql", "--env", "sandbox", "--json")
    check(done, 4, "public.teams", "--allow-data-loss public.teams")
    assert json.loads(done.stdout)["migrations"]


def test_a_name_that_would_lead_out_of_the_folder(invoke, project):
    check(invoke("diff", "--env", "sandbox", "--name", "../../x"), 3, "--name", "letters, digits and underscores")


@pytest.mark.parametrize("flags", [("--discard-local", "--no-reset"), ("--discard-local", "--keep-local")])
def test_contradicting_flags_are_refused_before_anything_is_looked_at(invoke, project, flags):
    (project / ".env.staging").write_text("SUPABASE_DB_URL=postgresql://u@127.0.0.1:1/d\n")  # nobody answers there
    done = invoke("remote-to-local", "--env", "staging", "--yes", *flags)
    assert done.code == 3
    assert "contradict each other" in done.stderr
    assert not (project / ".sbsync").exists()
