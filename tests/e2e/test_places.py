"""A project's own databases on real servers, as root and as an ordinary user: made anew, cloned, moved, copied."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from sbsync_tasks.databases.embedded.place import ROOT_HOME, owners

pytestmark = pytest.mark.e2e
REPOSITORY = Path(__file__).parents[2]
CODE = """
import sys
from pathlib import Path
import psycopg
from sbsync_tasks.databases.embedded import Clusters
from sbsync_tasks.databases.embedded.binaries import find_binaries
for root in map(Path, sys.argv[2:]):
    clusters = Clusters(root, find_binaries(None))
    if sys.argv[1] == "remove":
        clusters.remove_all()
        continue
    with psycopg.connect(**clusters.start("local").conninfo(), autocommit=True) as connection:
        connection.execute("create table if not exists used (n int)")
        connection.execute("insert into used values (1)")
        print(connection.execute("select count(*) from used").fetchone()[0])
"""


@dataclass
class User:
    """Somebody who uses databases, in a folder of their own."""

    folder: Path
    python: str = sys.executable
    drop: dict[str, object] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=lambda: dict(os.environ))

    def use(self, *names: str) -> list[int]:
        """How often the local database of each project has been used, this time included."""
        return [int(line) for line in self.run("use", *names).split()]

    def run(self, what: str, *names: str) -> str:
        done = self.shell(self.python, "-B", "-c", CODE, what, *(str(self.folder / name) for name in names))
        return done.stdout

    def shell(self, *argv: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            argv, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False, **self.drop
        )  # type: ignore[call-overload]
        assert done.returncode == 0, done.stderr
        return done


def runs(python: str, drop: dict[str, object]) -> bool:
    """Whether that interpreter can be used by that user: ours may lie in root's home."""
    try:
        return subprocess.run([python, "-c", "import ssl"], check=False, **drop).returncode == 0  # type: ignore[call-overload,no-any-return]
    except OSError:
        return False


def ordinary(folder: Path) -> User:
    """An ordinary user, with a cache of their own; whoever runs the tests, unless that is root."""
    user = pwd.getpwnam("games") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    drop: dict[str, object] = {}
    if os.geteuid() == 0:
        drop = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        os.chown(folder, user.pw_uid, user.pw_gid)
    python = next(p for p in (sys.executable, "/usr/bin/python3") if runs(p, drop))
    path = os.pathsep.join([str(REPOSITORY), str(Path(psycopg.__file__).parents[1])])
    return User(folder, python, drop, {"PATH": os.defpath, "HOME": str(folder), "PYTHONPATH": path})


@pytest.fixture(params=[pytest.param("root", marks=pytest.mark.matrix), "ordinary"])
def user(request: pytest.FixtureRequest) -> Iterator[User]:
    if request.param == "root" and os.geteuid() != 0:
        pytest.skip("only root's databases are apart from the project")
    with tempfile.TemporaryDirectory(prefix="sbsync-places-", dir="/var/tmp") as name:
        made = ordinary(Path(name)) if request.param == "ordinary" else User(Path(name))
        made.shell("mkdir", "project")
        try:
            yield made
        finally:
            made.run("remove", *(path.name for path in made.folder.iterdir() if (path / ".sbsync").is_dir()))
            for place, project in owners().items() if request.param == "root" else ():
                if Path(project).is_relative_to(name):  # of a folder that the test has removed
                    made.shell("rm", "-r", str(place))


def test_each_folder_has_its_own_databases(user: User) -> None:
    assert user.use("project", "project") == [1, 2]
    # Moved and copied while the server runs; the old path is another project's then.
    user.shell("mv", "project", "moved")
    user.shell("mkdir", "project")
    assert user.use("moved", "project", "moved") == [3, 1, 4]
    user.shell("cp", "-r", "moved", "copy")
    assert user.use("copy", "moved", "copy", "project") == [1, 5, 2, 2]
    # Clones have nothing but what git has.
    for argv in (["init", "-q", "project"], ["clone", "-q", "project", "one"], ["clone", "-q", "project", "two"]):
        user.shell("git", *argv)
    assert user.use("one", "two", "one", "project") == [1, 1, 2, 3]
    user.shell("rm", "-rf", "project")
    user.shell("mkdir", "project")
    assert user.use("project", "moved") == [1, 6]
    if user.drop:
        assert (user.folder / "project" / ".sbsync" / "embedded" / "local" / "data").is_dir()
        assert (user.folder / ".cache" / "sbsync" / "embedded" / "bases").is_dir()


@pytest.mark.parametrize("user", ["root"], indirect=True)
def test_what_a_project_has_left_is_listed_with_the_command_that_deletes_it(user: User) -> None:
    user.use("project")
    shutil.rmtree(user.folder / "project")
    user.shell("mkdir", "-p", "other/supabase")
    user.shell("touch", "other/supabase/config.toml")
    (user.folder / "other" / "tasks.py").write_text("from sbsync_tasks import ns\n")
    status = ["sh", "-c", f"cd other && exec {user.python} -m invoke sandbox.status"]
    said = user.shell(*status).stderr
    gone = f"There are databases of {user.folder / 'project'}, where that project is no longer. This deletes them:"
    lines = said.splitlines()
    command = lines[lines.index(f"! {gone}") + 1].strip()
    assert command.startswith(f"rm -r {ROOT_HOME}/clusters/")
    user.shell("sh", "-c", command)
    assert str(user.folder) not in user.shell(*status).stderr
