"""Programs are run for real here: what they are given, what they cannot see, what comes back, and how they end."""

import json
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from urllib.parse import quote

import pytest

from sbsync_tasks import process
from sbsync_tasks.errors import MissingToolError, SbsyncError
from sbsync_tasks.process import LOCAL, NETWORK, PERSONAL, environment, for_task, run, started
from sbsync_tasks.redaction import Redactor

SECRET = "p@ss:w/o%r#d'\"$ \\x"
SHOW = "import json, os, sys; print(json.dumps([sys.argv[1:], dict(os.environ), os.getcwd()]))"
# Two programs at a time, one of them in another thread; both ignore the terminal's Ctrl-C.
WAITING = """
import sys
from sbsync_tasks import process
from sbsync_tasks.redaction import Redactor
from sbsync_tasks.process import in_parallel
def wait(name):
    process.run(["sh", "-c", f"trap '' INT; echo $$ > {name}.new; mv {name}.new {name}; exec sleep 60"])
with process.for_task(Redactor()):
    try:
        in_parallel(lambda: wait(sys.argv[1]), lambda: wait(sys.argv[2]))
    except KeyboardInterrupt:
        sys.exit(130)
"""


def shown(done):
    arguments, seen, folder = json.loads(done.stdout)
    return {"argv": arguments, "env": seen, "cwd": folder}


@pytest.fixture(autouse=True)
def secret():
    with for_task(Redactor([SECRET])):
        yield


# --- arguments ---


@pytest.mark.parametrize(
    "argument",
    [
        "plain", "", "two words", "it's", 'a "quote"', "$HOME", "`id`", "$(id)", "a\nb\n", "a;b|c&d>e<f", "*", "~",
        "\\", "-- comment", "é ü 漢", "!x", "#y", "{a,b}",
    ],
)  # fmt: skip
def test_an_argument_arrives_as_it_is(argument):
    done = run([sys.executable, "-c", SHOW, argument, "last"])
    assert shown(done)["argv"] == [argument, "last"]


def test_a_folder_with_a_nasty_name(tmp_path):
    folder = tmp_path / 'it\'s $HOME; a "folder"'
    folder.mkdir()
    assert shown(run([sys.executable, "-c", SHOW], cwd=folder))["cwd"] == str(folder)


@pytest.mark.parametrize("form", [SECRET, f"postgresql://u:{quote(SECRET, safe='')}@h/d", f"--password={SECRET}"])
def test_a_secret_never_gets_into_a_command_line(tmp_path, form):
    trace = tmp_path / "ran"
    with pytest.raises(SbsyncError, match="Refused to put a secret into a command line") as caught:
        run(["touch", str(trace), form])
    assert not trace.exists()
    assert SECRET not in caught.value.message + caught.value.hint


# --- the environment ---


def test_only_what_is_listed_reaches_a_program(monkeypatch):
    strays = {
        "PGHOST": "elsewhere", "PGPASSWORD": "x", "PGOPTIONS": "-c a=b", "PGSERVICE": "s", "SUPABASE_ACCESS_TOKEN": "t",
        "SUPABASE_DB_URL": "postgresql://x", "SUPABASE_ENV": "production", "NODE_ENV": "production",
        "SBSYNC_LOCAL": "embedded", "DATABASE_URL": "postgresql://y", "CLAUDECODE": "1", "AWS_SECRET_ACCESS_KEY": "z",
        "NODE_OPTIONS": "--require /x", "LD_PRELOAD": "", "BASH_ENV": "/nowhere", "ENV": "/nowhere",
    }  # fmt: skip
    for key, value in strays.items():
        monkeypatch.setenv(key, value)
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    done = run([sys.executable, "-c", SHOW], sees=NETWORK, env={"PGPASSFILE": "/p", "PGOPTIONS": "-c c=d"})
    seen = shown(done)["env"]
    assert not set(strays) & (set(seen) - {"PGOPTIONS"})
    assert (seen["PGPASSFILE"], seen["PGOPTIONS"]) == ("/p", "-c c=d")
    assert seen["HOME"] == os.environ["HOME"]
    assert seen["PATH"] == os.environ["PATH"]
    assert seen["HTTPS_PROXY"] == "http://proxy:3128"


def test_what_is_not_set_is_not_made_up(monkeypatch):
    monkeypatch.delenv("TZ", raising=False)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    assert "TZ" not in environment()
    assert environment()["LC_ALL"] == "C.UTF-8"


@pytest.mark.parametrize(
    ("name", "seen_by"),
    [
        ("PATH", (LOCAL, NETWORK, PERSONAL)), ("DOCKER_HOST", (NETWORK,)), ("https_proxy", (NETWORK,)),
        ("SSH_AUTH_SOCK", (PERSONAL,)), ("GIT_AUTHOR_NAME", (PERSONAL,)), ("GIT_CONFIG_COUNT", (PERSONAL,)),
        ("TERM", (PERSONAL,)), ("GIT_DIR", ()), ("GIT_INDEX_FILE", ()), ("GIT_LITERAL_PATHSPECS", ()),
        ("PGPASSWORD", ()), ("SUPABASE_DB_PASSWORD", ()), ("XPATH", ()), ("PATH_X", ()),
    ],
)  # fmt: skip
def test_who_sees_what(monkeypatch, name, seen_by):
    monkeypatch.setenv(name, "x")
    assert tuple(who for who in (LOCAL, NETWORK, PERSONAL) if name in environment(who)) == seen_by


# --- echo ---


