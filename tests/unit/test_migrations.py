"""Migration files: their names, their versions, and that none is ever overwritten."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sbsync_tasks.errors import ConfigError, RefusedError, SbsyncError
from sbsync_tasks.state.migrations import (
    Folder,
    Migration,
    Skipped,
    checked_name,
    migrations_dir,
    next_version,
    read_folder,
    write_file,
)

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


def put(root, name, text="select 1;\n"):
    path = migrations_dir(root) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


# --- the folder ---


def test_no_folder_is_an_empty_one(tmp_path):
    assert read_folder(tmp_path) == Folder((), ())


def test_the_files_are_read_oldest_first(tmp_path):
    put(tmp_path, "20260201000000_b.sql", "select 'ü';\n")
    put(tmp_path, "20260101000000_a_b-c.sql", "select 2;\n")
    assert read_folder(tmp_path).migrations == (
        Migration("20260101000000", "a_b-c", "select 2;\n"),
        Migration("20260201000000", "b", "select 'ü';\n"),
    )


def names(folder):
    return [s.name for s in folder.misnamed]


def test_what_the_cli_would_skip_is_told(tmp_path):
    for name in ("add_teams.sql", "2026-01-01_x.sql", "20260101000000.sql", "20260101000000_a.sql"):
        put(tmp_path, name)
    put(tmp_path, "notes.md")
    found = read_folder(tmp_path)
    assert names(found) == ["2026-01-01_x.sql", "20260101000000.sql", "add_teams.sql"]
    assert [m.name for m in found.migrations] == ["a"]
    assert found.beside == ()


# Measured with `db push` of 2.122.1 and 3.1.0, which agree.
TAKEN = ("20250101000000_a b.sql", "20250101000000_.sql", "0001_a.sql", "20250101_a.sql", "2025010100000000_a.sql",
         "20250101000000_a.down.sql", "20230101000000_init.sql", "20259999999999_a.sql")  # fmt: skip
SKIPPED = ("20250101000000_A.SQL", "20250101000000_a.Sql", " 20250101000000_a.sql", "20250101000000_a.sql ",
           "20250101000000-a.sql", "20250101000000.sql", "a.sql", "\u0662\u0660_a.sql", "20250101000000_a\nb.sql",
           "20210101000000_init.sql", "20250102000000_n/migration.sql", "20250102000000_n.sql/a.sql",
           "20250102000000/UP.SQL", "0001_n/migration.sql")  # fmt: skip
LEFT_ALONE = ("archive/20250101000000_a.sql", "archive/a.sql", "2024/a.sql", "2024_old/20240101000000_a.sql",
              ".20250101000000_a.sql", "20250102000000_n/notes.md")  # fmt: skip


@pytest.mark.parametrize("name", TAKEN)
def test_what_the_cli_takes(tmp_path, name):
    put(tmp_path, name)
    found = read_folder(tmp_path)
    assert ([m.file_name for m in found.migrations], found.misnamed, found.beside) == ([name], (), ())


@pytest.mark.parametrize("name", SKIPPED)
def test_what_the_cli_skips_and_nobody_means_it_to(tmp_path, name):
    put(tmp_path, name)
    found = read_folder(tmp_path)
    assert (found.migrations, names(found), found.beside) == ((), [name], ())


@pytest.mark.parametrize("name", LEFT_ALONE)
def test_what_is_left_alone_and_named(tmp_path, name):
    put(tmp_path, name)
    found = read_folder(tmp_path)
    first, _, rest = name.partition("/")
    assert found == Folder((), (), (f"{first}/" if rest else first,))


def test_an_old_init_that_is_not_the_first_runs(tmp_path):
    for name in ("20200101000000_a.sql", "20210101000000_init.sql"):
        put(tmp_path, name)
    assert [m.name for m in read_folder(tmp_path).migrations] == ["a", "init"]


def test_a_link_that_leads_nowhere_and_the_lock_of_an_editor(tmp_path):
    migrations_dir(tmp_path).mkdir(parents=True)
    (migrations_dir(tmp_path) / "20250101000000_a.sql").symlink_to("../gone.sql")
    (migrations_dir(tmp_path) / ".#20250101000000_b.sql").symlink_to("me@host.1")
    (found,) = read_folder(tmp_path).misnamed
    assert found == Skipped("20250101000000_a.sql", "is a link to ../gone.sql, which is not there", there=False)


def test_versions_that_two_files_claim(tmp_path):
    for name in ("20260101000000_a.sql", "20260101000000_b.sql", "20260102000000_c.sql"):
        put(tmp_path, name)
    assert read_folder(tmp_path).duplicates == ("20260101000000",)


def test_a_file_in_another_encoding_is_named(tmp_path):
    put(tmp_path, "20260101000000_a.sql", b"select '\xfc';\n")
    with pytest.raises(SbsyncError, match=r"20260101000000_a\.sql is not valid UTF-8 \(byte 8\)"):
        read_folder(tmp_path)


def test_a_zero_byte_is_named(tmp_path):
    """PostgreSQL's protocol ends a text there: the CLI's push fails with "invalid message format"."""
    put(tmp_path, "20260101000000_a.sql", b"select 1;\n\0\n")
    with pytest.raises(SbsyncError, match=r"20260101000000_a\.sql has a zero byte on line 2"):
        read_folder(tmp_path)


def test_a_pointer_of_git_lfs_is_told_as_such(tmp_path):
    put(tmp_path, "20260101000000_a.sql", "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 5\n")
    with pytest.raises(SbsyncError, match="pointer of git-lfs") as caught:
        read_folder(tmp_path)
    assert "`git lfs pull`" in caught.value.hint


def test_a_name_that_is_no_utf8_is_told_as_such(tmp_path):
    migrations_dir(tmp_path).mkdir(parents=True)
    Path(os.fsdecode(os.fsencode(migrations_dir(tmp_path)) + b"/1_\xff.sql")).write_text("select 1;\n")
    with pytest.raises(ConfigError, match=r"is no UTF-8: b'1_\\xff\.sql'"):
        read_folder(tmp_path)


def test_what_takes_a_migration_back_is_no_migration(tmp_path):
    """As other tools have them side by side: the CLI would run both."""
    for name in ("1_a.up.sql", "1_a.down.sql", "2_b.sql", "2_b.down.sql", "3_shut.down.sql"):
        put(tmp_path, name)
    folder = read_folder(tmp_path)
    assert [m.file_name for m in folder.migrations] == ["1_a.up.sql", "2_b.sql", "3_shut.down.sql"]
    assert [s.name for s in folder.misnamed] == ["1_a.down.sql", "2_b.down.sql"]
    assert folder.duplicates == ()


def test_a_file_that_may_not_be_read_is_named(tmp_path, mocker):
    put(tmp_path, "20260101000000_a.sql")
    mocker.patch.object(Path, "read_bytes", side_effect=PermissionError(13, "Permission denied"))
    with pytest.raises(SbsyncError, match=r"20260101000000_a\.sql cannot be read: Permission denied"):
        read_folder(tmp_path)


def test_what_is_no_file_is_not_waited_for(tmp_path):
    migrations_dir(tmp_path).mkdir(parents=True)
    os.mkfifo(migrations_dir(tmp_path) / "20260101000000_a.sql")
    os.mkfifo(migrations_dir(tmp_path) / "other")
    (found,) = read_folder(tmp_path).misnamed
    assert found == Skipped("20260101000000_a.sql", "is no file", there=False)


@pytest.mark.parametrize(
    ("taken", "expected"),
    [
        (["209901010000001"], "209901010000002"),
        (["20260101000000", "209901010000001"], "209901010000002"),
        (["100000000000000"], "20260301120000"),  # earlier as a text
        (["9"], "90000000000000"),
        (["9", "90000000000000"], "90000000000001"),
        (["initial", "0001"], "20260301120000"),
    ],
)
def test_a_longer_version_is_met_as_well(taken, expected):
    assert next_version(taken, now=NOW) == expected


def test_the_file_name():
    assert Migration("20260101000000", "add_teams", "").file_name == "20260101000000_add_teams.sql"


@pytest.mark.parametrize("link", [True, False])
def test_what_is_no_folder_is_not_an_empty_one(tmp_path, link):
    """A submodule that was not fetched is no project without migrations."""
    folder = migrations_dir(tmp_path)
    folder.parent.mkdir()
    folder.symlink_to("../gone") if link else folder.touch()
    with pytest.raises(ConfigError, match=r"is a link to \.\./gone, which is no folder" if link else "is no folder"):
        read_folder(tmp_path)


# --- names ---


@pytest.mark.parametrize(
    ("typed", "made"),
    [
        ("add_teams", "add_teams"),
        ("  Add teams 2 ", "Add_teams_2"),
        ("add-teams -- now", "add_teams_now"),
        ("two\nlines\tand a tab", "two_lines_and_a_tab"),
        ("x" * 100, "x" * 100),
    ],
)
def test_a_name_is_made_from_what_was_typed(typed, made):
    assert checked_name(typed) == made


@pytest.mark.parametrize(
    "typed",
    [
        "", "   ", "../../etc/passwd", "a/b", "a\\b", "..", "a.sql", "a;b", "$(id)", "`id`", "a\0b", "naïve", "a'b",
        "x" * 101,
    ],
)  # fmt: skip
def test_any_other_name_is_refused(typed):
    with pytest.raises(ConfigError) as caught:
        checked_name(typed)
    assert caught.value.message.startswith("--name ")
    assert "letters, digits and underscores" in caught.value.hint


def test_the_error_says_where_the_name_came_from():
    with pytest.raises(ConfigError, match=r"^SBSYNC_NAME 'a/b' is no name"):
        checked_name("a/b", "SBSYNC_NAME")


# --- versions ---


@pytest.mark.parametrize(
    ("taken", "before", "expected"),
    [
        ([], "", "20260301120000"),
        (["20260101000000"], "", "20260301120000"),
        # A clock that is behind somebody else's: still later than all.
        (["20260301120000"], "", "20260301120001"),
        (["20260101000000", "20270101235959", "20260201000000"], "", "20270102000000"),
        # A version that is no time, counted up by hand.
        (["20269999999998"], "", "20269999999999"),
        # Between the remote's head and the oldest pending file.
        (["20260101000000"], "20260601000000", "20260301120000"),
        (["20260101000000"], "20260201000000", "20260101000001"),
        (["20260101000000"], "20260101000002", "20260101000001"),
        ([], "20260201000000", "20260131235959"),
        ([], "20260301120000", "20260301115959"),
        # No room.
        (["20260101000000"], "20260101000001", None),
        (["20260101000000"], "20260101000000", None),
        (["20270101000000"], "20260101000000", None),
        # Files numbered by hand.
        (["0001", "0002"], "", "20260301120000"),
        (["0001"], "0003", "0002"),
        (["0001", "0002"], "0003", None),
        ([], "0001", "0000"),
        ([], "0000", None),
        (["0002"], "20260101000000", "20251231235959"),
    ],
)
def test_the_next_version(taken, before, expected):
    version = next_version(taken, now=NOW, before=before)
    assert version == expected
    if version:
        assert version.isdigit()
        assert all(version > other for other in taken)
        assert not before or version < before


def test_the_next_version_is_now_in_utc():
    before = datetime.now(UTC).strftime("%Y%m%d%H%M%S")
    made = next_version([])
    assert before <= made <= datetime.now(UTC).strftime("%Y%m%d%H%M%S")


def test_versions_can_be_drawn_one_after_the_other():
    taken = ["20260301120000"]
    for _ in range(3):
        taken.append(next_version(taken, now=NOW))
    assert taken == ["20260301120000", "20260301120001", "20260301120002", "20260301120003"]


# --- writing ---


def test_a_new_file_is_written_as_it_is(tmp_path):
    path = tmp_path / "supabase/migrations/20260101000000_a.sql"
    write_file(tmp_path, Migration("20260101000000", "a", "\ufeffselect 'ü';\r\n-- end"))
    assert path.read_bytes() == "\ufeffselect 'ü';\r\n-- end".encode()
    assert read_folder(tmp_path).migrations == (Migration("20260101000000", "a", "\ufeffselect 'ü';\r\n-- end"),)


def test_a_file_is_never_overwritten(tmp_path):
    path = put(tmp_path, "20260101000000_a.sql", "-- mine\n")
    with pytest.raises(RefusedError, match="is there already"):
        write_file(tmp_path, Migration("20260101000000", "a", "select 1;\n"))
    assert path.read_text() == "-- mine\n"


def test_nor_is_what_a_link_leads_to(tmp_path):
    target = tmp_path / "target.sql"
    link = migrations_dir(tmp_path) / "20260101000000_a.sql"
    link.parent.mkdir(parents=True)
    link.symlink_to(target)
    with pytest.raises(FileExistsError):
        write_file(tmp_path, Migration("20260101000000", "a", "select 1;\n"))
    assert not target.exists()
