"""What the tests of `invoke resolve` prepare, and what they look at afterwards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.support.project import Data, Project

TEAMS, TOTALS = "20260105090000", "20260126090000"
NOTES = "-- Notes, as a colleague wrote them.\ncreate table public.notes (id int primary key, body text);\n"
FUTURE = "20990101000000"


def pushed(project: Project, on: Data, version: str, name: str, sql: str) -> Path:
    """A migration that one database has had by the CLI itself, with its file still there."""
    path = project.migration(version, name, sql)
    done = project.supabase("db", "push", "--yes", "--skip-vault", "--include-all", on=on)
    assert done.code == 0, done.text
    return path


def looked(project: Project) -> dict[str, Any]:
    """The diagnosis of a dry run, after which nothing is another."""
    before = project.snapshot()
    kept = list((project.root / ".sbsync").glob("replaced/*")) + list((project.root / ".sbsync").glob("histories/*"))
    done = project.task("resolve", "--dry-run", "--json")
    assert done.code in (0, 4), done.text
    assert project.snapshot() == before
    state = project.root / ".sbsync"
    assert kept == list(state.glob("replaced/*")) + list(state.glob("histories/*"))
    return done.data


def kinds(document: dict[str, Any]) -> list[str]:
    return [conflict["kind"] for conflict in document["conflicts"]]


def cured(project: Project) -> dict[str, Any]:
    """The cure, all of it: nothing is left, and the remote is what it was."""
    remote = project.remote.history(), project.remote.catalog()
    local = project.local.catalog()
    done = project.task("resolve", "--yes", "--json")
    assert done.code == 0, done.text
    assert (project.remote.history(), project.remote.catalog()) == remote
    assert project.local.catalog() == local
    assert done.data["left"] == []
    return done.data


def in_sync(project: Project) -> None:
    """Both databases and all files are accounted for: the next push ends in a proof of that."""
    project.sync("local-to-remote")
    assert list(project.local.history()) == list(project.remote.history()) == project.versions
    assert project.local.catalog() == project.remote.catalog()


def kept_files(project: Project) -> dict[str, str]:
    folder = project.root / ".sbsync" / "replaced"
    return {p.name: p.read_text(encoding="utf-8") for p in sorted(folder.iterdir())} if folder.is_dir() else {}


def kept_rows(project: Project) -> list[dict[str, Any]]:
    (path,) = (project.root / ".sbsync" / "histories").glob("*-local.json")
    return json.loads(path.read_text(encoding="utf-8"))
