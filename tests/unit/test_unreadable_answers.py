"""What an empty, cut or unreadable answer of a program leads to: an error, never "nothing to do".

The CLI's answers are in supabase_cli/test_answers.py. Each program here is a fake one that ends with 0.
"""

import json
import os
import shutil
import subprocess
from dataclasses import asdict
from pathlib import Path

import pytest

from sbsync_tasks import backups as layout
from sbsync_tasks import folders, git
from sbsync_tasks.backups import Backup, Manifest, check
from sbsync_tasks.checkup import Subject, examine
from sbsync_tasks.console import Console
from sbsync_tasks.databases import database
from sbsync_tasks.databases.containers import Recipe
from sbsync_tasks.databases.embedded import base, binaries, server
from sbsync_tasks.databases.embedded.base import _directories
from sbsync_tasks.databases.stack import Docker
from sbsync_tasks.endpoint import Endpoint
from sbsync_tasks.errors import MissingToolError, SbsyncError
from sbsync_tasks.generate.facts import Archive
from sbsync_tasks.git import commits, earlier_texts
from sbsync_tasks.redaction import Redactor
from sbsync_tasks.state.histories import Recorded
from sbsync_tasks.state.migrations import Migration
from sbsync_tasks.supabase_cli import CliError, Pushed
from sbsync_tasks.supabase_cli.binary import npm_install
from tests.support.repository import run, write

REAL_GIT = shutil.which("git")
FILE = "supabase/migrations/20260101000000_a.sql"


