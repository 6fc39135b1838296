"""git, in real repositories: what git has and has not, here and on other branches."""

import os

import pytest

from sbsync_tasks import git, process
from sbsync_tasks.errors import SbsyncError
from sbsync_tasks.git import commits, earlier_texts
from sbsync_tasks.state.migrations import Migration
from tests.support.repository import FILE, VERSION, hook, run, state, write

# --- what git does not have


def test_untracked_or_modified(root):
    same, changed, staged, fresh = files = [
        write(root, f"supabase/migrations/2026030112000{n}_x.sql") for n in range(4)
    ]
    commits.commit(git.needed(root), [same, changed], "two of them")
    write(root, str(changed.relative_to(root)), "select 2;\n")
    run(root, "add", str(staged))
    assert git.needed(root).look().lacking(files) == (changed, staged, fresh)
    assert git.needed(root).look().lacking([p.relative_to(root) for p in files[2:]]) == (
        staged.relative_to(root), fresh.relative_to(root),
    )  # fmt: skip
    same.unlink()
    assert git.needed(root).look().lacking([same]) == (same,)
    assert git.needed(root).look().lacking([]) == ()


def test_an_ignored_file_is_one_that_git_does_not_have(root):
    write(root, ".gitignore", "*.sql\n")
    file = write(root, FILE)
    assert git.needed(root).look().lacking([file]) == (file,)


def test_on_an_unborn_branch_git_has_nothing(unborn):
    file = write(unborn, FILE)
    run(unborn, "add", FILE)
    assert git.needed(unborn).look().lacking([file]) == (file,)


def test_in_a_monorepo_the_same_name_elsewhere_does_not_count(root):
    commits.commit(git.needed(root), [write(root, FILE)], "the other project's")
    project = root / "apps" / "db"
    file = write(project, FILE)
    assert git.needed(project).look().lacking([file]) == (file,)


def test_a_touched_file_is_not_a_modified_one(root):
    file = write(root, FILE)
    commits.commit(git.needed(root), [file], "one")
    os.utime(file, (1, 1))
    assert git.needed(root).look().lacking([file]) == ()


def test_line_ends_that_git_converts_are_no_change(root):
    write(root, ".gitattributes", "*.sql text\n")
    file = write(root, FILE, "select 1;\n")
    commits.commit(git.needed(root), [file], "one")
    file.write_bytes(b"select 1;\r\n")
    assert git.needed(root).look().lacking([file]) == ()


# --- earlier texts


def earlier(root, *versions):
    return earlier_texts(git.needed(root), versions)


def test_a_version_is_found_on_other_branches(root, tmp_path):
    run(root, "switch", "-q", "-c", "feature/billing")
    write(root, FILE)
    run(root, "add", FILE)
    author = ("--author", "Bob Other <b@example.org>", "--date", "2026-03-01T12:00:00Z")
    run(root, "commit", "-q", "-m", "x", *author)
    clone = tmp_path / "clone"
    run(tmp_path, "clone", "-q", str(root), str(clone))
    run(clone, "checkout", "-q", "--detach", "origin/main")
    run(clone, "branch", "-q", "-D", "feature/billing")
    run(root, "switch", "-q", "main")

    text = Migration(VERSION, "invoices", "select 1;\n")
    for where, branch in ((root, "feature/billing"), (clone, "origin/feature/billing")):
        assert earlier(where, VERSION) == {VERSION: {text: f"branch {branch} (Bob Other, 2026-03-01)"}}
    assert earlier(root, VERSION[:-1]) == {VERSION[:-1]: {}}
    assert earlier(root) == {}


def test_all_earlier_texts_are_found_the_newest_first(root, monkeypatch):
    """Edited, renamed, deleted, and merged from a branch that is gone: git still has it."""
    run(root, "switch", "-q", "-c", "short")
    for text in ("select 1;\n", "select 2;\n"):
        commits.commit(git.needed(root), [write(root, FILE, text)], "one")
        monkeypatch.setenv("GIT_COMMITTER_DATE", "2030-01-01T00:00:00Z")
    run(root, "mv", FILE, FILE.replace("invoices", "bills"))
    run(root, "commit", "-q", "-m", "renamed")
    run(root, "rm", "-q", FILE.replace("invoices", "bills"))
    run(root, "commit", "-q", "-m", "gone")
    run(root, "switch", "-q", "main")
    run(root, "merge", "-q", "--no-ff", "-m", "merge", "short")
    run(root, "branch", "-q", "-d", "short")
    found = earlier(root, VERSION)[VERSION]
    assert all(where.startswith("branch main (") for where in found.values())
    assert [(file.name, file.sql) for file in found] == [
        ("bills", "select 2;\n"), ("invoices", "select 2;\n"), ("invoices", "select 1;\n"),
    ]  # fmt: skip


