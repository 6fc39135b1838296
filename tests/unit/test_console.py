"""What is shown where, what is asked, and what happens where nobody can be asked."""

import io
import json
import os
import re
import subprocess
import sys

import pytest

from sbsync_tasks.console import Console, counted
from sbsync_tasks.errors import RefusedError
from sbsync_tasks.redaction import Redactor
from tests.support.terminal import at_a_terminal

SECRET = "tr0ub4d\"or'\\ü"


def console(**given):
    return Console(Redactor([SECRET]), **given)


def use_every_way_to_speak(made):
    made.say(f"said {SECRET}", "ok")
    made.heading(f"heading {SECRET}")
    made.table(["column"], [[f"cell {SECRET}"]])
    made.sql(f"select '{SECRET}';")
    with made.step("step", f"doing {SECRET}"):
        pass


# --- which stream, and what is in it ---


def test_only_results_go_to_stdout(capsys):
    made = console()
    use_every_way_to_speak(made)
    made.document({"not": "asked for"})
    made.result("select 1;")
    out, err = capsys.readouterr()
    assert out == "select 1;\n"
    for word in ("✓ said", "heading", "column", "cell", "select '", "step", "doing"):
        assert word in err


def test_with_json_stdout_is_one_document(capsys):
    made = console(json_output=True)
    use_every_way_to_speak(made)
    made.result("select 1;")
    made.document({"name": "ü", "files": ["a"]})
    made.document({"error": "too late"})
    out, _ = capsys.readouterr()
    assert json.loads(out) == {"name": "ü", "files": ["a"]}


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "utf-8"])
def test_results_are_utf8_whatever_the_locale_says(monkeypatch, encoding):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding))
    made = console()
    made.result("select 'ü✓';")
    with made.as_result():
        made.say("a ⇄ b", "ok")
    assert written.getvalue() == "select 'ü✓';\n✓ a ⇄ b\n".encode()


def test_an_empty_result_is_no_line(capsys):
    console().result("")
    assert capsys.readouterr().out == ""


def test_no_way_to_speak_shows_a_secret(capsys):
    made = console(json_output=True)
    use_every_way_to_speak(made)
    made.document({SECRET: [SECRET, {"deep": f"a {SECRET} b"}]})
    console().result(f"result {SECRET}")
    out, err = capsys.readouterr()
    for form in (SECRET, json.dumps(SECRET)[1:-1], json.dumps(SECRET, ensure_ascii=False)[1:-1]):
        assert form not in out + err
    assert (out.count("***"), err.count("***")) == (4, 5)


def test_square_brackets_and_colons_are_text_and_no_markup(capsys):
    made = console()
    made.say("text[] [bold]x[/bold] [/] :smile:")
    made.table(["c"], [["text[] [red]"]])
    assert "text[] [bold]x[/bold] [/] :smile:" in capsys.readouterr().err


