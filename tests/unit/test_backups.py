"""The parts of a backup that need no server: the manifest, how programs are run, names."""

import json
import re
from dataclasses import asdict
from pathlib import Path
from threading import Thread

import pytest

from sbsync_tasks import backups
from sbsync_tasks.backups import Backup, BackupFile, Manifest, TableRows, programs, restore
from sbsync_tasks.backups.programs import Entry
from sbsync_tasks.endpoint import Endpoint
from sbsync_tasks.errors import SbsyncError

PASSWORD = "s3cret'\" $HOME"
ENDPOINT = Endpoint("127.0.0.1", 5432, "app", "postgres", PASSWORD)


def made() -> Manifest:
    return Manifest(
        format=backups.FORMAT, created_at="2026-01-01T00:00:00+00:00", label="local", reason="reset",
        server_version="17.1", system_identifier="7", database="app", tools="pg_dump 17.1",
        whole=False, tables=(TableRows("public", "täble", 3),), left_out=("schema net",),
        files=(BackupFile("schema.dump", "00", 1),),
    )  # fmt: skip


def fake(folder: Path, name: str, script: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_a_manifest_is_read_as_it_was_written(tmp_path: Path) -> None:
    backups.write_json(tmp_path / backups.MANIFEST, asdict(made()))
    assert backups.read(tmp_path) == made()


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"format": 1}', "\x00"])
def test_what_is_no_manifest_is_an_error(text: str, tmp_path: Path) -> None:
    (tmp_path / backups.MANIFEST).write_text(text)
    with pytest.raises(SbsyncError, match=r"no manifest"):
        backups.read(tmp_path)


def test_a_missing_manifest_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SbsyncError, match="missing"):
        backups.read(tmp_path)


def test_a_later_format_is_refused(tmp_path: Path) -> None:
    later = asdict(made()) | {"format": 99}
    (tmp_path / backups.MANIFEST).write_text(json.dumps(later))
    with pytest.raises(SbsyncError, match="format 99"):
        backups.read(tmp_path)


def test_children_get_the_password_in_a_replaced_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGOPTIONS", "-c x=y")
    monkeypatch.setenv("SUPABASE_ACCESS_TOKEN", "sbp_x")
    script = f"printf '%s\\n' \"$@\" > {tmp_path}/argv\n/usr/bin/env > {tmp_path}/environment"
    tool = fake(tmp_path, "pg_dump", script)
    programs.run_on(ENDPOINT, [str(tool), "--schema-only"])
    argv = (tmp_path / "argv").read_text()
    environment = (tmp_path / "environment").read_text()
    assert PASSWORD not in argv
    assert "s3cret" not in argv
    assert argv.splitlines()[-1] == "--dbname=postgresql://postgres@127.0.0.1:5432/app"
    assert f"PGPASSWORD={PASSWORD}" in environment
    assert set(re.findall(r"^(PG\w+|SUPABASE\w+)=", environment, re.MULTILINE)) == {
        "PGPASSWORD",
        "PGAPPNAME",
    }


def test_no_child_outlives_a_failure(tmp_path: Path) -> None:
    slow = fake(tmp_path, "slow", f"echo $$ > {tmp_path}/pid\nexec sleep 600")
    bad = fake(
        tmp_path,
        "bad",
        f"while [ ! -s {tmp_path}/pid ]; do sleep 0.02; done\n"
        "echo 'pg_dump: error: query failed: permission denied for table t' >&2; exit 1",
    )
    with pytest.raises(SbsyncError, match="permission denied for table t") as caught:
        programs.run_on(ENDPOINT, [str(bad)], [str(slow)])
    assert "SELECT" in caught.value.hint
    pid = (tmp_path / "pid").read_text().strip()
    assert not Path("/proc", pid).exists()


@pytest.mark.parametrize("code", [0, 1])
def test_a_restore_hears_whatever_its_program_has_to_say(tmp_path: Path, code: int) -> None:
    loud = f"cat >/dev/null; head -c 300000 /dev/zero | tr '\\0' x >&2; echo line; exit {code}"
    fake(tmp_path, "pg_restore", loud)
    entry = Entry("1; 2 3 TABLE public t postgres", "TABLE", "public", "t", "postgres")
    heard: list[object] = []

    def listen() -> None:
        try:
            with restore._script(Backup(tmp_path, made(), tmp_path), "schema.dump", [entry]) as lines:
                heard.append(list(lines))
        except SbsyncError as error:
            heard.append(len(error.message) > 300_000)

    listening = Thread(target=listen, daemon=True)
    listening.start()
    listening.join(20)
    assert not listening.is_alive()
    assert heard == [[b"line\n"], *([True] if code else [])]


def test_a_program_that_says_nothing_is_named(tmp_path: Path) -> None:
    tool = fake(tmp_path, "pg_dump", "exit 3")
    with pytest.raises(SbsyncError, match=r"pg_dump ended with status 3"):
        programs.run([str(tool)])


@pytest.mark.parametrize(
    ("errors", "hint"),
    [
        ("pg_dump: error: could not write to output file: No space left on device", "Free space"),
        ("pg_dump: error: canceling statement due to statement timeout", "locked"),
        ("pg_dump: error: something else", "Nothing was changed"),
    ],
)
def test_what_a_program_says_leads_to_a_hint(errors: str, hint: str, tmp_path: Path) -> None:
    tool = fake(tmp_path, "pg_dump", f"echo '{errors}' >&2; exit 1")
    with pytest.raises(SbsyncError) as caught:
        programs.run([str(tool)])
    assert hint in caught.value.hint


def test_two_backups_of_one_second_get_two_names(tmp_path: Path) -> None:
    names = set()
    for _ in range(3):
        with backups.new_folder(tmp_path, "local-reset") as (partial, final):
            partial.rename(final)
            names.add(final.name)
    assert len(names) == 3
    assert all(re.fullmatch(r"\d{8}T\d{6}Z-local-reset(-\d)?", name) for name in names)


def test_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    def interrupted() -> None:
        with backups.new_folder(tmp_path, "x") as (partial, _):
            (partial / "schema.dump").touch()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []
