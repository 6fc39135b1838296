"""Local changes reach the remote."""

import json
import re

import pytest

from tests.support.changes import CONCURRENT, ENUM_USED, TAGS
from tests.support.project import Project, text_of


def test_with_a_reset_the_local_database_is_rebuilt_and_its_rows_are_in_the_backup(project: Project) -> None:
    project.local.run(
        TAGS, "insert into public.tags values (1, 'mine')", "insert into public.teams (name) values ('x')"
    )
    done = project.sync("local-to-remote", "--name", "add tags", "--json")

    version = project.version_of("add_tags")
    local, remote = project.local, project.remote
    assert local.value("select count(*) from public.tags") == 0
    assert local.rows("select name from public.teams") == [("Harbour Studio",)]  # the seeds, and nothing else
    assert remote.has("public.tags")
    assert remote.history()[version] == local.history()[version]
    assert remote.history()[version]["name"] == "add_tags"
    assert "tags" in " ".join(remote.history()[version]["statements"])
    assert done.data["proof"]["in_sync"] is True
    assert done.data["pushed"] == [version]
    before_reset, before_push = (project.root / path for path in done.data["backups"])
    assert "mine" in text_of(before_reset)
    assert json.loads((before_push / "manifest.json").read_text(encoding="utf-8"))
    # Committing is asked for with --commit; until then the file is in the work tree only.
    assert project.git("status", "--short") == f"?? supabase/migrations/{version}_add_tags.sql"


def test_without_a_reset_local_rows_stay_and_the_version_is_recorded(project: Project) -> None:
    project.local.run(TAGS, "insert into public.tags values (1, 'mine')")
    project.write("notes.txt", "staged by the user")
    project.git("add", "notes.txt")
    done = project.sync("local-to-remote", "--no-reset", "--commit", "--json")

    version = project.version_of("local_changes")
    assert project.local.rows("select label from public.tags") == [("mine",)]
    assert project.local.history()[version] == project.remote.history()[version]
    assert project.remote.value("select count(*) from public.tags") == 0
    assert [path for path in done.data["backups"] if "before-reset" in path] == []
    assert project.head == (
        "Add migration for local changes",
        [f"supabase/migrations/{version}_local_changes.sql"],
    )
    assert project.git("status", "--short") == "A  notes.txt"

    # Now there is nothing to do: no backup, no file, no commit, and a proof all the same.
    before = project.snapshot()
    again = project.sync("local-to-remote", "--json")
    assert project.snapshot() == before
    assert (again.data["backups"], again.data["plan"], again.data["proof"]["in_sync"]) == ([], [], True)


@pytest.mark.matrix
def test_a_dry_run_writes_nothing_and_bad_names_are_refused(project: Project) -> None:
    project.local.run(TAGS)
    before = project.snapshot()
    done = project.task("local-to-remote", "--dry-run")
    assert done.code == 0, done.text
    assert "create table" in done.text.lower()
    for name in ("../evil", "a;b", "é", "x" * 101):
        assert project.task("local-to-remote", "--yes", "--name", name).code == 3
    assert project.invoke("--dry", "local-to-remote", "--env", "sandbox", "--yes").code == 0
    refused = project.task("local-to-remote")  # no terminal, no --yes
    assert refused.code == 4
    assert project.snapshot() == before
    assert not list((project.root / ".sbsync" / "backups").glob("*-before-push*"))[1:]  # only that of the template


def test_drift_of_the_remote_stops_and_can_be_ignored(project: Project) -> None:
    project.remote.run("create table public.by_hand (id int primary key)", "insert into public.by_hand values (1)")
    project.local.run(TAGS)
    before = project.snapshot()
    refused = project.task("local-to-remote", "--yes")
    assert refused.code == 4
    assert "public.by_hand" in refused.stderr
    assert project.snapshot() == before

    done = project.sync("local-to-remote", "--ignore-drift", "--json")
    assert project.remote.has("public.tags")
    assert project.remote.rows("select id from public.by_hand") == [(1,)]
    assert not project.local.has("public.by_hand")
    assert "by_hand" not in " ".join(project.migrations.values())
    assert done.data["proof"]["in_sync"] is False  # what was ignored is still said
    assert any("by_hand" in d["name"] for d in done.data["proof"]["known_drift"])


@pytest.mark.matrix
def test_one_change_may_take_several_files(project: Project) -> None:
    project.migration("20260301000000", "names_index", CONCURRENT)
    project.local.run(*ENUM_USED)
    project.sync("local-to-remote", "--name", "overdue")

    made = [name for name in project.migrations if "overdue" in name]
    assert len(made) == 2
    for database in (project.local, project.remote):
        database.run("insert into public.reminders values (1)")
        assert database.rows("select status::text from public.reminders") == [("overdue",)]
        assert database.has("public.teams_name_idx")
        assert set(database.history()) == set(project.versions)
    assert project.task("verify").code == 0


@pytest.mark.matrix
def test_a_rename_that_looks_like_a_loss_keeps_its_rows_as_the_error_says(project: Project) -> None:
    made = "create table public.plain (id int primary key, note text);\ncreate table public.other (a int, b text);\n"
    project.migration("20260201000000", "plain", made)
    project.sync("local-to-remote")
    project.remote.run("insert into public.plain values (1, 'kept')", "insert into public.other values (2, 'kept')")
    project.local.run(
        "alter table public.plain drop column note, add column remark text", "alter table public.other rename to others"
    )
    before = project.snapshot()
    refused = project.task("local-to-remote", "--yes")
    assert refused.code == 4, refused.text
    assert project.snapshot() == before
    statements = [
        "ALTER TABLE public.other RENAME TO others;", "ALTER TABLE public.plain RENAME COLUMN note TO remark;"
    ]  # fmt: skip
    said = refused.stderr[refused.stderr.index("error:") :]
    assert sorted(line.strip() for line in said.splitlines() if line.strip() in statements) == statements
    assert "--allow-data-loss public.other" in said

    command = re.search(r"`invoke (diff [^`]+)`", said)
    assert command
    assert project.invoke(*command[1].split()).code == 0
    version = project.version_of("renamed")
    project.migration(version, "renamed", "\n".join(statements) + "\n")
    project.sync("local-to-remote")
    assert project.remote.rows("select id, remark from public.plain") == [(1, "kept")]
    assert project.remote.rows("select a, b from public.others") == [(2, "kept")]
    assert version in project.local.history()