def test_a_pipe_gets_plain_lines_however_narrow(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    made = console()
    line = "x" * 200
    made.say(line)
    made.sql("select 1, 'keyword';")
    err = capsys.readouterr().err
    assert line in err.splitlines()
    assert "\x1b" not in err


ROWS = [["20260105090000", "teams", "✓", "✓", "-", "pending"], ["20260112090000", "a" * 60, "✓", "-", "-", "x"]]
HEAD = ["version", "name", "file", "local", "remote", "state"]


def test_a_table_fits_a_terminal_of_80_columns(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("FORCE_COLOR", "1")
    console().table(HEAD, ROWS)
    lines = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().err).splitlines()
    assert len(lines) > len(ROWS) + 1
    assert max(map(len, lines)) <= 80
    assert all(row[0] in " ".join(lines) for row in ROWS)


def test_a_table_that_does_not_fit_is_wrapped_at_words(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    row = ["20261128T095604Z-local-before-reset", "staging", "before-reset", "173.7 kB", "16 rows of every table"]
    console().table(["backup", "of", "why", "size", "holds"], [row])
    lines = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().err).splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[1].split()[:5] == [row[0], "staging", "before-reset", "173.7", "kB"]
    assert " ".join(" ".join(lines[1:]).split()) == " ".join(row)


def test_a_table_has_one_line_for_each_row_where_it_fits_and_in_a_pipe(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    console().table(HEAD, [*ROWS, ["3", "two\nlines", "✗", "", "日本", ""]])
    lines = capsys.readouterr().err.splitlines()
    assert [line.split() for line in lines] == [HEAD, *ROWS, ["3", "two", "lines", "✗", "日本"]]
    assert lines[1].index("pending") == lines[2].index(" x") + 1 == lines[0].index("state")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("FORCE_COLOR", "1")
    console().table(HEAD, ROWS)
    assert re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().err).splitlines() == lines[:3]


def test_a_table_without_rows_is_its_heading(capsys):
    console().table(HEAD, [])
    assert capsys.readouterr().err.split() == HEAD


# --- steps ---


def test_a_step_leaves_its_line_and_its_time(capsys):
    made = console()
    with made.step("diff", "compare a with b"):
        pass
    with pytest.raises(ValueError, match="boom"), made.step("push", "push x"):
        raise ValueError("boom")
    lines = capsys.readouterr().err.splitlines()
    assert re.fullmatch(r"✓ diff: compare a with b \(\d+\.\d s\)", lines[0])
    assert re.fullmatch(r"✗ push x \(\d+\.\d s\)", lines[1])
    assert [(name, outcome) for name, _, outcome in made.times] == [("diff", "done"), ("push", "failed")]


LONG = """
import sys
from sbsync_tasks.console import Console
from sbsync_tasks.redaction import Redactor
made = Console(Redactor())
with made.step("push", "push 3 migrations (20260105090000_teams.sql … 20260126090000_totals.sql) to staging"):
    for number, name in enumerate(["teams", "customers", "totals"], 1):
        made.applying(f"2026010509000{number}_{name}.sql", number, 3)
"""


@pytest.mark.parametrize("columns", [80, 50])
def test_a_live_line_says_how_far_a_step_is_and_for_how_long(tmp_path, columns):
    screen = at_a_terminal([sys.executable, "-c", LONG], cwd=tmp_path, env=dict(os.environ), columns=columns)
    assert screen.code == 0, screen.text
    words = " ".join(screen.text.split())
    for number, name in enumerate(["teams", "customers", "totals"], 1):
        assert f"{number - 1} of 3 files applied, at 2026010509000{number}_{name}.sql" in words
    assert "to staging (0 s)" in words
    assert "✓ push 3 migrations" in words
    drawn = re.split(r"\n|(?=[\u2800-\u28ff])", screen.text)  # each picture begins with the spinner
    assert max(len(line.rstrip()) for line in drawn) <= columns


ASKING_MEANWHILE = """
import time
from sbsync_tasks.console import Console
from sbsync_tasks.redaction import Redactor
made = Console(Redactor())
with made.step("diff", "compare a with b"):
    time.sleep(0.3)
    made.confirm("Install it from npm into this user's cache, where every project finds it?")
    time.sleep(0.3)
    made.say("Installed.")
"""


@pytest.mark.parametrize("columns", [80, 50])
def test_a_question_in_a_step_stands_alone_until_it_is_answered(tmp_path, columns):
    argv = [sys.executable, "-c", ASKING_MEANWHILE]
    screen = at_a_terminal(argv, ("[y/N] ", "y\r"), cwd=tmp_path, env=dict(os.environ), columns=columns, patience=1.0)
    assert screen.code == 0, screen.text
    question, answered = screen.text.split("[y/N] ")
    assert "every project finds it?" in " ".join(question.split())
    assert answered.startswith("y\n"), answered  # with nothing drawn over it, however long that took
    assert "Installed.\n" in answered
    assert "✓ diff: compare a with b" in answered


def test_in_a_pipe_a_long_step_has_a_line_now_and_then(capsys, monkeypatch):
    made = console()
    made.applying("before.sql", 1, 1)  # no step lasts
    with made.step("push", "push x"):
        made.applying("1_a.sql", 1, 1200)
        monkeypatch.setattr("sbsync_tasks.console.SPARSE", 0.0)
        made.applying(f"2_{SECRET}.sql", 1001, 1200)
    lines = capsys.readouterr().err.splitlines()
    assert lines[:-1] == ["· 1,000 of 1,200 files applied, at 2_***.sql (0 s)"]


# --- questions ---


def test_without_a_terminal_nobody_is_asked(capsys):
    with pytest.raises(RefusedError) as caught:
        console().confirm("Throw it away?")
    assert caught.value.exit_code == 4
    assert "Cannot ask for confirmation" in caught.value.message
    assert "Nothing was changed." in caught.value.message
    assert "--yes" in caught.value.hint
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("stdin", "stderr"), [(True, False), (False, True)])
def test_one_terminal_is_not_enough(mocker, stdin, stderr):
    mocker.patch("sys.stdin", isatty=lambda: stdin)
    mocker.patch("sys.stderr", isatty=lambda: stderr)
    assert not console().interactive


def test_a_closed_stdin_is_no_terminal(monkeypatch):
    monkeypatch.setattr("sys.stdin", None)
    assert not console().interactive