def test_each_call_is_shown_as_a_shell_takes_it_without_secrets(capfd, tmp_path):
    folder = tmp_path / "it's"
    folder.mkdir()
    env = {"PGPASSWORD": "postgres", "PGOPTIONS": "-c a=b", "TOLD": SECRET}
    with for_task(Redactor([SECRET]), echo=True):
        run(["printf", "%s", "two words"], env=env, cwd=folder)
        run(["true"])
    out, err = capfd.readouterr()
    first, second = err.splitlines()
    assert first.endswith("&& PGPASSWORD='***' PGOPTIONS='-c a=b' TOLD='***' printf %s 'two words')")
    assert subprocess.run(["sh", "-c", first], capture_output=True, text=True, check=True).stdout == "two words"
    assert (out, second) == ("", "true")


# --- the end ---


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_us_ends_every_program(tmp_path, number):
    names = [tmp_path / "one", tmp_path / "two"]
    argv = [sys.executable, "-c", WAITING, *map(str, names)]
    with subprocess.Popen(argv, env={**os.environ, "PYTHONPATH": str(Path.cwd())}) as task:
        while not all(name.exists() for name in names):
            assert task.poll() is None
        task.send_signal(number)
        assert task.wait(20) == 130
    for name in names:
        assert not Path("/proc", name.read_text().strip()).exists()


@pytest.mark.parametrize("beside", [False, True])
def test_a_signal_while_a_program_is_being_started_ends_it(mocker, beside):
    start, children = subprocess.Popen, []

    def interrupted(*args, **how):
        children.append(start(*args, **how))
        with pytest.raises(KeyboardInterrupt) if beside else nullcontext():
            process._interrupt(signal.SIGTERM, None)
        return children[0]

    def call():
        with pytest.raises(KeyboardInterrupt), started(["sleep", "60"]):
            pytest.fail("it goes on")

    mocker.patch.object(process.subprocess, "Popen", side_effect=interrupted)
    if beside:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(call).result()
    else:
        call()
    assert children[0].wait(10) == -signal.SIGTERM
    mocker.stopall()
    with started(["true"]) as child:  # what is started afterwards, to tidy up, is left alone
        assert child.wait(10) == 0


def test_one_that_does_not_listen_is_killed(mocker):
    mocker.patch.object(process, "GRACE", 0.1)
    argv = ["sh", "-c", "trap '' TERM; echo; exec sleep 60"]
    with pytest.raises(ZeroDivisionError), started(argv) as child:
        print(1 / len(child.stdout.readline().strip()))
    assert child.returncode == -signal.SIGKILL


def test_a_signal_that_is_ignored_stays_ignored():
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with for_task(Redactor()):
            assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)


# --- input and output ---


def test_there_is_nothing_on_stdin():
    done = run(["cat"], timeout=30)
    assert (done.code, done.stdout) == (0, "")


def test_stdout_stderr_and_the_exit_status_are_kept_apart(capfd):
    done = run(["sh", "-c", "echo out; echo err >&2; exit 7"])
    assert (done.code, done.stdout, done.stderr, done.ok) == (7, "out\n", "err\n", False)
    assert done.argv == ("sh", "-c", "echo out; echo err >&2; exit 7")
    assert capfd.readouterr() == ("", "")
    assert run(["true"]).ok


def test_much_output_on_both_sides_comes_whole():
    script = (
        "import sys; [(sys.stdout.write('o' * 99 + '\\n'), sys.stderr.write('e' * 99 + '\\n')) for _ in range(5000)]"
    )
    done = run([sys.executable, "-c", script])
    assert (len(done.stdout), len(done.stderr)) == (500_000, 500_000)


def test_output_is_utf_8_whatever_the_locale(monkeypatch):
    monkeypatch.setenv("LC_ALL", "C")
    assert run(["printf", "é 漢"]).stdout == "é 漢"


# --- what goes wrong ---


@pytest.mark.parametrize("program", ["no-such-program-here", "/no/such/program", "./none"])
def test_a_program_that_is_not_there(program):
    with pytest.raises(MissingToolError, match="there is no such program") as caught:
        run([program, "--version"])
    assert program in caught.value.message


def test_a_file_that_is_no_program(tmp_path):
    (tmp_path / "text").write_text("x")
    with pytest.raises(MissingToolError):
        run([str(tmp_path / "text")])


def test_a_folder_that_is_not_there_runs_nothing(tmp_path):
    with pytest.raises(SbsyncError, match="could not be run"):
        run(["touch", str(tmp_path / "ran")], cwd=tmp_path / "none")
    assert not (tmp_path / "ran").exists()


def test_a_program_that_takes_too_long_is_stopped(tmp_path):
    script = f"import pathlib, time; time.sleep(4); pathlib.Path({str(tmp_path / 'went on')!r}).touch()"
    with pytest.raises(SbsyncError, match=r" gave no answer within 1 s\.$"):
        run([sys.executable, "-c", script], timeout=1)
    assert not (tmp_path / "went on").exists()
    assert threading.active_count() < 5


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


def test_each_line_is_heard_when_it_comes_and_both_outputs_are_whole(tmp_path):
    """The program goes on once its first line was heard; it fills both pipes."""
    go = tmp_path / "go"
    waits = (
        "import pathlib, sys, time\n"
        "print('first', file=sys.stderr, flush=True)\n"
        f"while not pathlib.Path({str(go)!r}).exists(): time.sleep(0.01)\n"
        "print('o' * 200000); print('e' * 200000, file=sys.stderr); sys.exit(3)"
    )
    heard = []

    def hears(line):
        heard.append(line)
        go.touch()

    done = run([sys.executable, "-c", waits], hears=hears)
    assert (heard[0], len(heard[1])) == ("first", 200000)
    assert (done.code, len(done.output), len(done.errors)) == (3, 200001, 200007)
