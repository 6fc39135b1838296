"""`invoke backup --list`, which looks at files alone."""

import re
from dataclasses import asdict
from pathlib import Path

from sbsync_tasks.backups import FORMAT, MANIFEST, BackupFile, Manifest, TableRows, write_json
from tests.tasks.conftest import Invoke

NAME = "20260101T000000Z-local-before-reset"


def test_the_backups_are_listed_without_a_database(project: Path, invoke: Invoke) -> None:
    empty = invoke("backup", "--list")
    assert (empty.code, empty.stdout) == (0, "")
    assert "There are no backups in .sbsync/backups yet." in empty.stderr

    folder = project / ".sbsync" / "backups"
    (folder / NAME).mkdir(parents=True)
    (folder / "20260102T000000Z-cut-off").mkdir()
    made = Manifest(
        FORMAT, "2026-01-01T00:00:00+00:00", "local", "before-reset", "17.10", "1", "postgres", "pg_dump 17",
        True, (TableRows("public", "a", 1000),), (), (BackupFile("data.dump", "0", 1500),),
    )  # fmt: skip
    write_json(folder / NAME / MANIFEST, asdict(made))
    _, first, second = invoke("backup", "--list").stdout.splitlines()
    assert re.split(r" {2,}", first.strip()) == [NAME, "local", "before-reset", "1.5 kB", "1,000 rows of every table"]
    assert "not complete" in second
    whole, broken = invoke("backup", "--list", "--json").data["backups"]
    assert whole["backup"] == f".sbsync/backups/{NAME}"
    assert (whole["label"], whole["reason"], whole["created_at"]) == ("local", "before-reset", made.created_at)
    assert whole["tables"] == [{"schema": "public", "name": "a", "rows": 1000}]
    assert (whole["bytes"], whole["problem"]) == (1500, None)
    assert "manifest" in broken["problem"]

    unnamed = invoke("restore", "--env", "sandbox")
    assert (unnamed.code, unnamed.stdout) == (3, "")
    assert f"The newest is {NAME}" in unnamed.stderr
