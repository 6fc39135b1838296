"""Programs are run for real here: what they are given, what they cannot see, and what comes back."""

import json
import os
import re
import sys
import threading
from pathlib import Path
from urllib.parse import quote

import pytest
from invoke.config import Config
from invoke.context import Context, MockContext
from invoke.runners import Result

from sbsync_tasks.errors import MissingToolError, SbsyncError
from sbsync_tasks.runner import Redactor, Runner, kept_environment

SECRET = "p@ss:w/o%r#d'\"$ \\x"
SHOW = "import json, os, sys; print(json.dumps([sys.argv[1:], dict(os.environ), os.getcwd()]))"


def shown(done):
    arguments, environment, folder = json.loads(done.stdout)
    return {"argv": arguments, "env": environment, "cwd": folder}


@pytest.fixture
def runner():
    return Runner(Context(), Redactor([SECRET]))


# --- arguments ---


@pytest.mark.parametrize(
    "argument",
    [
        "plain", "", "two words", "it's", 'a "quote"', "$HOME", "`id`", "$(id)", "a\nb\n", "a;b|c&d>e<f", "*", "~",
        "\\", "-- comment", "é ü 漢", "!x", "#y", "{a,b}",
    ],
)  # fmt: skip
def test_an_argument_arrives_as_it_is(runner, argument):
    done = runner.run([sys.executable, "-c", SHOW, argument, "last"])
    assert shown(done)["argv"] == [argument, "last"]


def test_a_folder_with_a_nasty_name(runner, tmp_path):
    folder = tmp_path / 'it\'s $HOME; a "folder"'
    folder.mkdir()
    assert shown(runner.run([sys.executable, "-c", SHOW], cwd=folder))["cwd"] == str(folder)


@pytest.mark.parametrize("form", [SECRET, f"postgresql://u:{quote(SECRET, safe='')}@h/d", f"--password={SECRET}"])
def test_a_secret_never_gets_into_a_command_line(runner, tmp_path, form):
    trace = tmp_path / "ran"
    with pytest.raises(SbsyncError, match="Refused to put a secret into a command line") as caught:
        runner.run(["touch", str(trace), form])
    assert not trace.exists()
    assert SECRET not in caught.value.message + caught.value.hint


# --- the environment ---


def test_only_what_is_listed_reaches_a_program(runner, monkeypatch):
    strays = {
        "PGHOST": "elsewhere", "PGPASSWORD": "x", "PGOPTIONS": "-c a=b", "PGSERVICE": "s", "SUPABASE_ACCESS_TOKEN": "t",
        "SUPABASE_DB_URL": "postgresql://x", "SUPABASE_ENV": "production", "NODE_ENV": "production",
        "SBSYNC_LOCAL": "embedded", "DATABASE_URL": "postgresql://y", "CLAUDECODE": "1", "AWS_SECRET_ACCESS_KEY": "z",
        "NODE_OPTIONS": "--require /x", "LD_PRELOAD": "", "BASH_ENV": "/nowhere", "ENV": "/nowhere",
    }  # fmt: skip
    for key, value in strays.items():
        monkeypatch.setenv(key, value)
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    seen = shown(runner.run([sys.executable, "-c", SHOW], env={"PGPASSFILE": "/p", "PGOPTIONS": "-c c=d"}))["env"]
    assert not set(strays) & (set(seen) - {"PGOPTIONS"})
    assert (seen["PGPASSFILE"], seen["PGOPTIONS"]) == ("/p", "-c c=d")
    assert seen["HOME"] == os.environ["HOME"]
    assert seen["PATH"] == os.environ["PATH"]
    assert seen["HTTPS_PROXY"] == "http://proxy:3128"


def test_what_is_not_set_is_not_made_up(monkeypatch):
    monkeypatch.delenv("TZ", raising=False)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    assert "TZ" not in kept_environment()
    assert kept_environment()["LC_ALL"] == "C.UTF-8"


def test_the_users_invoke_settings_play_no_part(tmp_path):
    config = Config(
        overrides={
            "run": {"echo": True, "hide": False, "pty": True, "warn": False, "dry": True, "env": {"PGHOST": "x"}}
        }
    )
    done = Runner(Context(config)).run([sys.executable, "-c", SHOW + "; sys.exit(3)"])
    assert done.code == 3
    assert "PGHOST" not in shown(done)["env"]


# --- input and output ---


