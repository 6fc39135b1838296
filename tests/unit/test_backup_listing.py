"""Which backups there are, and which one a name means."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path

import pytest

from sbsync_tasks.backups import FORMAT, MANIFEST, BackupFile, Manifest, TableRows, chosen, listed, write_json
from sbsync_tasks.errors import ConfigError, SbsyncError

FIRST, SECOND, BROKEN = "20260101T000000Z-local-before-reset", "20260102T000000Z-staging-before-push", "20260103T0-x"


def made(tables: tuple[TableRows, ...] = (), *, whole: bool = False) -> Manifest:
    return Manifest(
        FORMAT, "2026-01-01T00:00:00+00:00", "local", "before-reset", "17.10", "1", "postgres", "pg_dump 17",
        whole, tables, (), (BackupFile("schema.dump", "0", 1500), BackupFile("data.dump", "0", 500)),
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (FIRST, SECOND, BROKEN, ".partial-20260104T0-x"):
        (tmp_path / name).mkdir()
    for name in (FIRST, SECOND):
        write_json(tmp_path / name / MANIFEST, asdict(made()))
    return tmp_path


def test_what_is_whole_is_listed_and_what_is_not_is_said_to_be_none(folder: Path) -> None:
    found = listed(folder)
    assert [path.name for path in found] == [FIRST, SECOND, BROKEN]
    *whole, broken = found.values()
    assert [(one, one.bytes) for one in whole] == [(made(), 2000)] * 2
    assert isinstance(broken, SbsyncError)
    assert listed(folder / "none") == {}


def test_a_name_its_beginning_or_a_path_means_a_backup(folder: Path, tmp_path: Path) -> None:
    for named in (SECOND, "20260102", str(folder / SECOND)):
        assert chosen(folder, named) == (folder / SECOND, made())
    assert chosen(tmp_path / "elsewhere", str(folder / FIRST))[0] == folder / FIRST


@pytest.mark.parametrize(
    ("named", "said"),
    [("", f"Which backup.*newest is {SECOND}"), ("2026", "3 backups begin with it"), ("2027", "no such folder")],
)
def test_a_name_that_means_none_or_several_is_refused(folder: Path, named: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        chosen(folder, named)
    assert re.search(said, f"{caught.value.message} {caught.value.hint}")


def test_one_that_is_not_complete_is_not_taken(folder: Path) -> None:
    with pytest.raises(SbsyncError, match="manifest"):
        chosen(folder, BROKEN)


def test_what_it_holds_in_words() -> None:
    tables = (TableRows("public", "a", 1000), TableRows("public", "b", 234))
    assert made(tables, whole=True).holds == "1,234 rows of every table"
    assert made(tables[:1]).holds == "1,000 rows of 1 table"
    assert made().holds == "schema alone"
    assert made(tables).holds == "1,234 rows of 2 tables"
