"""The command that makes a migration of what the CLI would skip: it is run here, word for word."""

import os
import re
import subprocess

import pytest

from sbsync_tasks.run.files import way_out
from sbsync_tasks.state.migrations import migrations_dir, read_folder
from tests.support.repository import run, write

MIGRATIONS = "supabase/migrations/"
KEPT = "20250101000000_kept.sql"


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run(tmp_path, "init", "--quiet")
    write(tmp_path, MIGRATIONS + KEPT)
    return tmp_path


def followed(root):
    """Do what is advised for each file, until nothing is advised; the names that are there then."""
    while misnamed := read_folder(root).misnamed:
        advice = way_out(root, read_folder(root), misnamed[0])
        (command,) = re.findall(r"`([^`]+)`", advice)
        subprocess.run(command, shell=True, check=True, cwd=root)  # the shell of a user
    return [m.file_name for m in read_folder(root).migrations if m.file_name != KEPT]


@pytest.mark.parametrize("tracked", [True, False])
@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("20250102000000_A.SQL", "20250102000000_A.sql"),
        (" 20250102000000_a.sql ", "20250102000000_a.sql"),
        ("20250102000000-it's.sql", "20250102000000_it_s.sql"),
        ("20250102000000.sql", "20250102000000_unnamed.sql"),
        ("20250102000000_n/migration.sql", "20250102000000_n.sql"),
        ("20250102000000/UP.SQL", "20250102000000_unnamed.sql"),
        ("20210102000000_init.sql", "20210102000000_initial.sql"),
        ("0001_A.SQL", "0001_A.sql"),
        # A version of its own: the name has none, or another file has it.
        ("2026-01-30 add notes.sql", r"\d{14}_2026_01_30_add_notes.sql"),
        ("-v.sql", r"\d{14}_v.sql"),
        ("20250101000000_B.SQL", r"\d{14}_B.sql"),
    ],
)
def test_the_command_makes_it_a_migration(root, name, made, tracked):
    write(root, MIGRATIONS + name)
    if tracked:
        run(root, "add", "--all")
    ((advice,),) = ([way_out(root, f, s) for s in f.misnamed] for f in [read_folder(root)])
    assert ("`git mv " in advice) is tracked
    (found,) = followed(root)
    assert re.fullmatch(made, found)
    assert (migrations_dir(root) / found).read_text() == "select 1;\n"


@pytest.mark.parametrize("tracked", [True, False])
def test_a_folder_of_several_files_goes_elsewhere(root, tracked):
    for name in ("up.sql", "down.sql"):
        write(root, f"{MIGRATIONS}20250102000000_n/{name}", name)
    if tracked:
        run(root, "add", "--all")
    advice = way_out(root, read_folder(root), read_folder(root).misnamed[0])
    assert "into 20250102000000_n.sql" in advice
    assert followed(root) == []
    assert (root / "supabase/20250102000000_n/up.sql").read_text() == "up.sql"


@pytest.mark.parametrize("tracked", [True, False])
def test_a_broken_link_is_taken_out(root, tracked):
    (migrations_dir(root) / "20250102000000_a.sql").symlink_to("gone.sql")
    if tracked:
        run(root, "add", "--all")
        run(root, "-c", "user.name=T", "-c", "user.email=t@example.org", "commit", "--quiet", "--message", "Start")
    assert followed(root) == []


@pytest.mark.parametrize("tracked", [True, False])
def test_what_takes_a_migration_back_goes_elsewhere(root, tracked):
    write(root, f"{MIGRATIONS}20250101000000_kept.down.sql", "drop table t;")
    if tracked:
        run(root, "add", "--all")
    assert followed(root) == []
    assert (root / "supabase/20250101000000_kept.down.sql").read_text() == "drop table t;"


def test_what_is_no_file_is_taken_out(root):
    os.mkfifo(migrations_dir(root) / "20250102000000_a.sql")
    assert followed(root) == []


def test_paths_are_those_of_the_working_directory_and_lead_through_no_link(root, monkeypatch):
    (root / "supabase/migrations").rename(root / "db")
    (root / "supabase/migrations").symlink_to("../db")
    write(root, "db/20250102000000_A.SQL")
    run(root, "add", "--all")
    (root / "src").mkdir()
    monkeypatch.chdir(root / "src")
    advice = way_out(root, read_folder(root), read_folder(root).misnamed[0])
    assert "`git mv -- ../db/20250102000000_A.SQL ../db/20250102000000_A.sql`" in advice
