"""The three-way comparison of files and both histories, in each combination that can occur."""

import time
from itertools import product
from pathlib import Path

import pytest

from sbsync_tasks import sqltext
from sbsync_tasks.errors import SbsyncError
from sbsync_tasks.state.histories import STATUS_OF, At, Recorded, Status, as_migrations, compare, unlike
from sbsync_tasks.state.migrations import Folder, Migration

V = "20260101000000"
FILE = Migration(V, "teams", "create table a (id int);\ncreate table b (id int);\n")
SAME = Recorded(V, "teams", ("create table a (id int)", "create table b (id int)"))
OTHER = Recorded(V, "teams", ("create table a (id bigint)",))
BARE = Recorded(V, "", None)  # as `migration repair` of an older CLI left it
STATES = {"-": None, "same": SAME, "other": OTHER, "bare": BARE}


def history(*rows):
    return {row.version: row for row in rows if row}


def row_of(file, local, remote):
    folder = Folder((FILE,) if file else (), ())
    (row,) = compare(folder, history(STATES[local]), history(STATES[remote]))
    return row


@pytest.mark.parametrize(
    ("local", "remote", "status"),
    [
        ("-", "-", Status.PENDING),
        ("same", "-", Status.PENDING),
        ("bare", "-", Status.PENDING),
        ("other", "-", Status.LOCAL_STALE),
        ("-", "same", Status.LOCAL_BEHIND),
        ("-", "bare", Status.LOCAL_BEHIND),
        ("same", "same", Status.APPLIED),
        ("same", "bare", Status.APPLIED),
        ("bare", "same", Status.APPLIED),
        ("other", "same", Status.LOCAL_STALE),
        ("-", "other", Status.EDITED),
        ("same", "other", Status.EDITED),
        ("other", "other", Status.EDITED),
    ],
)
def test_with_a_file(local, remote, status):
    row = row_of(True, local, remote)
    assert row.status is status
    assert (row.version, row.name, row.file) == (V, "teams", FILE)


@pytest.mark.parametrize(
    ("local", "remote", "status"),
    [
        ("same", "-", Status.LOCAL_ONLY),
        ("-", "same", Status.MISSING),
        ("same", "same", Status.MISSING),
        ("same", "other", Status.MISSING),
        ("bare", "other", Status.MISSING),
    ],
)
def test_without_a_file(local, remote, status):
    row = row_of(False, local, remote)
    assert row.status is status
    assert row.file is None


def test_every_combination_that_can_occur_is_in_the_table_and_no_other(monkeypatch):
    asked = set()

    class Watched(dict):
        def __getitem__(self, key):
            asked.add(key)
            return super().__getitem__(key)

    monkeypatch.setattr("sbsync_tasks.state.histories.STATUS_OF", Watched(STATUS_OF))
    for file, local, remote in product((True, False), STATES, STATES):
        if file or (local, remote) != ("-", "-"):
            row_of(file, local, remote)
    assert asked == set(STATUS_OF)
    assert set(STATUS_OF.values()) == set(Status)
    assert (False, At.NOT, At.NOT) not in STATUS_OF


def test_all_versions_oldest_first_each_with_the_best_name():
    later = Recorded("20260301000000", "from_remote", ())
    unnamed = Recorded("20260201000000", "", ())
    rows = compare(Folder((FILE,), ()), history(unnamed), history(later, unnamed))
    assert [(r.version, r.name) for r in rows] == [
        (V, "teams"), ("20260201000000", ""), ("20260301000000", "from_remote"),
    ]  # fmt: skip


def test_nothing_anywhere():
    assert compare(Folder((), ()), {}, {}) == ()


# --- what a history stands for ---


def test_a_file_counts_only_while_it_is_what_was_recorded():
    edited = Migration(V, "teams", "drop table a;\n")
    assert as_migrations(history(SAME), [FILE]) == (FILE,)
    assert as_migrations(history(BARE), [FILE]) == (FILE,)
    (made,) = as_migrations(history(SAME), [edited])
    assert "drop table" not in made.sql
    assert SAME.matches(made)


def test_a_lost_file_comes_back_from_what_was_recorded():
    recorded = Recorded(V, "", ("create table a (id int);", "create table b (id int)\n"))
    (made,) = as_migrations(history(recorded), [])
    assert made == Migration(V, "recorded", "create table a (id int);\n\ncreate table b (id int);\n\n")