def test_there_is_nothing_on_stdin(runner):
    done = runner.run(["cat"], timeout=30)
    assert (done.code, done.stdout) == (0, "")


def test_stdout_stderr_and_the_exit_status_are_kept_apart(runner, capfd):
    done = runner.run(["sh", "-c", "echo out; echo err >&2; exit 7"])
    assert (done.code, done.stdout, done.stderr, done.ok) == (7, "out\n", "err\n", False)
    assert done.argv == ("sh", "-c", "echo out; echo err >&2; exit 7")
    assert capfd.readouterr() == ("", "")
    assert runner.run(["true"]).ok


def test_much_output_on_both_sides_comes_whole(runner):
    script = (
        "import sys; [(sys.stdout.write('o' * 99 + '\\n'), sys.stderr.write('e' * 99 + '\\n')) for _ in range(5000)]"
    )
    done = runner.run([sys.executable, "-c", script])
    assert (len(done.stdout), len(done.stderr)) == (500_000, 500_000)


def test_output_is_utf_8_whatever_the_locale(runner, monkeypatch):
    monkeypatch.setenv("LC_ALL", "C")
    assert runner.run(["printf", "é 漢"]).stdout == "é 漢"


def test_invokes_dry_run_gives_no_empty_answers():
    context = Context(Config(overrides={"run": {"dry": True}}))
    assert Runner(context).run(["echo", "read"]).stdout == "read\n"


# --- what goes wrong ---


@pytest.mark.parametrize("program", ["no-such-program-here", "/no/such/program", "./none"])
def test_a_program_that_is_not_there(runner, program):
    with pytest.raises(MissingToolError, match="there is no such program") as caught:
        runner.run([program, "--version"])
    assert program in caught.value.message


def test_a_file_that_is_no_program(runner, tmp_path):
    (tmp_path / "text").write_text("x")
    with pytest.raises(MissingToolError):
        runner.run([str(tmp_path / "text")])


def test_a_folder_that_is_not_there_runs_nothing(runner, tmp_path):
    done = runner.run(["touch", str(tmp_path / "ran")], cwd=tmp_path / "none")
    assert not done.ok
    assert not (tmp_path / "ran").exists()


def test_a_program_that_takes_too_long_is_stopped(runner, tmp_path):
    script = f"import pathlib, time; time.sleep(4); pathlib.Path({str(tmp_path / 'went on')!r}).touch()"
    with pytest.raises(SbsyncError, match=r" gave no answer within 1 s\.$"):
        runner.run([sys.executable, "-c", script], timeout=1)
    assert not (tmp_path / "went on").exists()
    assert threading.active_count() < 5


def test_what_invoke_is_told(mocker):
    """The one call: no terminal, no echo, nobody's stdin, and the whole of the environment."""
    context = MockContext(run={re.compile(r"cd '/a b' && exec true 'x y' </dev/null"): Result("out", exited=0)})
    done = Runner(context).run(["true", "x y"], cwd=Path("/a b"), env={"PGPASSFILE": "/p"})
    assert done.stdout == "out"
    (call,) = context.run.call_args_list
    assert call.kwargs == {
        "env": {**kept_environment(), "PGPASSFILE": "/p"}, "replace_env": True, "hide": True, "warn": True,
        "in_stream": False, "encoding": "utf-8", "dry": False, "timeout": None, "pty": False, "echo": False,
    }  # fmt: skip


# --- masking ---


def test_secrets_are_masked_in_every_form():
    redact = Redactor([SECRET, "second"])
    for form in (SECRET, quote(SECRET, safe=""), quote(SECRET), json.dumps(SECRET)[1:-1]):
        assert redact(f"a {form} b second c") == "a *** b *** c"
        assert redact.holds(f"<{form}>")
    assert not redact.holds("nothing of the kind")


def test_a_secret_within_a_longer_one_leaves_no_rest():
    redact = Redactor(["abc", "abcdef"])
    assert redact("abcdef abc") == "*** ***"


def test_secrets_can_be_learned_later():
    redact = Redactor()
    assert redact("tr0ub4dor") == "tr0ub4dor"
    redact.add(["tr0ub4dor"])
    assert redact("tr0ub4dor") == "***"


def test_nothing_and_everybodys_password_are_no_secrets():
    redact = Redactor(["", "postgres"])
    assert redact("role postgres") == "role postgres"
    assert not redact.holds("role postgres")
