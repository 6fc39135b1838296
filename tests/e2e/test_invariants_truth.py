"""I6 and I9: a run ends with a proof or says plainly that it has none; histories are only touched by name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sbsync_tasks.databases.database import push
from sbsync_tasks.errors import SbsyncError
from sbsync_tasks.settings.project import ConfigToml
from sbsync_tasks.state.migrations import Migration, read_folder
from sbsync_tasks.supabase_cli import CliError, SupabaseCli
from sbsync_tasks.supabase_cli.binary import NEWEST_KNOWN, Binary, native
from tests.support.project import Project
from tests.support.watch import ADVICE, Recorder

pytestmark = [pytest.mark.cli, pytest.mark.e2e]

LATER = "20300101000000"
# Applies everywhere, and leaves more behind on the remote than on a shadow or the local database.
DIFFERENT_THERE = """do $$ begin
  if exists (select from public.teams where name = 'only there') then
    create table public.left_behind (id int primary key);
  end if;
end $$;
"""


@pytest.mark.parametrize("task", [pytest.param("local-to-remote", marks=pytest.mark.matrix), "push"])
def test_a_push_whose_proof_fails_says_that_the_remote_was_changed(project: Project, task: str) -> None:
    project.remote.run("insert into public.teams (name) values ('only there')")
    project.migration(LATER, "different", DIFFERENT_THERE)
    done = project.task(task, "--yes")
    assert done.code == 1, done.text
    assert "WAS changed" in done.stderr
    assert LATER in done.stderr
    assert "left_behind" in done.stderr
    assert "before-push" in done.stderr
    assert "equal as far as compared" not in done.text
    assert project.remote.has("public.left_behind")
    assert project.remote.history()[LATER]


def test_a_pull_whose_proof_fails_commits_and_records_nothing(project: Project) -> None:
    """A seed that makes another table each time: the local database is rebuilt, and is not what the remote is."""
    seed = (project.root / "supabase" / "seed.sql").read_text(encoding="utf-8")
    made = "do $$ begin execute 'create table public.from_seed_' || (random() * 1e9)::int || ' (id int)'; end $$;"
    project.write("supabase/seed.sql", f"{seed}\n{made}\n")
    project.commit_all("Seed")
    project.remote.run("create table public.made_remotely (id int primary key)")
    head, history = project.git("rev-parse", "HEAD"), project.remote.history()
    done = project.task("remote-to-local", "--yes")
    assert done.code == 1, done.text
    assert "from_seed" in done.stderr
    assert "equal as far as compared" not in done.text
    assert project.local.has("public.made_remotely")
    assert project.remote.history() == history
    assert project.git("rev-parse", "HEAD") == head


# --- conflicts of histories: stopped in our own words (test_stops.py), and the CLI's refusal is told in them ---


@pytest.fixture
def recorded_cli(project: Project, tmp_path: Path) -> Iterator[tuple[SupabaseCli, Recorder]]:
    recorder = Recorder(tmp_path / "bin")
    binary = Binary(recorder.stand_in(native(project.cli)), NEWEST_KNOWN, "a test")
    return SupabaseCli(binary, ConfigToml(project.root)), recorder


def test_the_clis_own_refusal_is_told_without_its_advice(
    project: Project, recorded_cli: tuple[SupabaseCli, Recorder]
) -> None:
    cli, _ = recorded_cli
    files = read_folder(project.root).migrations
    with pytest.raises(CliError) as caught:
        cli.push(project.remote.endpoint, files[:-1])
    assert caught.value.code == "DbPushMissingLocalError"
    assert not [word for word in ADVICE if word in f"{caught.value.message} {caught.value.hint}"], caught.value.message


def test_what_the_database_has_no_longer_recorded_is_never_taken_for_applied(
    project: Project, recorded_cli: tuple[SupabaseCli, Recorder]
) -> None:
    """A push gives the CLI the names alone of what is recorded; somebody takes a version out before it begins."""
    files = read_folder(project.root).migrations
    project.remote.run(f"delete from supabase_migrations.schema_migrations where version = '{files[-2].version}'")
    before = project.remote.history()
    late = Migration(LATER, "late", "create table public.late (id int primary key);\n")
    with pytest.raises(CliError, match="recorded as applied when the push began"):
        push(recorded_cli[0], project.remote.endpoint, "x", (*files, late), (late,), include_all=True)
    assert project.remote.history() == before
    assert not project.remote.has("public.late")


def test_a_repair_without_a_version_is_never_called(
    project: Project, recorded_cli: tuple[SupabaseCli, Recorder]
) -> None:
    cli, recorder = recorded_cli
    before = project.remote.history()
    with pytest.raises(SbsyncError, match="No version"):
        cli.mark_applied(project.remote.endpoint, ())
    assert recorder.calls() == []
    assert project.remote.history() == before
