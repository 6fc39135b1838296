"""What `resolve` only explains, changing nothing: the way on that it names leads out."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.project import Project
from tests.support.resolved import NOTES, in_sync, kinds


@pytest.mark.matrix
def test_a_misnamed_file_is_only_explained(project: Project) -> None:
    path = project.write("supabase/migrations/2026-01-30 add notes.sql", NOTES)
    before = project.snapshot()
    done = project.task("resolve", "--yes")
    assert done.code == 4, done.text
    assert "2026-01-30 add notes.sql is not named" in done.text
    assert project.snapshot() == before
    (command,) = re.findall(r"`(mv [^`]+)`", done.text)
    subprocess.run(command, shell=True, check=True, cwd=project.root)
    assert not path.exists()
    in_sync(project)
    assert project.remote.has("public.notes")


@pytest.mark.matrix
@pytest.mark.parametrize("rebuilt", [False, True])
def test_a_squash_is_never_undone_and_each_history_is_told(project: Project, newest: Path, rebuilt: bool) -> None:
    whole, last = "".join(project.migrations.values()), max(project.migrations)
    for name in project.migrations:
        (project.root / "supabase/migrations" / name).unlink()
    project.write(f"supabase/migrations/{last}", whole)
    project.commit_all("Squash")
    if rebuilt:
        project.task("reset", "--yes")
    before = project.snapshot()
    for task in ("local-to-remote", "remote-to-local"):
        stopped = project.task(task, "--yes")
        assert stopped.code == 4, stopped.text
        assert "as after `supabase migration squash`." in stopped.stderr
        assert "`supabase migration repair " in stopped.stderr
    said = project.task("resolve", "--yes")
    assert said.code == 4, said.text
    assert project.snapshot() == before
    repairs = re.findall(r"`(supabase migration repair .+?)`", said.text)
    assert len(repairs) == 2
    invoke = f"{sys.executable} -m invoke"
    for command in repairs:
        line = command.replace("supabase", str(newest), 1).replace("invoke url", f"{invoke} url --env sandbox")
        environment = {**project.environment(), "SUPABASE_YES": "1"}
        subprocess.run(line + " --yes", shell=True, check=True, cwd=project.root, env=environment)
    assert project.task("reset", "--yes").code == 0
    assert project.task("verify").code == 0
    assert list(project.remote.history()) == project.versions
    in_sync(project)


def explained(project: Project, kind: str) -> str:
    before = project.snapshot()
    done = project.task("resolve", "--yes", "--json")
    assert done.code == 4, done.text
    assert kinds(done.data) == [kind]
    assert done.data["plan"] == []
    assert "`invoke remote-to-local`" in done.data["conflicts"][0]["ways"][0]["title"]
    assert project.snapshot() == before
    project.sync("remote-to-local")
    assert project.task("resolve").code == 0
    assert list(project.local.history()) == list(project.remote.history()) == project.versions
    assert project.task("verify").code == 0
    return str(done.data["conflicts"][0]["what"])


@pytest.mark.matrix
def test_a_first_pull_from_a_remote_without_history(newcomer: Project) -> None:
    newcomer.remote.run("create table public.notes (id int primary key)")
    assert "no history" in explained(newcomer, "first pull")


@pytest.mark.matrix
def test_a_first_pull_from_a_remote_with_history(project: Project) -> None:
    for name in project.migrations:
        (project.root / "supabase" / "migrations" / name).unlink()
    project.git("checkout", "--quiet", "--orphan", "fresh")
    project.commit_all("A folder without migrations")
    project.clusters.remove("sandbox-local")
    assert "4 recorded migrations" in explained(project, "first pull")


@pytest.mark.matrix
def test_a_remote_that_was_changed_by_hand(project: Project) -> None:
    project.remote.run("create table public.by_hand (id int primary key)")
    explained(project, "drift")
