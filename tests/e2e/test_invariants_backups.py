"""I3: where no whole backup can be taken, nothing is reset and nothing is pushed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sbsync_tasks.databases.embedded.base import server_tree
from sbsync_tasks.databases.embedded.binaries import find_binaries
from tests.support.project import Project
from tests.support.watch import Recorder, evidence

pytestmark = [pytest.mark.cli, pytest.mark.e2e]

FILE = "file = next((w.split('=', 1)[1] for w in argv if w.startswith('--file=')), None)\n"
DUMPED = FILE + "import subprocess\nif file:\n    subprocess.run([{real!r}, *argv], check=True)\n"
# What pg_dump does instead, once its version was asked for.
DAMAGES = {
    "fails": FILE + "if file:\n    sys.stderr.write('pg_dump: error: the disk is on fire\\n'); sys.exit(1)",
    "is killed": FILE + "if file:\n    os.kill(os.getpid(), 9)",
    "writes nothing": FILE + "if file:\n    sys.exit(0)",
    "writes half": DUMPED + "    os.truncate(file, os.path.getsize(file) // 2)\n    sys.exit(0)",
    "loses its end": DUMPED + "    os.truncate(file, os.path.getsize(file) - 40)\n    sys.exit(0)",
}

# What the default run tries; all others are the matrix.
ONCE = (("reset", "loses its end"), ("push", "fails"))


@dataclass
class Tools:
    """PostgreSQL's programs in a folder of their own, of which pg_dump can be replaced."""

    bindir: Path
    real: Path
    recorder: Recorder

    def damage(self, how: str) -> None:
        """Let pg_dump do something else from now on."""
        instead = DAMAGES[how].replace("{real!r}", repr(str(self.real)))
        self.recorder.clear()
        self.recorder.stand_in(self.real, "pg_dump", instead, into=self.bindir)

    @property
    def dumps(self) -> int:
        """How often a dump was begun since the damage."""
        return sum(any(w.startswith("--file=") for w in c.argv) for c in self.recorder.calls())


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tools]:
    folder = tmp_path_factory.mktemp("tools")
    found = find_binaries(None)
    shutil.copytree(found.bindir.parent, folder / "pg", symlinks=True)
    bindir = folder / "pg" / found.bindir.name
    try:
        yield Tools(bindir, found.bindir / "pg_dump", Recorder(folder / "log"))
    finally:
        shutil.rmtree(server_tree(find_binaries(None, str(bindir))).parent)


@pytest.fixture(scope="module")
def changed(synced: Project, tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Both databases have rows to lose, and there is something to push."""
    project = synced.copy_to(tmp_path_factory.mktemp("unsaved") / "project")
    project.settings = {"SBSYNC_PG_BINDIR": str(tools.bindir)}
    try:
        project.local.run("insert into public.teams (name) values ('precious')")
        project.remote.run("insert into public.teams (name) values ('precious')")
        project.migration("20300101000000", "extra", "create table public.extra (id int primary key);\n")
        yield project
    finally:
        project.remove_databases()


@pytest.mark.parametrize(
    ("task", "how"),
    [
        pytest.param(task, how, marks=[] if (task, how) in ONCE else pytest.mark.matrix)
        for task in ("reset", "push")
        for how in DAMAGES
    ],
)
def test_nothing_is_touched_without_a_whole_backup(changed: Project, tools: Tools, task: str, how: str) -> None:
    before = evidence(changed, tools.real.parent)
    backups = set(changed.root.glob(".sbsync/backups/*"))
    tools.damage(how)
    done = changed.task(task, "--yes")
    assert tools.dumps, "no backup was begun"
    assert done.code == 1, done.text
    assert "backup" in done.stderr
    assert "Traceback" not in done.stderr
    assert evidence(changed, tools.real.parent) == before
    assert not {p for p in changed.root.glob(".sbsync/backups/*") if p.name[0] != "."} - backups


def test_a_scenario_stops_at_its_first_backup(changed: Project, tools: Tools) -> None:
    before = evidence(changed, tools.real.parent)
    tools.damage("fails")
    done = changed.task("local-to-remote", "--yes")
    assert done.code == 1, done.text
    assert "the disk is on fire" in done.stderr
    assert evidence(changed, tools.real.parent) == before


def test_a_missing_pg_dump_is_named(changed: Project, tools: Tools) -> None:
    before = evidence(changed, tools.real.parent)
    (tools.bindir / "pg_dump").unlink()
    done = changed.task("push", "--yes")
    assert done.code in (3, 5), done.text
    assert "pg_dump" in done.stderr
    assert evidence(changed, tools.real.parent) == before
    tools.recorder.stand_in(tools.real, "pg_dump", into=tools.bindir)  # a folder without it is no server's any more
    done = changed.task("push", "--yes")
    assert done.code == 0, done.text
    assert changed.remote.has("public.extra")
