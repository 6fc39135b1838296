"""git.py, in real repositories: what git has and has not, here and on other branches."""

import os

import pytest

from sbsync_tasks import git
from sbsync_tasks.errors import SbsyncError
from tests.support.repository import FILE, VERSION, hook, run, state, write

# --- what git does not have


def test_untracked_or_modified(root):
    same, changed, staged, fresh = files = [
        write(root, f"supabase/migrations/2026030112000{n}_x.sql") for n in range(4)
    ]
    git.commit(root, [same, changed], "two of them")
    write(root, str(changed.relative_to(root)), "select 2;\n")
    run(root, "add", str(staged))
    assert git.untracked_or_modified(root, files) == (changed, staged, fresh)
    assert git.untracked_or_modified(root, [p.relative_to(root) for p in files[2:]]) == (
        staged.relative_to(root), fresh.relative_to(root),
    )  # fmt: skip
    same.unlink()
    assert git.untracked_or_modified(root, [same]) == (same,)
    assert git.untracked_or_modified(root, []) == ()


def test_an_ignored_file_is_one_that_git_does_not_have(root):
    write(root, ".gitignore", "*.sql\n")
    file = write(root, FILE)
    assert git.untracked_or_modified(root, [file]) == (file,)


def test_on_an_unborn_branch_git_has_nothing(unborn):
    file = write(unborn, FILE)
    run(unborn, "add", FILE)
    assert git.untracked_or_modified(unborn, [file]) == (file,)


def test_in_a_monorepo_the_same_name_elsewhere_does_not_count(root):
    git.commit(root, [write(root, FILE)], "the other project's")
    project = root / "apps" / "db"
    file = write(project, FILE)
    assert git.untracked_or_modified(project, [file]) == (file,)


def test_a_touched_file_is_not_a_modified_one(root):
    file = write(root, FILE)
    git.commit(root, [file], "one")
    os.utime(file, (1, 1))
    assert git.untracked_or_modified(root, [file]) == ()


def test_line_ends_that_git_converts_are_no_change(root):
    write(root, ".gitattributes", "*.sql text\n")
    file = write(root, FILE, "select 1;\n")
    git.commit(root, [file], "one")
    file.write_bytes(b"select 1;\r\n")
    assert git.untracked_or_modified(root, [file]) == ()


# --- other branches


def test_a_version_is_found_on_other_branches(root, tmp_path):
    run(root, "switch", "-q", "-c", "feature/billing")
    write(root, FILE)
    run(root, "add", FILE)
    run(
        root,
        "commit",
        "-q",
        "-m",
        "x",
        "--author",
        "Bob Other <b@example.org>",
        "--date",
        "2026-03-01T12:00:00Z",
    )
    clone = tmp_path / "clone"
    run(tmp_path, "clone", "-q", str(root), str(clone))
    run(root, "switch", "-q", "main")

    assert git.find_in_branches(root, VERSION) == (git.Found("feature/billing", "Bob Other", "2026-03-01", FILE),)
    assert [f.branch for f in git.find_in_branches(clone, VERSION)] == [
        "feature/billing", "origin/feature/billing",
    ]  # fmt: skip
    assert git.find_in_branches(root, VERSION[:-1]) == ()


def test_a_version_is_looked_for_in_the_own_project_of_a_monorepo(root):
    git.commit(root, [write(root, FILE)], "the other project's")
    project = root / "apps" / "db"
    assert git.find_in_branches(root, VERSION)[0].path == FILE
    git.commit(project, [write(project, "supabase/migrations/20260401000000_own.sql")], "own")
    assert git.find_in_branches(project, VERSION) == ()
    (own,) = git.find_in_branches(project, "20260401000000")
    assert (own.path, own.author) == ("supabase/migrations/20260401000000_own.sql", "Ada Example")


def test_the_old_name_of_a_renamed_file_is_what_head_has_with_the_same_text(root):
    old, other = write(root, FILE), write(root, FILE.replace("invoices", "other"), "select 2;\n")
    run(root, "add", ".")
    run(root, "commit", "-q", "-m", "two migrations")
    new = old.with_name("20990101000000_invoices.sql")
    old.rename(new)
    other.unlink()  # deleted, and nowhere under another name
    assert git.renamed_away(root, [new]) == (old,)
    assert git.renamed_away(root, []) == ()
    git.commit(root, [new, *git.renamed_away(root, [new])], "rename")
    assert run(root, "show", "--name-status", "--format=", "-M", "HEAD").split()[0] == "R100"
    assert run(root, "status", "--short") == f" D {other.relative_to(root)}"
    assert git.renamed_away(root, [new]) == ()


@pytest.mark.parametrize("refused", [False, True])
def test_a_rename_that_is_staged_is_one_commit_and_other_staged_work_stays(root, refused):
    old = write(root, FILE)
    write(root, "notes.txt")
    run(root, "add", ".")
    run(root, "commit", "-q", "-m", "a migration")
    new = old.with_name("20990101000000_invoices.sql")
    run(root, "mv", str(old), str(new))
    write(root, "notes.txt", "staged\n")
    run(root, "add", "notes.txt")
    files = [new, *git.renamed_away(root, [new])]
    assert files == [new, old]
    if refused:
        hook(root, "pre-commit", "exit 1")
        before = state(root)
        with pytest.raises(SbsyncError, match="did not commit"):
            git.commit(root, files, "rename")
        assert state(root) == before
        return
    git.commit(root, files, "rename")
    assert run(root, "show", "--name-status", "--format=", "-M", "HEAD").split()[0] == "R100"
    assert run(root, "status", "--short") == "M  notes.txt"


def test_a_file_that_a_branch_has_deleted_is_not_found(root):
    git.commit(root, [write(root, FILE)], "one")
    run(root, "rm", "-q", FILE)
    run(root, "commit", "-q", "-m", "gone")
    assert git.find_in_branches(root, VERSION) == ()


def test_the_search_is_bounded(root):
    git.commit(root, [write(root, FILE)], "one")
    for n in range(git.FOUND_LIMIT + 5):
        run(root, "branch", f"b{n}")
    assert len(git.find_in_branches(root, VERSION)) == git.FOUND_LIMIT


# --- secrets


def test_tracked_secret_files(root):
    secret = [".env", ".env.local", ".env.staging.local", "supabase/.env"]
    for name in [*secret, ".env.example", ".env.staging", "docs/.env", "x.env", "supabase/x/.env"]:
        write(root, name)
    assert git.tracked_secret_files(root) == ()
    run(root, "add", "-f", ".")
    assert sorted(git.tracked_secret_files(root)) == sorted(secret)
    assert git.tracked_secret_files(root / "docs") == (".env",)
