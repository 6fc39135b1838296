"""Files, histories and bodies with `CR LF` and byte order marks: kept as they are, and never in the way."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.project import Project

# As a colleague on Windows writes them, after a public report.
BOM = (
    b"\xef\xbb\xbfcreate table public.bom (id int primary key);\r\n"
    b"alter table public.bom enable row level security;\r\n"
)
CRLF = (
    b"create function public.win() returns text language sql as $$\r\n  select 'a\r\nb'::text;\r\n$$;\r\n"
    b"-- a comment; with a semicolon\r\ncomment on table public.bom is 'it; has\r\nlines';\r\n"
)
FILES = {"20990101000000_bom.sql": BOM, "20990102000000_crlf.sql": CRLF}
BODY = "select prosrc from pg_proc where proname = 'win'"


def files(project: Project) -> dict[str, bytes]:
    folder = project.root / "supabase" / "migrations"
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.sql"))}


def nothing_changes(project: Project, *, line_ends: bool) -> None:
    """`status` and both scenarios find the project in sync, and write nothing."""
    before, seen = project.snapshot(), files(project)
    status = project.task("status", "--json", "--exit-code")
    assert status.code == 0, status.text
    assert {row["state"] for row in status.data["versions"]} == {"applied"}
    nothing = {"differences": [], "exposed": [], "unrecorded_files": []}
    assert (status.data["local_changes"], status.data["remote_changes"]) == (nothing, nothing)
    for direction in ("local-to-remote", "remote-to-local"):
        done = project.sync(direction, "--json")
        assert (done.data["plan"], done.data["proof"]["in_sync"]) == ([], True)
        assert bool(done.data["proof"]["line_ends"]) is line_ends
    assert (project.snapshot(), files(project)) == (before, seen)


@pytest.fixture
def pushed(project: Project) -> Project:
    """A colleague has pushed such files with the plain CLI, and committed them."""
    return by_a_colleague(project)


def by_a_colleague(project: Project) -> Project:
    for name, text in FILES.items():
        (project.root / "supabase" / "migrations" / name).write_bytes(text)
    project.commit_all("From Windows")
    done = project.supabase("db", "push", "--yes")
    assert done.code == 0, done.text
    assert project.remote.value(BODY).count("\r\n") == 3
    return project


def takes_over(project: Project) -> None:
    """What the remote has reaches the local database with its line ends, and the files keep theirs."""
    project.sync("remote-to-local", "--json")
    assert {name: text for name, text in files(project).items() if name in FILES} == FILES
    assert project.local.history() == project.remote.history()
    assert project.local.catalog() == project.remote.catalog()
    nothing_changes(project, line_ends=False)


def with_lf(project: Project) -> None:
    for name, text in FILES.items():
        (project.root / "supabase" / "migrations" / name).write_bytes(text.replace(b"\r\n", b"\n"))


def is_checked_out_with_lf(project: Project) -> None:
    """Git has changed the line ends of the files; then the local database is rebuilt from these."""
    with_lf(project)
    nothing_changes(project, line_ends=False)
    done = project.task("reset", "--yes")
    assert done.code == 0, done.text
    assert "\r" not in project.local.value(BODY)
    assert "\r" in project.remote.value(BODY)
    nothing_changes(project, line_ends=True)
    told = project.sync("local-to-remote")
    assert "the same but for its line ends (CR LF against LF): function public.win()" in told.text


@pytest.mark.matrix
def test_files_that_a_colleague_on_windows_has_pushed(pushed: Project) -> None:
    done = pushed.sync("remote-to-local", "--json")
    assert done.data["proof"]["in_sync"] is True
    assert {name: text for name, text in files(pushed).items() if name in FILES} == FILES
    assert pushed.local.history() == pushed.remote.history()
    assert pushed.local.catalog() == pushed.remote.catalog()
    with_lf(pushed)
    status = pushed.task("status", "--json", "--exit-code")
    assert status.code == 0, status.text


@pytest.mark.matrix
@pytest.mark.parametrize("version", ["3.1.0", "2.122.1", "2.115.0", "3.0.0"])
def test_nothing_is_in_the_way_with_any_release(
    synced: Project, cli: Callable[[str], Path], tmp_path: Path, version: str
) -> None:
    copied = synced.copy_to(tmp_path / "project")
    copied.cli = cli(version)
    try:
        takes_over(by_a_colleague(copied))
        is_checked_out_with_lf(copied)
    finally:
        copied.remove_databases()


@pytest.mark.matrix
def test_a_checkout_by_git_that_turns_lf_into_crlf(project: Project) -> None:
    """`core.autocrlf=true`: every file changes under the databases' feet, and none is edited."""
    project.local.run("create function public.unix() returns text language sql as $$\n  select 'a\nb'::text;\n$$")
    project.sync("local-to-remote", "--commit")
    before = files(project)
    project.git("config", "core.autocrlf", "true")
    project.git("rm", "--quiet", "-r", "--cached", "supabase/migrations")
    project.git("reset", "--quiet", "--hard")
    assert all(b"\r\n" in text for text in files(project).values()), before
    nothing_changes(project, line_ends=False)
    assert project.task("reset", "--yes").code == 0
    nothing_changes(project, line_ends=True)

    # Work goes on: a further change reaches the remote alone.
    project.local.run("create table public.later (id int primary key)")
    project.sync("local-to-remote", "--commit")
    (made,) = [text for name, text in project.migrations.items() if name.startswith(max(project.versions))]
    assert ("later" in made, "unix" in made) == (True, False)
    nothing_changes(project, line_ends=True)


@pytest.mark.matrix
def test_files_that_are_fetched_from_the_remotes_history_have_its_bytes(pushed: Project) -> None:
    """A newcomer without the files: they come from the history, and their bodies are the remote's."""
    for name in FILES:
        (pushed.root / "supabase" / "migrations" / name).unlink()
    pushed.commit_all("Without them")
    pushed.sync("remote-to-local")
    back = {name: text for name, text in files(pushed).items() if name[:14] in {n[:14] for n in FILES}}
    assert len(back) == len(FILES)
    assert b"$$\r\n  select 'a\r\nb'::text;\r\n$$" in back["20990102000000_crlf.sql"]
    assert pushed.local.catalog() == pushed.remote.catalog()
    nothing_changes(pushed, line_ends=False)