def program(folder: Path, name: str, script: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


# --- git ---


@pytest.fixture
def repository(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    root = tmp_path / "project"
    root.mkdir()
    run(root, "init", "-q", "-b", "main")
    run(root, "config", "user.name", "Ada Example")
    run(root, "config", "user.email", "ada@example.org")
    write(root, FILE, "select 1;\n")
    run(root, "add", ".")
    run(root, "commit", "-q", "-m", "first")
    write(root, FILE, "select 2;\n")
    return root


def fake_git(tmp_path, monkeypatch, word, prints):
    """The real git, but for one command."""
    script = f'case " $* " in *" {word} "*) printf "{prints}"; exit 0;; esac\nexec {REAL_GIT} "$@"'
    folder = program(tmp_path / "bin", "git", script).parent
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.parametrize(
    ("word", "prints"),
    [
        ("--show-toplevel", ""),
        ("--show-toplevel", "/somewhere"),
        ("hash-object", ""),
        ("ls-tree", "100644 blob"),
        ("ls-tree", "100644 blob 0123\\tsupabase"),
        ("--name-only", ""),
    ],
)
def test_git_when_something_is_to_be_committed(repository, tmp_path, monkeypatch, word, prints):
    fake_git(tmp_path, monkeypatch, word, prints)
    with pytest.raises(SbsyncError, match=r"its answer to `git .*` cannot be read"):
        commits.commit(git.needed(repository), [repository / FILE], "m")


def test_a_commit_that_lists_no_file_of_head_is_still_to_do(repository, tmp_path, monkeypatch):
    fake_git(tmp_path, monkeypatch, "ls-tree", "")
    assert git.needed(repository).look().lacking([repository / FILE]) == (repository / FILE,)


@pytest.mark.parametrize("prints", ["", ".gitignore\\0001", ".gitignore\\0001\\000*.sql\\000"])
def test_a_file_that_git_ignores_by_a_rule_that_is_cut(repository, tmp_path, monkeypatch, prints):
    fake_git(tmp_path, monkeypatch, "check-ignore", prints)
    with pytest.raises(SbsyncError, match=r"its answer to `git check-ignore` cannot be read"):
        commits.check_ready(git.needed(repository), [repository / FILE])


@pytest.mark.parametrize(
    ("word", "prints"),
    [
        ("--all", ":100644 100644"),
        ("--all", "\\001refs/heads/main\\002A\\0022026-01-01\\000:1 2"),
        ("--batch", ""),
        ("--batch", "1 blob 2"),
    ],
)
def test_earlier_texts_that_are_cut(repository, tmp_path, monkeypatch, word, prints):
    fake_git(tmp_path, monkeypatch, word, prints)
    with pytest.raises(SbsyncError, match=r"its answer to `git .*` cannot be read"):
        earlier_texts(git.needed(repository), ["20260101000000"])


def test_a_repository_that_git_cannot_read_is_not_taken_for_none(repository):
    (repository / ".git" / "config").write_text("[core\n")
    with pytest.raises(SbsyncError, match="git cannot work in"):
        git.find_repository(repository)


# --- docker ---

WHOLE = {"Image": "sha256:1", "State": {"Running": True}, "NetworkSettings": {"Ports": {}}}


def docker(tmp_path, monkeypatch, prints, said="", code=0):
    script = f"cat <<'EOF'\n{prints}\nEOF\ncat >&2 <<'EOF'\n{said}\nEOF\nexit {code}"
    folder = program(tmp_path / "bin", "docker", script).parent
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return Docker()


@pytest.mark.parametrize(
    "prints",
    [
        "", "[]", "[", "{}", "[{}]", "[1]", json.dumps([WHOLE])[:-5],
        *(json.dumps([{k: v for k, v in WHOLE.items() if k != gone}]) for gone in WHOLE),
    ],
)  # fmt: skip
def test_docker_that_says_nothing_of_a_container(tmp_path, monkeypatch, prints):
    with pytest.raises(SbsyncError, match="its answer cannot be read"):
        docker(tmp_path, monkeypatch, prints).container("x")


def test_a_container_that_is_not_there_and_an_engine_that_is_not(tmp_path, monkeypatch):
    assert docker(tmp_path, monkeypatch, "[]", "Error: No such container: x", 1).container("x") is None
    with pytest.raises(SbsyncError, match="Cannot connect"):
        docker(tmp_path, monkeypatch, "[]", "Cannot connect to the Docker daemon", 1).container("x")
    assert docker(tmp_path, monkeypatch, json.dumps([WHOLE])).container("x") == WHOLE


def test_an_engine_without_a_version_is_none(tmp_path, monkeypatch):
    assert docker(tmp_path, monkeypatch, "").missing == "docker did not answer"


@pytest.mark.parametrize("text", ["", "[]", "1", "{", '{"base": "k"}', '{"base": "k", "image": "i", "entrypoint": 1}'])
def test_a_recipe_of_ours_that_is_cut_is_made_anew(tmp_path, text):
    (tmp_path / "recipe.json").write_text(text)
    assert Recipe.read(tmp_path / "recipe.json", "k") is None


# --- PostgreSQL's programs ---


@pytest.mark.parametrize("prints", ["", "/usr/share\\n", "/usr/share\\n/usr/lib\\n\\n", "a\\nb\\nc\\n"])
def test_pg_config_that_names_no_folders(tmp_path, prints):
    program(tmp_path / "bin", "pg_config", f"printf '{prints}'")
    with pytest.raises(MissingToolError, match="cannot be read"):
        _directories(tmp_path / "bin")


@pytest.fixture
def backup(tmp_path):
    """A backup whose files are whole, by the manifest."""
    folder = tmp_path / "backup"
    folder.mkdir()
    (folder / layout.SCHEMA).write_text("an archive")
    (folder / layout.ROLES).write_text("--\n-- PostgreSQL database cluster dump complete\n--\n")
    (folder / layout.HISTORY).write_text("[]\n")

    def made(listing="; Archive created at 2026-01-01"):
        program(tmp_path / "tools", "pg_restore", f"printf '{listing}'")
        files = tuple(layout.describe(path) for path in sorted(folder.iterdir()) if path.name != layout.MANIFEST)
        manifest = Manifest(
            format=layout.FORMAT, created_at="2026-01-01", label="x", reason="y", server_version="17", database="d",
            system_identifier="1", tools="t", whole=False, tables=(), left_out=(), files=files,
        )  # fmt: skip
        layout.write_json(folder / layout.MANIFEST, asdict(manifest))
        return Backup(folder, manifest, tmp_path / "tools")

    return made


def test_a_backup_is_whole(backup):
    check(backup())


def test_pg_restore_that_lists_nothing(backup):
    with pytest.raises(SbsyncError, match="pg_restore gave no list"):
        check(backup(""))


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (layout.ROLES, "", "is cut off"),
        (layout.ROLES, "create role a;\n", "is cut off"),
        (layout.HISTORY, "", "is no JSON"),
        (layout.HISTORY, "[{", "is no JSON"),
        (layout.HISTORY, "{}", "is no list of rows"),
    ],
)
def test_what_pg_dumpall_and_we_ourselves_wrote_is_cut(backup, name, text, said):
    (backup().path / name).write_text(text)
    with pytest.raises(SbsyncError, match=said):
        check(backup())


