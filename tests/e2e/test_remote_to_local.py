"""Remote changes reach the local database and git."""

import json

import pytest

from tests.support.changes import BY_HAND, CONCURRENT, ENUM_USED, TAGS
from tests.support.project import Project, text_of


def test_local_changes_stop_a_pull_until_they_are_recorded(project: Project) -> None:
    project.remote.run(BY_HAND)
    project.local.run(TAGS, "insert into public.tags values (1, 'mine')")
    before = project.snapshot()
    refused = project.task("remote-to-local", "--yes")
    assert refused.code == 4
    assert "public.tags" in refused.stderr
    assert project.snapshot() == before

    project.sync("remote-to-local", "--keep-local", "--no-reset", "--name", "from_remote")
    kept, pulled = project.version_of("local_changes"), project.version_of("from_remote")
    assert pulled < kept
    assert project.local.rows("select label from public.tags") == [("mine",)]
    assert project.local.has("public.by_hand")
    assert not project.remote.has("public.tags")
    assert pulled in project.remote.history()
    assert kept not in project.remote.history()
    assert {pulled, kept} <= set(project.local.history())
    assert "DROP" not in (
        project.migrations[f"{kept}_local_changes.sql"] + project.migrations[f"{pulled}_from_remote.sql"]
    )


def test_local_changes_can_be_dropped_once_they_are_backed_up(project: Project) -> None:
    project.remote.run(BY_HAND, "create index customers_by_name on public.customers (name)")
    project.local.run(TAGS, "insert into public.tags values (1, 'precious')")
    history = project.remote.history()
    assert project.local.value("select count(*) from public.customers")
    done = project.sync("remote-to-local", "--discard-local", "--json")
    assert "CREATE INDEX" in done.stderr
    assert "locking" not in done.stderr  # the remote has the index, and the local database is built anew

    assert not project.local.has("public.tags")
    assert project.local.has("public.by_hand")
    (path,) = done.data["backups"]
    assert "precious" in text_of(project.root / path)
    version = project.version_of("remote_changes")
    assert project.head == (
        "Add migration for remote changes",
        [f"supabase/migrations/{version}_remote_changes.sql"],
    )
    assert project.remote.history()[version]["statements"]
    assert done.data["proof"]["differences"] == []
    # Only that version was recorded, and the history was kept before.
    assert project.remote.history().keys() - history.keys() == {version}
    (kept,) = (project.root / ".sbsync" / "histories").iterdir()
    assert json.loads(kept.read_text(encoding="utf-8")) == list(history.values())
    assert kept.stat().st_mode & 0o777 == 0o600


@pytest.mark.matrix
def test_local_changes_are_recorded_once_where_the_newest_version_is_in_the_future(project: Project) -> None:
    project.migration("20990101000000", "future", "create table public.future (id int primary key);\n")
    project.sync("local-to-remote")
    project.remote.run(BY_HAND)
    project.local.run(TAGS)
    project.sync("remote-to-local", "--keep-local", "--name", "from_remote")
    kept, pulled = project.version_of("local_changes"), project.version_of("from_remote")
    assert "20990101000000" < pulled < kept
    assert kept in project.local.history()
    assert not project.remote.has("public.tags")
    project.sync("local-to-remote")
    assert list(project.local.history()) == list(project.remote.history()) == project.versions


@pytest.mark.matrix
def test_what_was_left_unrecorded_and_uncommitted_is_done_by_the_next_run(project: Project) -> None:
    project.remote.run(BY_HAND)
    head = project.head
    history = project.remote.history()
    first = project.sync("remote-to-local", "--no-record", "--no-commit")
    version = project.version_of("remote_changes")
    assert project.remote.history() == history
    assert project.head == head
    assert version in project.local.history()
    assert "not recorded on the remote" in first.stderr
    assert project.task("verify").code == 2

    project.sync("remote-to-local")
    assert project.remote.history()[version] == project.local.history()[version]
    assert project.head == ("Add migration for remote changes", [f"supabase/migrations/{version}_remote_changes.sql"])
    assert len([n for n in project.migrations if "remote_changes" in n]) == 1
    assert project.task("verify").code == 0


@pytest.mark.matrix
def test_without_a_reset_local_rows_stay(project: Project) -> None:
    project.remote.run(BY_HAND)
    project.local.run("insert into public.teams (name) values ('Mine')")
    project.write("staged.txt", "the user's own")
    project.git("add", "staged.txt")
    project.sync("remote-to-local", "--no-reset")
    assert project.local.has("public.by_hand")
    assert ("Mine",) in project.local.rows("select name from public.teams")
    assert project.local.history() == project.remote.history()
    assert project.head[1] == [f"supabase/migrations/{project.version_of('remote_changes')}_remote_changes.sql"]
    assert project.git("status", "--short") == "A  staged.txt"


@pytest.mark.matrix
def test_a_dry_run_writes_nothing(project: Project) -> None:
    project.remote.run(BY_HAND)
    before = project.snapshot()
    done = project.task("remote-to-local", "--dry-run", "--yes")
    assert done.code == 0, done.text
    assert "by_hand" in done.text
    assert project.task("remote-to-local").code == 4
    assert project.snapshot() == before


@pytest.mark.matrix
def test_one_change_may_take_several_files(project: Project) -> None:
    project.remote.run(*ENUM_USED)
    project.migration("20990101000000", "names_index", CONCURRENT)
    project.sync("remote-to-local", "--name", "overdue")
    made = [name.split("_")[0] for name in project.migrations if "overdue" in name]
    assert len(made) == 2
    local, remote = project.local, project.remote
    local.run("insert into public.reminders values (1)")
    assert local.rows("select status::text from public.reminders") == [("overdue",)]
    assert local.has("public.teams_name_idx")
    assert not remote.has("public.teams_name_idx")
    assert set(made) <= set(remote.history())
    assert "20990101000000" not in remote.history()
