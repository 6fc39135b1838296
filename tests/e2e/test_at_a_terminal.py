"""What somebody at a terminal meets: questions, the editor, Ctrl-C."""

import re
import stat
from pathlib import Path

import pytest

from tests.support.changes import TAGS
from tests.support.project import Project, text_of
from tests.support.terminal import invoke

# Makes a mistake, and the second time corrects it where it is told.
EDITOR = """#!/bin/sh
if grep -q '^-- !! .*does not apply' "$1"; then
    sed -i 's/^create tabel.*$/create table public.by_hand (id int primary key);/' "$1"
else
    printf 'create tabel public.by_hand (id int);\\n' >> "$1"
fi
"""


def test_ctrl_c_at_a_question_says_that_nothing_was_changed(project: Project) -> None:
    screen = invoke(project, "sandbox.reset", typed=[("[y/N] ", "\x03")])
    assert screen.code == 130, screen.text
    assert "error: Interrupted. Nothing was changed." in screen.text
    assert "may still be carried out" not in screen.text
    assert project.remote.has("public.teams")


@pytest.mark.matrix
def test_a_mistake_in_the_editor_is_edited_again(project: Project) -> None:
    project.local.run(TAGS)
    editor = project.write("editor.sh", EDITOR)
    editor.chmod(editor.stat().st_mode | stat.S_IXUSR)
    screen = invoke(
        project, "local-to-remote", "--env", "sandbox", "--name", "tags", VISUAL=str(editor),
        typed=[("[N]o: ", "e\r"), ("Edit again?", "\r"), ("[N]o: ", "y\r")],
    )  # fmt: skip
    assert screen.code == 0, screen.text
    assert 'syntax error at or near "tabel"' in screen.text
    assert project.remote.has("public.by_hand")
    assert project.remote.has("public.tags")
    assert "-- !!" not in project.migrations[f"{project.version_of('tags')}_tags.sql"]


def test_what_an_edit_leaves_out_is_told_with_its_rows_before_the_question(project: Project) -> None:
    project.local.run(
        TAGS, "create table public.lose_t (id int primary key)",
        "insert into public.lose_t select generate_series(1, 1000)",
    )  # fmt: skip
    editor = project.write("editor.sh", f"#!/bin/sh\necho '{TAGS};' > \"$1\"\n")
    editor.chmod(editor.stat().st_mode | stat.S_IXUSR)
    screen = invoke(
        project, "local-to-remote", "--env", "sandbox", "--name", "tags", VISUAL=str(editor), columns=50,
        typed=[("[N]o: ", "e\r"), ("loses it:", ""), ("[N]o: ", "y\r")],
    )  # fmt: skip
    assert screen.code == 0, screen.text
    words = " ".join(screen.text.split())
    assert (
        "! Your edit leaves this out of the migration, so local loses it: - table public.lose_t, 1,000 rows:" in words
    )
    assert re.search(r"0 of \d files? applied, at 20\d+_\w+\.sql", words)
    for database in (project.local, project.remote):
        assert database.has("public.tags")
        assert not database.has("public.lose_t")
    backup = max((project.root / ".sbsync" / "backups").glob("*-local-before-reset"))
    assert "lose_t" in text_of(backup)


@pytest.mark.matrix
def test_what_a_first_run_would_do_stands_on_one_screen(newest: Path, tmp_path: Path) -> None:
    project = Project(tmp_path / "project", newest)
    project.root.mkdir()
    project.create()
    try:
        screen = invoke(project, "local-to-remote", "--env", "sandbox", "--dry-run")
        assert screen.code == 0, screen.text
        lines = [
            line for line in screen.text.splitlines() if not re.match(r"[\u2800-\u28ff]|  \d+ of \d+ files? ", line)
        ]
        assert len(lines) <= 24, screen.text
        assert max(map(len, lines)) <= 80
        plan = " ".join(" ".join(lines).partition("A run would do this")[2].split())
        for action in ("back up local, rebuild it from 4 migrations", "back up sandbox", "push 4 migrations"):
            assert action in plan
        assert not project.remote.has("public.teams")
        assert not project.local.has("public.teams")
    finally:
        project.remove_databases()


@pytest.mark.matrix
def test_who_commits_is_asked_before_the_work(project: Project) -> None:
    project.local.run(TAGS)
    project.git("config", "--unset", "user.email")
    project.git("config", "user.useConfigOnly", "true")
    before = project.snapshot()
    done = project.invoke("--echo", "local-to-remote", "--env", "sandbox", "--commit", "--yes")
    assert done.code == 3, done.text
    assert "git does not know who commits" in done.stderr
    assert " db diff " not in done.stderr
    assert project.snapshot() == before


def test_a_pull_with_nothing_new_says_so(project: Project) -> None:
    done = project.task("pull")
    assert done.code == 0, done.text
    assert "Nothing to pull: sandbox has no change that the files lack." in done.stderr