@pytest.mark.parametrize("prints", ["", "psql", "psql (PostgreSQL) "])
def test_a_server_without_a_version_is_no_server(tmp_path, monkeypatch, prints):
    for name in (*binaries.SERVER_PROGRAMS, "psql"):
        program(tmp_path / "bin", name, f"printf '{prints}'")
    monkeypatch.setattr(binaries, "_places", lambda _override: iter([("here", tmp_path / "bin")]))
    with pytest.raises(MissingToolError, match="No PostgreSQL server was found"):
        binaries.find_binaries(None)


def test_pg_restore_that_lists_nothing_of_what_pg_dump_has_written(tmp_path):
    for name in ("pg_dump", "pg_restore"):
        program(tmp_path / "bin", name, "exit 0")
    with pytest.raises(SbsyncError, match="gave no list"):
        Archive(lambda: tmp_path / "bin", TARGET).statements([(1, 2)])


def test_initdb_that_makes_nothing(tmp_path, monkeypatch):
    program(tmp_path / "bin", "initdb", "exit 0")
    monkeypatch.setattr(base.server, "run", lambda argv: subprocess.run(argv, check=True) and "")
    with pytest.raises(SbsyncError, match="initdb ended without an error, and made no database cluster"):
        base._initdb(tmp_path / "bin", tmp_path)


# --- the system's own ---


@pytest.mark.parametrize("script", ["exit 0", 'for last; do :; done; mkdir "$last"'])
def test_cp_that_copies_nothing_or_a_part(tmp_path, monkeypatch, script):
    folder = program(tmp_path / "bin", "cp", script).parent
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    (source / "file").write_text("text")
    folders.seal(source)
    with pytest.raises(SbsyncError, match="could not be copied: cp gave no reason"):
        folders.copy_tree(source, target)
    assert not target.exists()


@pytest.mark.parametrize("prints", ["", "/usr/bin/postgres -D /half/of"])
def test_ps_that_says_nothing_of_a_process_is_not_taken_for_its_end(tmp_path, monkeypatch, prints):
    """As where there is no /proc: a server that is up would be left running, and called stopped."""
    monkeypatch.setattr(server, "PROC", tmp_path / "none")
    monkeypatch.setattr(server, "PS", str(program(tmp_path / "bin", "ps", f"printf '{prints}'")))
    (tmp_path / "postmaster.pid").write_text(f"{os.getpid()}\n")
    with pytest.raises(SbsyncError, match="says nothing of process"):
        server.stop(tmp_path)
    (tmp_path / "postmaster.pid").write_text(f"{server.NOBODYS_PID}\n")
    server.stop(tmp_path)  # there is no such process


