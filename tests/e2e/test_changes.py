"""Changes that people have had trouble with: each arrives as it was made, and the rows that were there stay.

A folder of `tests/changes` is a case: `base.sql` on both sides, `rows.sql` on both sides, `change.sql` made by hand on
one. Right is: fingerprint and `pg_dump --schema-only` agree afterwards, no row or value of the base is gone, and a
further run finds nothing to do.
"""

from __future__ import annotations

import difflib
import os
import re
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from sbsync_tasks.databases.catalog import compare, in_line_ends_alone
from sbsync_tasks.databases.embedded.binaries import find_client_tools
from sbsync_tasks.databases.embedded.privileged import as_pushed, is_privileged
from sbsync_tasks.state.migrations import Migration
from tests.support.dumped import dump, normalised
from tests.support.project import IDENTITY, TASKS, Data, Project
from tests.support.values import Values, lost, values

CASES = Path(__file__).parents[1] / "changes"
BASE = 20250101000000
DIRECTIONS = ("local-to-remote", "remote-to-local")
# For what the engine's script cannot apply, for what it leaves out, for rows that it would lose. The default run brings
# the three over at once.
TELLING = ("function-signature-with-dependents", "column-storage-statistics", "inherit-attach-detach")
# So many cases make one project: a run with several changes costs little more than one with one.
TOGETHER = 8
NAME = r'(?:"(?:[^"]|"")+"|\w+)'
MADE = re.compile(
    r"\b(?:rename to|create\b[^;(]*?\b(?:aggregate|class|collation|configuration|dictionary|domain|family|function"
    r"|index|operator|procedure|publication|role|schema|sequence|server|statistics|table|trigger|type|view|wrapper"
    rf"|extension(?: if not exists)?))\s+({NAME}(?:\.{NAME})?)",
    re.IGNORECASE,
)


def names_in(case: Path) -> set[str]:
    """What a case calls its objects; cases of which only one may stand in a group share a name more.

    A file with what plain PostgreSQL asks a superuser for is pushed as one, and then an extension that it makes too has
    its functions from `postgres`. Made by hand, or on the platform, it has them from `supabase_admin`, whose default
    privileges in `extensions` grant them to `postgres`: the dumps would differ in that.
    """
    texts = [file.read_bytes().decode() for file in case.iterdir()]
    one_only = any("create extension" in text or is_privileged(Migration("", "", text)) for text in texts)
    return {name for text in texts for name in MADE.findall(text)} | ({"of a superuser"} if one_only else set())


def groups() -> list[list[Path]]:
    """All cases, those together that have no name in common."""
    found: list[tuple[list[Path], set[str]]] = []
    for case in sorted(CASES.iterdir()):
        names = names_in(case)
        fits = (g for g in found if len(g[0]) < TOGETHER and not g[1] & names)
        group = next(fits, None)
        if group is None:
            group = ([], set())
            found.append(group)
        group[0].append(case)
        group[1].update(names)
    return [cases for cases, _ in found]


def cases() -> Iterator[object]:
    for group in groups():
        for direction in DIRECTIONS:
            named = " ".join(case.name for case in group)
            yield pytest.param(group, direction, marks=pytest.mark.matrix, id=f"{named} {direction}")
    yield pytest.param([CASES / name for name in TELLING], DIRECTIONS[0], id="three at once")


def by_hand(project: Project, database: Data, path: Path) -> None:
    """Run a file statement by statement, as a person does."""
    if not path.exists():
        return
    endpoint = database.endpoint
    argv = [
        str(find_client_tools(17) / "psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1",
        f"--dbname={endpoint.url}", f"--file={path}",
    ]  # fmt: skip
    env = {"PATH": os.defpath, "PGPASSWORD": endpoint.password}
    with as_pushed(project.root, endpoint, path.read_text(encoding="utf-8")):
        subprocess.run(argv, env=env, check=True, capture_output=True)


def start(project: Project, cases: Sequence[Path]) -> None:
    """Make the bases of the cases a project's migrations, on both sides, with their rows."""
    folder = project.root / "supabase" / "migrations"
    folder.mkdir(parents=True)
    for version, case in enumerate(cases, BASE):
        (folder / f"{version}_base.sql").write_bytes((case / "base.sql").read_bytes())
    project.write("tasks.py", TASKS)
    project.write(".gitignore", ".sbsync/\n__pycache__/\n")
    project.git("init", "--quiet", "--initial-branch=main")
    for key, value in IDENTITY:
        project.git("config", key, value)
    project.commit_all("Start")
    for side in (project.local, project.remote):
        with as_pushed(project.root, side.endpoint, "".join(project.migrations.values())):
            done = project.supabase("db", "push", "--skip-vault", "--yes", on=side)
        assert done.code == 0, done.text
        for case in cases:
            by_hand(project, side, case / "rows.sql")


def allowed(project: Project, direction: str) -> tuple[str, ...]:
    """The allowances that a run asks for by name; none where it asks for none."""
    if direction == "remote-to-local":
        return ()
    asked = project.task(direction, "--dry-run")
    (line,) = re.findall(r"say so by name: (.*)", asked.text) or ("",)
    return tuple(shlex.split(line))


def arrives(project: Project, cases: Sequence[Path], direction: str) -> None:
    here, there = (project.local, project.remote) if direction == "local-to-remote" else (project.remote, project.local)
    for case in cases:
        by_hand(project, here, case / "change.sql")
    before = held(there)
    project.sync(direction, "--no-reset", *allowed(project, direction))

    left, right = project.local.catalog(), project.remote.catalog()
    assert not compare(left, right)
    assert not in_line_ends_alone(left, right)
    tools = find_client_tools(17)
    texts = [normalised(dump(tools, side.endpoint)) for side in (project.local, project.remote)]
    assert not list(difflib.unified_diff(*texts, "local", "remote", lineterm="", n=0))
    gone = [*lost(before, held(there), held(here))]
    assert not gone, gone
    files = project.migrations
    project.sync(direction, "--no-reset")
    assert project.migrations == files
    assert project.task("verify").code == 0


def held(database: Data) -> Values:
    """What the tables of a database hold."""
    with database.connection() as connection:
        return values(connection)


@pytest.mark.parametrize(("changes", "direction"), [*cases()])
def test_a_change_arrives(changes: Sequence[Path], direction: str, newest: Path, tmp_path: Path) -> None:
    project = Project(tmp_path / "project", newest)
    try:
        start(project, changes)
        arrives(project, changes, direction)
    finally:
        project.remove_databases()