def test_a_comment_at_a_statements_end_does_not_swallow_the_next_one():
    recorded = Recorded(V, "x", ("create table a (id int) -- for b", "create table b (id int)"))
    (made,) = as_migrations(history(recorded), [])
    assert recorded.matches(made)
    assert len(sqltext.split(made.sql)) == 2
    other = Recorded(V, "x", ("create table a (id int) -- for b;\ncreate table b (id int)",))
    assert unlike(history(recorded), history(other), [V]) == (V,)


def test_files_that_the_history_does_not_have_are_left_out():
    later = Migration("20260301000000", "later", "select 1;\n")
    assert as_migrations(history(SAME), [FILE, later]) == (FILE,)


def test_a_row_without_statements_and_without_a_file_cannot_be_rebuilt():
    with pytest.raises(SbsyncError, match=V) as caught:
        as_migrations(history(BARE), [])
    assert "git" in caught.value.hint


# --- histories against each other ---


def test_versions_that_are_not_recorded_alike():
    spaced = Recorded(V, "teams", ("-- the teams\ncreate  table a (id int)", "create table b (id int);"))
    other = {V: OTHER}
    assert unlike(history(SAME), history(SAME), [V]) == ()
    assert unlike(history(SAME), history(spaced), [V]) == ()
    assert unlike(history(SAME), history(BARE), [V]) == ()
    assert unlike(history(SAME), other, [V]) == (V,)
    assert unlike(history(SAME), {}, [V]) == (V,)
    assert unlike({}, history(SAME), [V]) == (V,)
    assert unlike(history(SAME), other, []) == ()


# --- line ends ---

BODY = "create function f() returns text language sql as $$\r\n  select 'a\r\nb'::text;\r\n$$"


@pytest.mark.parametrize("file", [f"{BODY};\r\n", f"\ufeff{BODY}\r\n;", f"{BODY};\n".replace("\r\n", "\n")])
def test_line_ends_and_a_byte_order_mark_are_no_edit(file):
    recorded = Recorded(V, "f", (BODY,))
    folder = Folder((Migration(V, "f", file),), ())
    (row,) = compare(folder, {V: recorded}, {V: recorded})
    assert row.status is Status.APPLIED


def test_what_a_database_is_compared_with_has_the_line_ends_that_it_recorded():
    recorded = Recorded(V, "f", (BODY,))
    lf = Migration(V, "f", f"{BODY};\n".replace("\r\n", "\n"))
    crlf = Migration(V, "f", f"{BODY};\r\n-- a comment\r\n")
    assert as_migrations({V: recorded}, [crlf]) != (crlf,)  # not letter by letter: what was recorded is sure
    assert as_migrations({V: recorded}, [Migration(V, "f", f"{BODY};\r\n")])[0].sql == f"{BODY};\r\n"
    (made,) = as_migrations({V: recorded}, [lf])
    assert BODY in made.sql
    (made,) = as_migrations({V: Recorded(V, "f", (BODY.replace("\r\n", "\n"),))}, [crlf])
    assert "\r" not in made.sql


def test_a_file_in_another_case_stands_for_what_was_recorded():
    recorded = Recorded(V, "f", ("create table T (id int)",))
    file = Migration(V, "f", "CREATE TABLE t (\n  id INT\n);\n-- formatted\n")
    assert as_migrations({V: recorded}, [file]) == (file,)


def test_a_thousand_migrations_are_compared_in_a_fraction_of_a_second():
    """Both databases have recorded all of them, and half of the files have been formatted since."""
    texts = {
        str(20260101000000 + n): "".join(
            f"create table t{n}_{m} (id int primary key, name text default 'x;y'); -- é\n" for m in range(12)
        )
        for n in range(1000)
    }
    files = tuple(
        Migration(v, "m", text.upper().replace("'X;Y'", "'x;y'") if int(v) % 2 else text) for v, text in texts.items()
    )
    history = {v: Recorded(v, "m", tuple(s.text for s in sqltext.split(text))) for v, text in texts.items()}
    before = time.process_time()
    for _ in range(5):
        rows = compare(Folder(files, ()), history, history)
    assert {row.status for row in rows} == {Status.APPLIED}
    assert time.process_time() - before < 2


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", "a\\b", "a\0b", "a\nb"])
def test_a_recorded_name_makes_no_path(name):
    made = Recorded("20260101000000", name, ("select 1",)).as_migration()
    assert Path(made.file_name).name == made.file_name
    assert not set(made.file_name) & set("\\\0\n")


@pytest.mark.parametrize("version", ["../1", "", "1a", "1 "])
def test_a_recorded_version_is_made_of_digits(version):
    with pytest.raises(SbsyncError, match="no version"):
        Recorded(version, "a", ("select 1",)).as_migration()