@pytest.mark.parametrize("check", [examine.node, examine.git])
@pytest.mark.parametrize("prints", ["", "unknown"])
def test_a_program_without_a_version_is_no_tick_of_doctor(repository, tmp_path, monkeypatch, check, prints):
    program(tmp_path / "bin", "npm", "exit 0")
    program(tmp_path / "bin", "node", f"printf '{prints}'")
    fake_git(tmp_path, monkeypatch, "--version", prints)
    found = list(check(Subject(repository, Console(Redactor()), SbsyncError("No settings."))))
    assert [line.level for line in found] == ["warning"]
    assert "--version gives no version" in found[0].what


def test_npm_that_installs_nothing(tmp_path, monkeypatch):
    folder = program(tmp_path / "bin", "npm", "exit 0").parent
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(SbsyncError, match="npm could not install x@1"):
        folders.make_once(tmp_path / "target", lambda half: npm_install("x@1", half, "node_modules/x"))
    assert not (tmp_path / "target").exists()


# --- a push that says that all is well ---

TARGET = Endpoint("127.0.0.1", 1, "d", "u", "p")
SENT = (Migration("1", "a", "select 1;\n"), Migration("2", "b", "select 2;\n"))
ROWS = {m.version: Recorded(m.version, m.name, (m.sql.strip(";\n"),)) for m in SENT}


@pytest.mark.parametrize(
    "history",
    [{}, {"1": ROWS["1"]}, {**ROWS, "2": Recorded("2", "b", ("select 3",))}, {**ROWS, "2": Recorded("2", "b", ())}],
)
def test_what_is_not_recorded_was_not_pushed(mocker, history):
    mocker.patch.object(database, "connection_to")
    read = mocker.patch.object(database.histories, "read", return_value=ROWS)
    database.read_back(TARGET, "x", SENT)
    read.return_value = history
    with pytest.raises(CliError, match=r"x has not recorded .*2_b.sql as it was sent"):
        database.read_back(TARGET, "x", SENT)


@pytest.mark.parametrize(("expected", "culprit"), [(SENT[1:], "2_b.sql"), ((), "a seed file")])
def test_what_a_push_takes_out_of_the_history_is_missed(mocker, expected, culprit):
    mocker.patch.object(database, "connection_to")
    mocker.patch.object(database.histories, "read", return_value={"2": ROWS["2"]})
    with pytest.raises(CliError, match=r"x no longer has 1_a.sql in its history") as caught:
        database.read_back(TARGET, "x", expected, SENT)
    assert f"A statement in {culprit}, or" in caught.value.hint


def test_every_push_by_the_cli_is_read_back():
    """Whatever wants it, shadows, the local database, the remote or the demo: one function pushes and reads back."""
    package = Path(git.__file__).parents[1]
    texts = {p.relative_to(package).as_posix(): p.read_text(encoding="utf-8") for p in package.rglob("*.py")}
    assert [name for name, text in texts.items() if "cli.push(" in text] == ["databases/database.py"]


def test_what_is_read_back_is_what_was_expected(mocker):
    mocker.patch.object(database, "connection_to")
    read = mocker.patch.object(
        database.histories, "read", return_value={**ROWS, "2": Recorded("2", "b", ("select 3",))}
    )
    cli = mocker.Mock(push=mocker.Mock(return_value=Pushed(("1_a.sql", "2_b.sql"), ())))
    database.push(cli, TARGET, "x", SENT, SENT[:1])
    # Of what is there already the CLI gets the name, and nothing that it could run.
    assert [m.file_name for m in cli.push.call_args[0][1]] == ["1_a.sql", "2_b.sql"]
    assert [m.sql for m in cli.push.call_args[0][1]] == [SENT[0].sql, database.RECORDED]
    with pytest.raises(CliError, match=r"x has not recorded 2_b.sql"):
        database.push(cli, TARGET, "x", SENT, SENT)
    read.return_value = {"1": ROWS["1"]}
    with pytest.raises(CliError, match=r"x no longer has 2_b.sql"):
        database.push(cli, TARGET, "x", SENT, SENT[:1])
