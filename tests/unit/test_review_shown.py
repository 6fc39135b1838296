"""What a review shows of files: all of a short one, and of long ones the statements counted and the findings."""

import pytest

from sbsync_tasks.console import Console
from sbsync_tasks.errors import RefusedError
from sbsync_tasks.redaction import Redactor
from sbsync_tasks.run import review
from sbsync_tasks.run.losses import reviewed
from sbsync_tasks.state.migrations import Migration

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
    assert "399 lines, 399 statements: " in text
    assert text.count("`invoke review --file VERSION` shows the SQL of one of these files.") == 1
    assert "200 CREATE TABLE" in text
    assert "line 399: public.open" in text
    assert len(text.splitlines()) < 20


def test_a_new_one_is_shown_however_long_it_is(capsys):
    assert "create table public.t199 (a int);" in shown(capsys, LONG, new=(LONG,))


def test_of_a_long_one_every_grave_finding_is_told_and_a_few_of_each_other_rule(capsys):
    indexes = [f"create index on public.there (c{n});\n" for n in range(200)]
    opened = "".join(f"create table public.open{n} (a int);\n" for n in range(9))
    text = shown(capsys, Migration("1", "many", "".join(indexes) + opened))
    assert text.count("! exposure, ") == 9
    assert text.count("! locking, ") == 3
    assert "· blocking-index: 197 more, not shown here; --json has all" in text.splitlines()
    whole = shown(capsys, Migration("1", "some", "".join(indexes[:9])))
    assert whole.count("! locking, ") == 9
    assert "not shown here" not in whole


@pytest.mark.parametrize("save", ["", "invoke diff --env staging --name renamed"])
def test_the_way_to_keep_the_rows_of_a_new_name_stands_before_the_flag(save):
    sql = "alter table public.t drop column a, add column b text;\ndrop table public.gone;\n"
    with pytest.raises(RefusedError) as refused:
        review.refuse_blocking(reviewed([Migration("1", "m", sql)]), (), "staging", save)
    numbered = [line for line in refused.value.hint.splitlines() if line.lstrip()[:2] in ("1.", "2.", "3.")]
    assert len(numbered) == (3 if save else 2)
    assert (f"`{save}` writes" in refused.value.hint) is bool(save)
    assert "     ALTER TABLE public.t RENAME COLUMN a TO b;" in refused.value.hint.splitlines()
    assert refused.value.hint.endswith("say so by name: --allow-data-loss public.t.a --allow-data-loss public.gone")