def test_a_version_is_looked_for_in_the_own_project_of_a_monorepo(root):
    commits.commit(git.needed(root), [write(root, FILE)], "the other project's")
    project = root / "apps" / "db"
    assert earlier(root, VERSION)[VERSION]
    own = write(project, "supabase/migrations/20260401000000_own.sql")
    commits.commit(git.needed(project), [own], "own")
    found = earlier(project, VERSION, "20260401000000")
    assert found[VERSION] == {}
    assert ["(Ada Example, " in where for where in found["20260401000000"].values()] == [True]


@pytest.mark.parametrize(("data", "text"), [(b"-- \xc3\xbc\r\n", "-- ü\r\n"), (b"-- \xff", None), (b"", "")])
def test_a_text_is_what_git_has_byte_by_byte(root, data, text):
    write(root, FILE).write_bytes(data)
    run(root, "-c", "core.autocrlf=false", "add", FILE)
    run(root, "commit", "-q", "-m", "x")
    assert [file.sql for file in earlier(root, VERSION)[VERSION]] == ([] if text is None else [text])


def test_many_versions_and_branches_cost_two_processes(root, monkeypatch):
    versions = [f"202603011200{n:02}" for n in range(30)]
    for version in versions:
        write(root, f"supabase/migrations/{version}_x.sql", f"select {version};")
    run(root, "add", ".")
    run(root, "commit", "-q", "-m", "all")
    for n in range(20):
        run(root, "branch", f"b{n}")
    repository, started = git.needed(root), []
    start = process.subprocess.Popen
    monkeypatch.setattr(process.subprocess, "Popen", lambda argv, **kw: (started.append(argv), start(argv, **kw))[1])
    assert all(len(found) == 1 for found in earlier_texts(repository, versions).values())
    assert len(started) == 2


# --- what was renamed


def test_the_old_name_of_a_renamed_file_is_what_head_has_with_the_same_text(root):
    old, other = write(root, FILE), write(root, FILE.replace("invoices", "other"), "select 2;\n")
    run(root, "add", ".")
    run(root, "commit", "-q", "-m", "two migrations")
    new = old.with_name("20990101000000_invoices.sql")
    old.rename(new)
    other.unlink()  # deleted, and nowhere under another name
    assert git.needed(root).look().renamed_away([new]) == (old,)
    assert git.needed(root).look().renamed_away([]) == ()
    commits.commit(git.needed(root), [new, *git.needed(root).look().renamed_away([new])], "rename")
    assert run(root, "show", "--name-status", "--format=", "-M", "HEAD").split()[0] == "R100"
    assert run(root, "status", "--short") == f" D {other.relative_to(root)}"
    assert git.needed(root).look().renamed_away([new]) == ()


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
    files = [new, *git.needed(root).look().renamed_away([new])]
    assert files == [new, old]
    if refused:
        hook(root, "pre-commit", "exit 1")
        before = state(root)
        with pytest.raises(SbsyncError, match="did not commit"):
            commits.commit(git.needed(root), files, "rename")
        assert state(root) == before
        return
    commits.commit(git.needed(root), files, "rename")
    assert run(root, "show", "--name-status", "--format=", "-M", "HEAD").split()[0] == "R100"
    assert run(root, "status", "--short") == "M  notes.txt"


# --- secrets


def test_tracked_secret_files(root):
    secret, others = [".env", ".env.local", ".env.staging.local", "supabase/.env"], [".env.example", ".env.staging"]
    for name in [*secret, *others, "docs/.env", "x.env", "supabase/x/.env"]:
        write(root, name)
    assert git.dotenv_files(root) == ()
    run(root, "add", "-f", ".")
    assert sorted(git.dotenv_files(root)) == sorted([*secret, *others])
    assert [*filter(git.SECRET_FILE.fullmatch, sorted(git.dotenv_files(root)))] == sorted(secret)
    assert git.dotenv_files(root / "docs") == (".env",)
