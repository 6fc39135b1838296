"""What a review shows of files: all of a short one, and of long ones the statements counted and the findings."""

import pytest

from sbsync_tasks.console import Console
from sbsync_tasks.migrations import Migration
from sbsync_tasks.redaction import Redactor
from sbsync_tasks.steps import review

TABLE = "create table public.t{n} (a int);\nalter table public.t{n} enable row level security;\n"
SHORT = Migration("1", "short", TABLE.format(n=0))
LONG = Migration("2", "long", "".join(TABLE.format(n=n) for n in range(1, 200)) + "create table public.open (a int);\n")
NEW = Migration("3", "new", "create schema app;\n")


def shown(capsys: pytest.CaptureFixture[str], *migrations: Migration, new: tuple[Migration, ...] = ()) -> str:
    review.show_all(Console(Redactor(())), migrations, new=new)
    return capsys.readouterr().err


def test_short_files_are_shown_whole(capsys):
    assert "create table public.t0 (a int);" in shown(capsys, SHORT, NEW)


def test_of_long_ones_the_statements_are_counted_and_the_findings_told(capsys):
    text = shown(capsys, SHORT, LONG, NEW, new=(NEW,))
    assert "create table public.t" not in text
    assert "create schema app;" in text
    assert "400 lines of SQL, not shown here" in text
    assert "200 CREATE TABLE" in text
    assert "line 399: public.open" in text
    assert len(text.splitlines()) < 20


def test_a_new_one_is_shown_however_long_it_is(capsys):
    assert "create table public.t199 (a int);" in shown(capsys, LONG, new=(LONG,))
