"""Changes that people have had trouble with: each arrives as it was made, and the rows that were there stay.

A folder of `tests/changes` is a case: `base.sql` on both sides, `rows.sql` on both sides, `change.sql` made by hand on
one. Right is: fingerprint and `pg_dump --schema-only` agree afterwards, no row of the base is gone, and a further run
finds nothing to do.
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

from sbsync_tasks.databases.catalog import MANAGED_SCHEMAS, compare, in_line_ends_alone
from sbsync_tasks.databases.embedded import find_client_tools
from tests.support.dumped import dump, normalised
from tests.support.project import IDENTITY, TASKS, Data, Project

CASES = Path(__file__).parents[1] / "changes"
BASE = 20250101000000
DIRECTIONS = ("local-to-remote", "remote-to-local")
# For what the engine's script cannot apply, for what it leaves out, for rows that it would lose. The default run brings
# the three over at once.
TELLING = ("function-signature-with-dependents", "column-storage-statistics", "inherit-attach-detach")
# What is generated for these is tried in test_generated.py: the rest of a run is the same for every change.
GENERATED = frozenset((
    "aggregate-operator-class", "column-type-with-everything", "composite-nested", "default-with-line-ends",
    "domain-constraint-changed", "enum-value-in-default-and-array", "enum-value-renamed-and-removed",
    "event-trigger-completed", "foreign-tables", "function-return-type", "generated-expression",
    "identity-always-by-default", "keys-deferrable", "materialized-view-dependents",
    "names-that-need-care", "partitions-default-and-detached",
    "policies-and-force", "range-cast-collation", "rights-on-everything", "storage-parameters",
    "text-search-changed", "triggers-of-all-kinds", "view-chain-root",
))  # fmt: skip


def cases() -> Iterator[object]:
    for folder in sorted(folder for folder in CASES.iterdir() if folder.name not in GENERATED):
        for direction in DIRECTIONS:
            yield pytest.param([folder], direction, marks=pytest.mark.matrix, id=f"{folder.name}-{direction}")
    yield pytest.param([CASES / name for name in TELLING], DIRECTIONS[0], id="three at once")


def psql(database: Data, path: Path) -> None:
    """Run a file statement by statement, as a person does."""
    if not path.exists():
        return
    endpoint = database.endpoint
    argv = [
        str(find_client_tools(17) / "psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1",
        f"--dbname={endpoint.url}", f"--file={path}",
    ]  # fmt: skip
    env = {"PATH": os.defpath, "PGPASSWORD": endpoint.password}
    subprocess.run(argv, env=env, check=True, capture_output=True)


def rows(database: Data) -> dict[str, int]:
    """How many rows each table of the user's holds."""
    tables = database.rows(
        "select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace"
        f" where c.relkind in ('r', 'p') and n.nspname !~ '{MANAGED_SCHEMAS}'"
    )
    return {name: int(database.value(f"select count(*) from {name}")) for (name,) in tables}


def started(root: Path, cli: Path, cases: Sequence[Path]) -> Project:
    """A project whose migrations are the bases of the cases, on both sides, with their rows."""
    project = Project(root, cli)
    for version, case in enumerate(cases, BASE):
        target = root / "supabase" / "migrations" / f"{version}_base.sql"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((case / "base.sql").read_bytes())
    project.write("tasks.py", TASKS)
    project.write(".gitignore", ".sbsync/\n__pycache__/\n")
    project.git("init", "--quiet", "--initial-branch=main")
    for key, value in IDENTITY:
        project.git("config", key, value)
    project.commit_all("Start")
    for side in (project.local, project.remote):
        done = project.supabase("db", "push", "--skip-vault", "--yes", on=side)
        assert done.code == 0, done.text
        for case in cases:
            psql(side, case / "rows.sql")
    return project


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
        psql(here, case / "change.sql")
    before = rows(there)
    project.sync(direction, "--no-reset", *allowed(project, direction))

    left, right = project.local.catalog(), project.remote.catalog()
    assert not compare(left, right)
    assert not in_line_ends_alone(left, right)
    tools = find_client_tools(17)
    texts = [normalised(dump(tools, side.endpoint)) for side in (project.local, project.remote)]
    assert not list(difflib.unified_diff(*texts, "local", "remote", lineterm="", n=0))
    after = rows(there)
    for name in before.keys() & rows(here).keys():
        assert after[name] >= before[name] or has_parent_or_child(there, name), (name, before, after)
    files = project.migrations
    project.sync(direction, "--no-reset")
    assert project.migrations == files
    assert project.task("verify").code == 0


def has_parent_or_child(database: Data, table: str) -> bool:
    """Whether the rows of other tables count as its own, or did before they were detached."""
    return bool(database.value(f"select relkind = 'p' or relhassubclass from pg_class where oid = '{table}'::regclass"))


@pytest.mark.parametrize(("changes", "direction"), [*cases()])
def test_a_change_arrives(changes: Sequence[Path], direction: str, newest: Path, tmp_path: Path) -> None:
    project = started(tmp_path / "project", newest, changes)
    try:
        arrives(project, changes, direction)
    finally:
        project.remove_databases()
