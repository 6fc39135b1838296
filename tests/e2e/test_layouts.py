"""Where users have their project: in both directions a proof and a commit, or a stop with a way on."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.project import IDENTITY, Done, Project

pytestmark = pytest.mark.matrix
UP = "create table public.projects (id bigint primary key)"
DOWN = "create table public.expenses (id bigint primary key)"


OLD, NEW = "2.122.1", "3.1.0"
# What a layout asks of the CLI is the same in every release, so each is tried with one.
WITH_THE_OLDER = (
    "linked_migrations", "git_above", "worktree", "detached", "ignored", "submodule", "reached_by_a_link", "monorepo",
)  # fmt: skip


@pytest.fixture
def project(
    request: pytest.FixtureRequest, synced: Project, cli: Callable[[str], Path], tmp_path: Path
) -> Iterator[Project]:
    """A sandbox project in sync, two folders deep: there is room above it."""
    (tmp_path / "mono/services").mkdir(parents=True)
    copied = synced.copy_to(tmp_path / "mono/services/a")
    copied.cli = cli(OLD if any(layout in request.node.name for layout in WITH_THE_OLDER) else NEW)
    try:
        yield copied
    finally:
        copied.remove_databases()


def move(source: Path, target: Path) -> None:
    """Move it, and leave a link of relative text."""
    target.parent.mkdir(parents=True, exist_ok=True)
    source.rename(target)
    source.symlink_to(os.path.relpath(target, source.parent))


def linked_migrations(project: Project) -> None:
    move(project.root / "supabase/migrations", project.root / "db/migrations")


def linked_supabase(project: Project) -> None:
    move(project.root / "supabase", project.root / "packages/supabase")


def linked_file(project: Project) -> None:
    path = max((project.root / "supabase/migrations").iterdir())
    move(path, project.root / "shared" / path.name)


def git_above(project: Project) -> None:
    shutil.move(project.root / ".git", project.root.parents[1] / ".git")


def tasks_above(project: Project) -> None:
    """A monorepo: nothing but the setting says which of its projects is meant."""
    git_above(project)
    shutil.move(project.root / "tasks.py", project.root.parents[1] / "tasks.py")
    shutil.copytree(project.root / "supabase", project.root.parent / "b/supabase")
    project.settings["SUPABASE_WORKDIR"] = "services/a"


def worktree(project: Project) -> None:
    main, other = project.root.parents[1] / "main", project.root.parents[1] / "other"
    project.git("clone", "--quiet", str(project.root), str(main))
    for key, value in IDENTITY:
        project.git("-C", str(main), "config", key, value)
    project.git("-C", str(main), "worktree", "add", "--quiet", "-b", "work", str(other))
    shutil.rmtree(project.root / ".git")
    shutil.move(other / ".git", project.root / ".git")
    project.git("-C", str(main), "worktree", "repair", str(project.root))


def no_commit_yet(project: Project) -> None:
    shutil.rmtree(project.root / ".git")
    project.git("init", "--quiet")
    for key, value in IDENTITY:
        project.git("config", key, value)


def detached(project: Project) -> None:
    project.git("checkout", "--quiet", "--detach")


def sparse(project: Project) -> None:
    """The folder is outside of what is checked out, and is there all the same."""
    shutil.copytree(project.root / "supabase", project.root.parent / "kept")
    project.write("src/a.txt", "a")
    project.commit_all("More")
    project.git("sparse-checkout", "set", "src")
    shutil.copytree(project.root.parent / "kept", project.root / "supabase", dirs_exist_ok=True)


COMMITTED = (
    linked_migrations, linked_supabase, linked_file, git_above, tasks_above, worktree, no_commit_yet, detached, sparse,
)  # fmt: skip


def both_ways(project: Project, run: Callable[..., Done], commits: bool = True) -> None:
    """Run both scenarios and look at databases, files and git afterwards."""
    up, down = (["--commit"], []) if commits else ([], ["--no-commit"])
    for side, sql, table, args in (
        ("local", UP, "projects", ["local-to-remote", "--name", "projects", *up]),
        ("remote", DOWN, "expenses", ["remote-to-local", "--name", "expenses", *down]),
    ):
        project.database(side).run(sql)
        done = run(*args, "--yes")
        assert done.code == 0, done.text
        assert "equal as far as compared" in done.text
        for database in (project.local, project.remote):
            assert database.has(f"public.{table}")
            assert list(database.history()) == project.versions
        file = (project.root / f"supabase/migrations/{project.version_of(table)}_{table}.sql").resolve()
        assert f"public.{table}" in file.read_text().replace('"', "")
        if commits:
            folder = str(file.parent)
            assert project.git("-C", folder, "ls-tree", "--name-only", "HEAD", file.name) == file.name
            assert not project.git("-C", folder, "status", "--porcelain", "--", file.name)
    assert run("verify").code == 0


def in_sandbox(project: Project, cwd: Path | None = None) -> Callable[..., Done]:
    return lambda name, *args: project.invoke(name, "--env", "sandbox", *args, cwd=cwd)


@pytest.mark.parametrize("layout", COMMITTED, ids=lambda layout: layout.__name__)
def test_both_scenarios_end_in_a_proof_and_a_commit(project: Project, layout: Callable[[Project], None]) -> None:
    layout(project)
    if layout not in (no_commit_yet, detached, sparse):
        project.git("-C", project.git("rev-parse", "--show-toplevel"), "add", "--all")
        project.git("commit", "--quiet", "--allow-empty", "--message", "Another layout")
    both_ways(project, in_sandbox(project, project.root.parents[1] if layout is tasks_above else None))


def test_the_root_reached_by_a_link(project: Project) -> None:
    link = project.root.parents[1] / "link"
    link.symlink_to(project.root)
    project.settings["PWD"] = str(link)
    both_ways(project, in_sandbox(project, link))


def test_a_migration_that_is_a_new_link_is_committed_with_what_it_leads_to(project: Project) -> None:
    project.write("shared/projects.sql", f"{UP};\n")
    link = project.root / "supabase/migrations/20260301000000_projects.sql"
    link.symlink_to("../../shared/projects.sql")
    project.sync("local-to-remote", "--commit")
    assert sorted(project.head[1]) == ["shared/projects.sql", "supabase/migrations/20260301000000_projects.sql"]
    assert project.git("ls-tree", "HEAD", "supabase/migrations/20260301000000_projects.sql").startswith("120000 ")
    assert project.remote.has("public.projects")
    assert "not in git yet" not in project.sync("local-to-remote").stderr


# --- where nothing can be committed ---


def ignored(project: Project) -> None:
    project.write(".gitignore", "supabase/\n.sbsync/\n__pycache__/\n")
    project.git("rm", "-r", "--quiet", "--cached", "supabase")
    project.commit_all("Leave it out")


def outside(project: Project) -> None:
    move(project.root / "supabase/migrations", project.root.parents[1] / "outside")
    project.commit_all("Elsewhere")


def linked_to_another_repository(project: Project) -> None:
    outside(project)
    project.git("init", "--quiet", str(project.root.parents[1] / "outside"))


def submodule(project: Project) -> None:
    source = project.root.parents[1] / "source"
    (project.root / "supabase/migrations").rename(source)
    project.git("rm", "-r", "--quiet", "--cached", "supabase/migrations")
    project.git("-C", str(source), "init", "--quiet")
    project.git("-C", str(source), "add", "--all")
    project.git("-C", str(source), "-c", "user.name=T", "-c", "user.email=t@example.org", "commit", "-qm", "Start")
    project.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(source), "supabase/migrations")
    project.commit_all("A submodule")


@pytest.mark.parametrize(
    "layout", [ignored, outside, linked_to_another_repository, submodule], ids=lambda layout: layout.__name__
)
def test_what_cannot_be_committed_stops_first_and_the_advice_leads_on(
    project: Project, layout: Callable[[Project], None]
) -> None:
    layout(project)
    project.remote.run(DOWN)
    before = project.snapshot()
    done = project.task("remote-to-local", "--yes")
    assert done.code == 3, done.text
    assert re.search(r"git ignores|is not part of the repository", done.stderr)
    assert "Or run it with --no-commit." in done.stderr
    assert "Traceback" not in done.text
    assert project.snapshot() == before
    project.sync("remote-to-local", "--no-commit")

    project.local.run(UP)
    before = project.snapshot()
    done = project.task("local-to-remote", "--yes", "--commit")
    assert done.code == 3, done.text
    assert "Or leave --commit out." in done.stderr
    assert project.snapshot() == before
    assert "equal as far as compared" in project.sync("local-to-remote").stderr
    for database in (project.local, project.remote):
        assert database.has("public.projects")
        assert database.has("public.expenses")
        assert list(database.history()) == project.versions


def test_outside_of_every_repository(project: Project) -> None:
    shutil.rmtree(project.root / ".git")
    both_ways(project, in_sandbox(project), commits=False)
    project.remote.run("create table public.more (id bigint primary key)")
    assert "will not be committed" in project.sync("remote-to-local").stderr


def test_without_git_on_the_machine(project: Project) -> None:
    programs = project.root.parent / "bin"
    programs.mkdir()
    for found in (path for folder in os.get_exec_path() for path in Path(folder).glob("*")):
        if not found.name.startswith("git") and not (programs / found.name).is_symlink():
            (programs / found.name).symlink_to(found)
    project.settings["PATH"] = str(programs)
    both_ways(project, in_sandbox(project), commits=False)
    project.remote.run("create table public.more (id bigint primary key)")
    assert "will not be committed" in project.sync("remote-to-local").stderr


# --- where there is no project ---


def test_at_the_root_of_a_monorepo_nothing_runs_and_each_advice_leads_on(project: Project) -> None:
    tasks_above(project)
    mono = project.root.parents[1]
    del project.settings["SUPABASE_WORKDIR"]
    project.environment()  # makes the home folder that the tasks get
    before = sorted(mono.rglob("*"))
    for task in (
        "local-to-remote", "remote-to-local", "push", "pull", "reset", "commit", "verify", "backup", "status", "diff",
        "review", "resolve",
    ):  # fmt: skip
        done = project.invoke(task, "--env", "sandbox", cwd=mono)
        assert done.code == 3, done.text
        assert "Below are: services/a, services/b." in done.stderr
    for task in ("sandbox.up", "sandbox.down", "sandbox.reset", "sandbox.status", "sandbox.url"):
        assert project.invoke(task, cwd=mono).code == 3
    assert sorted(mono.rglob("*")) == before
    doctor = project.invoke("doctor", "--env", "sandbox", "--json", cwd=mono)
    assert doctor.code == 0, doctor.text
    (line,) = [c for c in doctor.data["checks"] if c["name"] == "project"]
    assert (line["level"], "services/a" in line["what"]) == ("warning", True)

    cd, export, workdir = re.findall(r"`([^`]+)`", done.stderr)
    for preparation in (cd, export):
        ran = subprocess.run(
            f"{preparation} && {sys.executable} -m invoke verify --env sandbox", shell=True, cwd=mono,
            env=project.environment(), capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr
    (mono / "invoke.yaml").write_text(f"{workdir}\n")
    both_ways(project, in_sandbox(project, mono))
