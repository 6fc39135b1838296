"""git, in real repositories: what is committed, and what stays exactly as it was."""

import os
from pathlib import Path

import pytest

from sbsync_tasks import git, process
from sbsync_tasks.errors import ConfigError, MissingToolError, RefusedError, SbsyncError
from sbsync_tasks.git import commits
from tests.support.repository import FILE, hook, run, state, write

# --- the repository


def test_repository_is_the_top_level_of_a_monorepo(root):
    folder = root / "apps" / "db"
    folder.mkdir(parents=True)
    assert git.needed(folder).top == root
    assert git.needed(folder).prefix == "apps/db/"
    assert git.needed(root).top == root


def test_no_repository(tmp_path):
    assert git.find_repository(tmp_path) is None
    assert git.find_repository(tmp_path / "not there") is None
    assert git.dotenv_files(tmp_path) == ()
    with pytest.raises(ConfigError, match="not in a git repository"):
        git.needed(tmp_path)


def test_a_missing_git_is_a_missing_tool(root, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    with pytest.raises(MissingToolError):
        git.find_repository(root)


@pytest.mark.skipif(os.geteuid() != 0, reason="giving a folder to another user needs root")
def test_a_repository_of_another_user_is_explained(root):
    os.chown(root, 12345, 12345)
    with pytest.raises(ConfigError, match="another user") as caught:
        git.find_repository(root)
    assert "safe.directory" in caught.value.hint


def test_the_surrounding_hook_does_not_choose_the_repository(root, tmp_path, monkeypatch):
    other = tmp_path / "other"
    run(tmp_path, "init", "-q", str(other))
    file = write(root, FILE)
    with monkeypatch.context() as patch:
        patch.setenv("GIT_DIR", str(other / ".git"))
        patch.setenv("GIT_INDEX_FILE", str(other / ".git" / "index"))
        assert git.needed(root).top == root
        commits.commit(git.needed(root), [file], "one")
    assert run(root, "ls-tree", "-r", "--name-only", "HEAD").splitlines() == ["app.py", FILE]
    assert run(other, "rev-parse", "--verify", "-q", "HEAD", check=False) == ""


# --- a commit


def test_exactly_the_given_files_are_committed(busy):
    before = run(busy, "status", "--porcelain", "-uall")
    diffs = run(busy, "diff", "--cached"), run(busy, "diff")
    files = [write(busy, FILE), write(busy, "supabase/migrations/20260301120001_more.sql")]
    done = commits.commit(git.needed(busy), files, "Add migration for remote changes")

    assert done.commit == run(busy, "rev-parse", "--short", "HEAD")
    assert sorted(done.files) == sorted(str(f.relative_to(busy)) for f in files)
    assert done.rewritten == ()
    assert run(busy, "log", "-1", "--format=%B").strip() == "Add migration for remote changes"
    assert run(busy, "status", "--porcelain", "-uall") == before
    assert (run(busy, "diff", "--cached"), run(busy, "diff")) == diffs


def test_a_tracked_file_is_committed_as_it_stands_in_the_work_tree(busy):
    commits.commit(git.needed(busy), [write(busy, FILE)], "one")
    write(busy, FILE, "select 2;\n")
    run(busy, "add", FILE)
    write(busy, FILE, "select 3;\n")
    commits.commit(git.needed(busy), [Path(FILE)], "two")
    assert run(busy, "show", f"HEAD:{FILE}") == "select 3;"
    assert FILE not in run(busy, "status", "--porcelain", "-uall")


def test_nothing_to_commit_is_no_failure(busy):
    commits.commit(git.needed(busy), [write(busy, FILE)], "one")
    before = state(busy)
    assert commits.commit(git.needed(busy), [Path(FILE)], "two") == commits.Committed("", ())
    assert commits.commit(git.needed(busy), [], "none") == commits.Committed("", ())
    assert state(busy) == before


def test_a_staged_change_that_was_undone_in_the_work_tree_is_nothing_to_commit(root):
    commits.commit(git.needed(root), [write(root, FILE)], "one")
    write(root, FILE, "select 2;\n")
    run(root, "add", FILE)
    write(root, FILE)
    assert commits.commit(git.needed(root), [Path(FILE)], "two").commit == ""


def test_the_first_commit_of_all(unborn):
    write(unborn, "app.py")
    run(unborn, "add", "app.py")
    done = commits.commit(git.needed(unborn), [write(unborn, FILE)], "one")
    assert done.files == (FILE,)
    assert run(unborn, "ls-tree", "-r", "--name-only", "HEAD") == FILE
    assert run(unborn, "status", "--porcelain") == "A  app.py"


def test_a_project_inside_a_monorepo(busy):
    project = busy / "apps" / "the db"
    before = run(busy, "status", "--porcelain", "-uall")
    file = write(project, FILE)
    done = commits.commit(git.needed(project), [file], "one")
    assert done.files == (FILE,)
    assert run(busy, "show", "--format=", "--name-only", "HEAD") == f"apps/the db/{FILE}"
    assert run(busy, "status", "--porcelain", "-uall") == before


def test_a_file_name_is_no_pattern(root):
    named = write(root, "supabase/migrations/[ab]*.sql")
    other = write(root, "supabase/migrations/a1.sql")
    commits.commit(git.needed(root), [named, other], "one")
    for file in (named, other):
        write(root, str(file.relative_to(root)), "select 2;\n")
    run(root, "add", str(other))
    commits.commit(git.needed(root), [named], "two")
    assert run(root, "status", "--porcelain") == "M  supabase/migrations/a1.sql"


def test_a_message_is_no_option(root):
    commits.commit(git.needed(root), [write(root, FILE)], "--amend")
    assert run(root, "log", "-1", "--format=%s") == "--amend"


# --- hooks


@pytest.mark.parametrize("known", [False, True])
def test_a_refusing_hook_leaves_everything_as_it_was(busy, known):
    write(busy, FILE)
    if known:
        commits.commit(git.needed(busy), [Path(FILE)], "one")
        write(busy, FILE, "select 2;\n")
    hook(busy, "pre-commit", "echo no semicolon in line 7 >&2; exit 1")
    before = state(busy)
    with pytest.raises(SbsyncError, match="no semicolon in line 7"):
        commits.commit(git.needed(busy), [Path(FILE)], "two")
    assert state(busy) == before


def test_a_refusing_hook_on_an_unborn_branch(unborn):
    file = write(unborn, FILE)
    hook(unborn, "commit-msg", "echo no ticket; exit 1")
    before = state(unborn)
    with pytest.raises(SbsyncError, match="no ticket"):
        commits.commit(git.needed(unborn), [file], "one")
    assert state(unborn) == before


def test_only_the_last_lines_of_a_hook_are_told(root):
    hook(root, "pre-commit", "seq 1000 1099 >&2; exit 1")
    with pytest.raises(SbsyncError) as caught:
        commits.commit(git.needed(root), [write(root, FILE)], "one")
    assert "1099" in caught.value.message
    assert "1000" not in caught.value.message


def test_a_hook_of_core_hooks_path_is_run(root):
    run(root, "config", "core.hooksPath", "my hooks")
    hook(root, "pre-commit", "echo from the other folder; exit 1", folder="my hooks")
    with pytest.raises(SbsyncError, match="from the other folder"):
        commits.commit(git.needed(root), [write(root, FILE)], "one")


def test_a_hook_that_formats_and_stages(busy):
    """Its text is committed and the index has it too: no staged step back is left behind."""
    before = run(busy, "status", "--porcelain", "-uall")
    hook(busy, "pre-commit", f"echo 'select 1; -- neat' > {FILE}; git add {FILE}")
    done = commits.commit(git.needed(busy), [write(busy, FILE)], "one")
    assert run(busy, "show", f"HEAD:{FILE}") == "select 1; -- neat"
    assert run(busy, "status", "--porcelain", "-uall") == before
    assert done.rewritten == (FILE,)


def test_a_hook_that_formats_and_refuses(busy):
    hook(busy, "pre-commit", f"echo 'select 1; -- neat' > {FILE}; exit 1")
    file = write(busy, FILE)
    before = state(busy)
    with pytest.raises(SbsyncError) as caught:
        commits.commit(git.needed(busy), [file], "one")
    assert f"A hook changed {FILE}" in caught.value.hint
    assert state(busy)[:3] == before[:3]


@pytest.mark.parametrize("does", ["rm", "git rm --quiet --cached --force"])
def test_a_hook_that_takes_a_file_out_of_the_commit(root, does):
    file = write(root, FILE)
    hook(root, "pre-commit", f"{does} {FILE}; git add --update; echo x > other.txt; git add other.txt")
    with pytest.raises(SbsyncError, match=f"does not have {Path(FILE).name}: a hook has taken that out") as caught:
        commits.commit(git.needed(root), [file], "m")
    assert "`invoke resolve` brings back" in caught.value.hint
    assert FILE not in run(root, "ls-tree", "-r", "--name-only", "HEAD").splitlines()


def test_what_a_hook_adds_is_told(root):
    hook(root, "pre-commit", "echo x > schema.txt; git add schema.txt")
    assert commits.commit(git.needed(root), [write(root, FILE)], "one").files == ("schema.txt", FILE)


def test_hooks_see_no_secret(root, monkeypatch):
    secrets = {
        "PGPASSWORD": "hush", "SUPABASE_DB_PASSWORD": "hush", "SBSYNC_LOCAL": "hush",
        "AWS_SECRET_ACCESS_KEY": "hush", "SUPABASE_ACCESS_TOKEN": "hush",
    }  # fmt: skip
    for key, value in {**secrets, "SSH_AUTH_SOCK": "sock", "LC_TIME": "C"}.items():
        monkeypatch.setenv(key, value)
    hook(root, "pre-commit", 'env > "$HOME/seen"')
    commits.commit(git.needed(root), [write(root, FILE)], "one")
    seen = (Path(os.environ["HOME"]) / "seen").read_text(encoding="utf-8")
    assert "hush" not in seen
    assert {"SSH_AUTH_SOCK=sock", "LC_TIME=C", "GIT_TERMINAL_PROMPT=0"} <= set(seen.splitlines())


def test_a_signature_that_cannot_be_made_is_explained(busy):
    run(busy, "config", "commit.gpgsign", "true")
    run(busy, "config", "gpg.program", "no-such-gpg")
    file = write(busy, FILE)
    before = state(busy)
    with pytest.raises(SbsyncError, match="no-such-gpg") as caught:
        commits.commit(git.needed(busy), [file], "one")
    assert "commit.gpgsign" in caught.value.hint
    assert state(busy) == before


def test_a_locked_index_changes_nothing(busy):
    file = write(busy, FILE)
    before = state(busy)
    write(busy, ".git/index.lock", "")
    with pytest.raises(SbsyncError, match=r"index\.lock"):
        commits.commit(git.needed(busy), [file], "one")
    (busy / ".git" / "index.lock").unlink()
    assert state(busy) == before


@pytest.mark.parametrize("name", ["pre-commit", "post-commit"])
def test_an_interruption_leaves_the_index_whole(busy, name):
    """Before the commit all is as it was; after it the file stands in HEAD and in the index."""
    before = run(busy, "status", "--porcelain", "-uall")
    file = write(busy, FILE)
    hook(busy, name, f"kill -INT {os.getpid()}; sleep 30")
    with pytest.raises(KeyboardInterrupt):
        commits.commit(git.needed(busy), [file], "one")
    assert not list((busy / ".git").glob("*.lock"))
    left = run(busy, "status", "--porcelain", "-uall").splitlines()
    assert left == before.splitlines() + ([f"?? {FILE}"] if name == "pre-commit" else [])


# --- ready or not


def test_ready(root):
    assert commits.check_ready(git.needed(root)) == ()


def test_ready_on_an_unborn_branch(unborn):
    assert commits.check_ready(git.needed(unborn)) == ()


def test_a_detached_head_is_only_warned_of(root):
    run(root, "switch", "-q", "--detach")
    (warning,) = commits.check_ready(git.needed(root))
    assert "detached" in warning


def conflict(root):
    """Two branches that changed the same line; main is checked out."""
    run(root, "switch", "-q", "-c", "side")
    write(root, "app.py", "side\n")
    run(root, "commit", "-q", "-am", "side")
    run(root, "switch", "-q", "main")
    write(root, "app.py", "main\n")
    run(root, "commit", "-q", "-am", "main")


@pytest.mark.parametrize("what", ["merge", "rebase", "cherry-pick"])
def test_nothing_is_committed_in_the_middle_of(root, what):
    conflict(root)
    run(root, what, "side", check=False)
    write(root, "app.py", "solved\n")
    run(root, "add", "app.py")
    file = write(root, FILE)
    before = state(root)
    for call in (
        lambda: commits.check_ready(git.needed(root)),
        lambda: commits.commit(git.needed(root), [file], "one"),
    ):
        with pytest.raises(RefusedError, match=f"{what} is in progress") as caught:
            call()
        assert f"git {what} --abort" in caught.value.hint
    assert state(root) == before
    run(root, what, "--abort")
    assert commits.check_ready(git.needed(root)) == ()


def test_nothing_is_committed_in_the_middle_of_a_revert(root):
    conflict(root)
    run(root, "revert", "--no-commit", "HEAD")
    with pytest.raises(RefusedError, match="revert is in progress"):
        commits.check_ready(git.needed(root))


def test_a_merge_in_a_linked_work_tree(root, tmp_path):
    conflict(root)
    linked = tmp_path / "linked"
    run(root, "worktree", "add", "-q", "-b", "third", str(linked), "main")
    run(linked, "merge", "side", check=False)
    assert commits.check_ready(git.needed(root)) == ()
    with pytest.raises(RefusedError, match="merge"):
        commits.check_ready(git.needed(linked))


@pytest.mark.parametrize("key", ["user.name", "user.email"])
def test_without_an_identity(root, key):
    run(root, "config", "--unset", key)
    run(root, "config", "user.useConfigOnly", "true")
    with pytest.raises(ConfigError, match=r"user\.name or user\.email"):
        commits.check_ready(git.needed(root))


@pytest.mark.parametrize("rule", ["*.sql", "supabase/", "migrations"])
def test_ignored_migrations(root, rule):
    write(root, ".gitignore", f"# mine\n{rule}\n")
    with pytest.raises(ConfigError, match=r"\.gitignore:2:"):
        commits.check_ready(git.needed(root))


def test_migrations_taken_out_of_an_ignore_rule(root):
    write(root, ".gitignore", "*.sql\n!supabase/migrations/*.sql\n")
    assert commits.check_ready(git.needed(root)) == ()
    assert commits.commit(git.needed(root), [write(root, FILE)], "one").files == (FILE,)


def test_one_ignored_file_is_refused_with_what_git_says(root):
    write(root, ".gitignore", "*_invoices.sql\n")
    file = write(root, FILE)
    more = write(root, "supabase/migrations/20260301120001_more.sql")
    before = state(root)
    with pytest.raises(SbsyncError, match="ignored"):
        commits.commit(git.needed(root), [more, file], "one")
    assert state(root) == before


def test_a_run_asks_twelve_times_at_most(root, monkeypatch):
    """The repository and the files looked at, readiness, and a commit: all that a scenario does."""
    started, start = [], process.subprocess.Popen
    monkeypatch.setattr(process.subprocess, "Popen", lambda argv, **kw: (started.append(argv[3]), start(argv, **kw))[1])
    repository = git.needed(root)
    file = write(root, FILE)
    assert repository.look().lacking([file]) == (file,)
    assert commits.check_ready(repository) == ()
    commits.commit(repository, [file], "one")
    assert len(started) <= 12, started
