"""`[e]dit` at the question: nothing that was typed is lost, and a mistake is edited again."""

import pytest

from sbsync_tasks.console import Console
from sbsync_tasks.databases.failures import Failure, FileFailedError
from sbsync_tasks.errors import RefusedError
from sbsync_tasks.options import Options
from sbsync_tasks.plan import Write
from sbsync_tasks.redaction import Redactor
from sbsync_tasks.run import execute, review
from sbsync_tasks.run.session import Run
from sbsync_tasks.state import Origin, State
from sbsync_tasks.state.migrations import Folder, Migration
from sbsync_tasks.supabase_cli import CliError
from tests.support.settings import Project

MADE = Migration("20260401000000", "tags", "create table public.tags (id int);\nselect 1;\n")
WRONG = FileFailedError(
    CliError("ERROR: no"),
    Failure("supabase/migrations/20260401000000_tags.sql", MADE, "ERROR: no", "select 2", 2, "42601", recording=False),
    "the shadow database", fresh=False,
)  # fmt: skip


@pytest.fixture
def run(tmp_path, monkeypatch, mocker):
    """At a terminal, with an editor that appends a line to the file, after keeping what it was shown."""
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\ncat "$1" > shown\necho "select 3;" >> "$1"\n')
    editor.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VISUAL", str(editor))
    mocker.patch.object(Console, "interactive", True)
    return Run(Project(tmp_path).settings(), Console(Redactor()), Options())


def answers(mocker, *given):
    mocker.patch.object(Console, "ask", side_effect=given)


def settled(run):
    """A run that has made one migration: its plan, once the questions are answered."""
    state = State.of(Folder((), ()), {}).joined_by(Origin.LOCAL, (MADE,))
    goal = execute.Goal(lambda s, _o, _p: (Write(s.to_write, s.renamed),), whose=Origin.LOCAL)
    return execute.settled(run, state, goal)


def asked(run):
    return review.approve(run, (MADE,), protected=False)


@pytest.mark.parametrize("editor", ["/nowhere/editor", "vi 'unclosed", " "])
def test_an_editor_that_is_not_there_is_not_offered(run, mocker, monkeypatch, capsys, editor):
    monkeypatch.setenv("VISUAL", editor)
    answers(mocker, "e\n", "y\n")
    assert asked(run) == ()
    assert "to edit the SQL here, set VISUAL or EDITOR." in capsys.readouterr().err
    assert [call.args for call in Console.ask.call_args_list] == 2 * [("Go on? [y]es, [N]o: ",)]


def test_an_editor_that_fails_leaves_the_question_open(run, mocker, monkeypatch, capsys):
    monkeypatch.setenv("VISUAL", "false")
    answers(mocker, "e\n", "y\n")
    assert asked(run) == ()
    assert "'false' failed with exit status 1. Set VISUAL or EDITOR." in capsys.readouterr().err
    assert [call.args for call in Console.ask.call_args_list] == 2 * [("Go on? [y]es, [e]dit, [N]o: ",)]


def test_a_mistake_opens_the_editor_again_with_the_error_at_its_line(run, mocker, tmp_path, capsys):
    answers(mocker, "e\n", "\n", "y\n")
    tried = []

    def prove(_run, state, whose, edited):
        tried.append(edited[0].sql)
        if len(tried) == 1:
            raise WRONG
        return state.joined_by(whose, edited)

    mocker.patch.object(execute, "with_edits", side_effect=prove)
    state, plan = settled(run)
    first, second = tried
    assert first == MADE.sql + "select 3;\n"
    assert second == first + "select 3;\n"  # the notes are gone, the edit is not
    shown = (tmp_path / "shown").read_text().splitlines()
    assert shown[0] == "create table public.tags (id int);"
    assert shown[1].startswith("-- !! supabase/migrations/20260401000000_tags.sql does not apply to a new")
    assert shown[-2:] == ["select 1;", "select 3;"]
    assert "ERROR: no" in capsys.readouterr().err
    assert not list((tmp_path / ".sbsync/drafts").iterdir())  # approved
    assert [m.sql for m in state.files] == [second]
    assert plan == (Write(state.files),)


def test_on_no_the_draft_is_kept_and_named(run, mocker, tmp_path):
    answers(mocker, "e\n", "n\n")
    mocker.patch.object(execute, "with_edits", side_effect=RefusedError("It is no longer what the remote has."))
    with pytest.raises(review.DeclinedError, match=r"Your draft is kept in \.sbsync/drafts/20260401000000_tags\.sql"):
        settled(run)
    assert (tmp_path / ".sbsync/drafts" / MADE.file_name).read_text() == MADE.sql + "select 3;\n"


def test_at_the_end_of_input_nothing_is_edited_again(run, mocker):
    answers(mocker, "")
    with pytest.raises(review.DeclinedError):
        review.edit_again(run, (MADE,), WRONG)