def test_yes_answers_beforehand(capsys):
    console(yes=True).confirm("Throw it away?")
    assert capsys.readouterr() == ("", "")


# --- at a real terminal ---

ASKING = """
from sbsync_tasks.console import Console, counted
from sbsync_tasks.errors import RefusedError
from sbsync_tasks.redaction import Redactor
console = Console(Redactor(["tr0ub4dor"]))
console.say("coloured", "error")
console.sql("select 'tr0ub4dor';")
try:
    console.confirm("Drop tr0ub4dor?")
    print("AGREED")
except RefusedError as error:
    print("REFUSED", error.exit_code, error.message)
"""


def asked_at_a_terminal(typed, **environment):
    """Run the script with a terminal on all three streams; what stood on the screen in the end."""
    ours, theirs = os.openpty()
    try:
        os.write(ours, typed)
        child = subprocess.Popen(
            [sys.executable, "-c", ASKING], stdin=theirs, stdout=theirs, stderr=theirs,
            env={k: v for k, v in {**os.environ, "TERM": "xterm-256color", **environment}.items() if v},
        )  # fmt: skip
        os.close(theirs)
        screen = read_all(ours)
        assert child.wait(timeout=30) == 0
        return screen
    finally:
        os.close(ours)


def read_all(descriptor):
    found = b""
    while True:
        try:
            data = os.read(descriptor, 4096)
        except OSError:  # Linux says so where the other end is closed
            data = b""
        if not data:
            return found.decode()
        found += data


SAID = "differs from its own history:\n  - table public.payments: only there, and nobody knows since when it is"
SQL = "create table public.payments (id bigint primary key, note text not null default 'a long one, longer');"
COLUMNS = ("version", "name", "file", "local", "remote", "state")
ROW = ("20260105090000", "a_rather_long_name_of_it", "x", "x", "-", "pending")
SHOWING = f"""
from sbsync_tasks.console import Console
from sbsync_tasks.redaction import Redactor
console = Console(Redactor())
console.say({SAID!r}, "ok")
console.sql({SQL!r})
with console.as_result():
    console.table({COLUMNS!r}, [{ROW!r}])
"""


@pytest.mark.parametrize("columns", [50, 80])
def test_a_terminal_gets_words_statements_and_versions_whole(columns, tmp_path):
    screen = at_a_terminal([sys.executable, "-c", SHOWING], cwd=tmp_path, env=os.environ, columns=columns)
    said, _, rest = screen.text.partition("create table")
    statement, *table = rest.splitlines()
    first, *lines = said.splitlines()
    assert first == "✓ differs from its own history:"
    assert " ".join(line.strip() for line in lines) == SAID.splitlines()[1].strip()
    assert lines[0].startswith("  - table")
    assert all(line.startswith("    ") for line in lines[1:])
    assert f"create table{statement}" == SQL
    assert table[1].startswith(f"{ROW[0]} ")
    assert all(len(line) <= columns for line in (*lines, *table))


def test_a_pipe_gets_whole_lines_and_results_are_on_stdout(capsys):
    exec(SHOWING)
    out, err = capsys.readouterr()
    assert f"{SAID}\n{SQL}\n" in err
    assert " ".join(out.split()) == " ".join([*COLUMNS, *ROW])
    with (quiet := console(json_output=True)).as_result():
        quiet.say("In words.")
    assert capsys.readouterr() == ("", "In words.\n")


@pytest.mark.parametrize("typed", [b"y\n", b" YES \n"])
def test_only_a_clear_yes_agrees(typed):
    screen = asked_at_a_terminal(typed)
    assert "Drop ***? [y/N] " in screen
    assert "AGREED" in screen


@pytest.mark.parametrize("typed", [b"\n", b"yep\n", b"\x04"])
def test_everything_else_is_a_no(typed):
    assert "REFUSED 4 Declined. Nothing was changed." in asked_at_a_terminal(typed)


def test_a_terminal_has_colour_unless_the_user_wants_none():
    colour = re.compile(r"\x1b\[[0-9;]*3[0-9]")
    assert colour.search(asked_at_a_terminal(b"\n", NO_COLOR=""))
    plain = asked_at_a_terminal(b"\n", NO_COLOR="1")
    assert not colour.search(plain)
    assert "coloured" in plain
    assert "tr0ub4dor" not in plain


@pytest.mark.parametrize(("number", "said"), [(0, "0 migrations"), (1, "1 migration"), (2000, "2,000 migrations")])
def test_a_number_of_things(number, said):
    assert counted(number, "migration") == said
