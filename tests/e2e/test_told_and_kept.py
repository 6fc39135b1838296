"""What is recognised by its effect, told in the plan, and kept: the cases in which a short cut would lose something."""

import pytest

from tests.support.project import Project, text_of

TABLE = "create table public.made (id int primary key);\n"
ROWS = "insert into public.teams (name) values ('from a migration');\n"


def names(project: Project, side: str) -> list[str]:
    return [row[0] for row in getattr(project, side).rows("select name from public.teams order by name")]


@pytest.mark.matrix
def test_a_file_that_changes_rows_alone_is_pushed_and_not_taken_for_applied(project: Project) -> None:
    project.migration("20260401000000", "made", TABLE)
    project.migration("20260402000000", "rows", ROWS)
    project.remote.run(TABLE)  # by hand: the first one's effect is there, and nobody has run the second
    done = project.sync("local-to-remote", "--json")
    assert done.data["recorded"] == ["20260401000000"]
    assert done.data["pushed"] == ["20260402000000"]
    assert "from a migration" in names(project, "remote")
    assert list(project.remote.history()) == project.versions


def test_where_it_cannot_be_told_nothing_is_recorded(project: Project) -> None:
    project.migration("20260401000000", "made", TABLE)
    project.migration("20260402000000", "rows", ROWS)
    project.migration("20260403000000", "more", "create table public.more (id int primary key);\n")
    project.remote.run(TABLE, "create table public.more (id int primary key)")
    before = project.snapshot()
    done = project.task("local-to-remote", "--yes")
    assert done.code == 4
    assert "20260402000000_rows.sql" in done.stderr
    assert project.snapshot() == before


@pytest.mark.matrix
def test_what_is_only_recorded_stands_in_the_plan(project: Project) -> None:
    project.migration("20260401000000", "made", TABLE)
    project.remote.run(TABLE)
    done = project.task("local-to-remote", "--dry-run", "--json")
    (push,) = [action for action in done.data["plan"] if action["action"] == "push"]
    assert (push["record"], push["migrations"]) == (["20260401000000_made.sql"], [])
    assert "push" not in push["does"]


@pytest.mark.matrix
def test_without_a_rebuild_too_rows_are_backed_up_before_a_migration_can_take_them(project: Project) -> None:
    project.local.run("insert into public.customers (team_id, name) select id, 'kept in a backup' from public.teams")
    project.migration("20260401000000", "colleague", "alter table public.customers drop column name cascade;\n")
    done = project.sync(
        "local-to-remote", "--no-reset", "--json", "--allow-data-loss", "public.customers.name",
    )  # fmt: skip
    saved = next(project.root / path for path in done.data["backups"] if "before-reset" in path)
    assert "kept in a backup" in text_of(saved)


@pytest.mark.matrix
def test_the_rows_that_a_push_changes_are_backed_up_and_those_it_reaches(project: Project) -> None:
    project.remote.run("insert into public.teams (name) values ('before the push')")
    project.migration("20260401000000", "update", "update public.teams set name = 'after' where name like 'before%';\n")
    done = project.sync("local-to-remote", "--json")
    (backup,) = [action for action in done.data["plan"] if action["does"].startswith("back up sandbox")]
    assert set(backup["risk"]["tables"]) >= {"public.teams", "public.team_members"}  # its rows go with their team
    saved = next(project.root / path for path in done.data["backups"] if "before-push" in path)
    assert "before the push" in text_of(saved)


@pytest.mark.matrix
def test_a_pull_alone_renames_nothing(project: Project) -> None:
    tight = str(int(max(project.remote.history())) + 1)
    project.migration(tight, "colleague", TABLE)
    project.remote.run("create table public.by_hand (id int primary key)")
    before = project.snapshot()
    done = project.task("pull")
    assert done.code == 4
    assert "remote-to-local" in done.stderr
    assert project.snapshot() == before


@pytest.mark.matrix
def test_a_commit_alone_is_asked_for_too(project: Project) -> None:
    project.remote.run("create table public.by_hand (id int primary key)")
    project.sync("remote-to-local", "--no-record", "--no-commit")
    before = project.snapshot()
    assert project.task("remote-to-local", "--no-record").code == 4
    assert project.snapshot() == before


@pytest.mark.matrix
def test_a_filter_never_lets_a_rebuild_drop_what_it_hides(project: Project) -> None:
    project.local.run("create schema app", "create table app.mine (id int primary key)")
    project.remote.run("create table public.by_hand (id int primary key)")
    done = project.invoke("remote-to-local", "--env", project.env, "--yes", settings={"SBSYNC_SCHEMAS": "public"})
    assert done.code == 4
    assert "app.mine" in done.stderr
    assert project.local.has("app.mine")


@pytest.mark.matrix
def test_a_credential_in_a_pulled_migration_is_not_committed(project: Project) -> None:
    token = "sb_secret_" + "a1B2" * 8
    project.remote.run(f"create function public.hook() returns text language sql as $$ select 'Bearer {token}' $$")
    head = project.git("rev-parse", "HEAD")
    done = project.task("remote-to-local", "--yes")
    assert done.code == 4
    assert token not in done.text
    assert project.git("rev-parse", "HEAD") == head
    project.sync("remote-to-local", "--no-commit")
    assert project.git("rev-parse", "HEAD") == head
