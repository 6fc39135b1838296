"""supabase/roles.sql and the seed files of config.toml are run as the CLI runs them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.project import Project


@pytest.mark.matrix
def test_roles_and_every_seed_file_are_run(project: Project) -> None:
    config = project.root / "supabase" / "config.toml"
    text = config.read_text(encoding="utf-8")
    project.write("supabase/config.toml", text.replace('["./seed.sql"]', '["./seed.sql", "./seeds/*.sql"]'))
    project.write("supabase/seeds/01_marks.sql", "insert into public.marks values (1, 'first seed');\n")
    project.write("supabase/seeds/02_marks.sql", "insert into public.marks values (2, 'second seed');\n")
    project.write("supabase/roles.sql", "create role reporting;\n")
    project.remote.run("create role reporting")  # roles.sql is for new databases; the remote's are its own
    project.migration(
        "20260401000000",
        "marks",
        "create role auditing nologin;\n"
        "create table public.marks (id int primary key, note text not null);\n"
        "grant select on public.marks to auditing, reporting;\n",
    )
    project.sync("local-to-remote")
    local, remote = project.local, project.remote
    assert local.rows("select note from public.marks order by id") == [("first seed",), ("second seed",)]
    assert local.rows("select name from public.teams") == [("Harbour Studio",)]
    assert remote.rows("select note from public.marks") == []
    for database in (local, remote):
        for role in ("auditing", "reporting"):
            assert database.value(f"select has_table_privilege('{role}', 'public.marks', 'select')") is True
    assert project.task("verify").code == 0

    # A reset makes the same again, on a new server, out of the files alone.
    local.run("delete from public.marks")
    assert project.task("reset", "--yes").code == 0
    assert project.local.rows("select note from public.marks order by id") == [("first seed",), ("second seed",)]


@pytest.mark.matrix
def test_what_is_declined_does_not_wait_for_seeds_that_take_long(project: Project) -> None:
    project.write("supabase/seed.sql", "select pg_sleep(3600);\n")  # longer than a test waits for a task
    project.local.run("create table public.made (id int primary key)")
    before = project.snapshot()
    done = project.task("local-to-remote")
    assert (done.code, "Cannot ask for confirmation" in done.stderr) == (4, True), done.text
    assert project.snapshot() == before
    assert "local-next" not in project.clusters.names()


@pytest.mark.parametrize("version", ["", pytest.param("2.122.1", marks=pytest.mark.matrix)])
def test_a_role_that_the_remote_lacks_is_told_before_the_push(
    project: Project, cli: Callable[[str], Path], version: str
) -> None:
    """After a public report: the push failed, and following its advice broke the local side."""
    project.cli = cli(version) if version else project.cli
    project.write(
        "supabase/roles.sql",
        "create role app_reader nologin;\ncreate user app_writer password 'hush-hush';\n"
        "alter role authenticated set statement_timeout = '9s';\n",
    )
    project.migration(
        "20260401000000", "a",
        "create table public.a (id int primary key);\nalter table public.a enable row level security;\n"
        "grant select on public.a to app_reader;\ngrant insert on public.a to app_writer;\n",
    )  # fmt: skip
    project.remote.run("create role only_there nologin")  # one that nothing belongs to is no difference
    before = project.snapshot()
    done = project.task("local-to-remote", "--yes")
    assert done.code == 4, done.text
    assert "sandbox (" in done.stderr
    assert "lacks roles that pending files need. Nothing was changed." in done.stderr
    assert "  - app_reader (20260401000000_a.sql, line 3)" in done.stderr
    assert "hush-hush" not in done.text
    assert project.snapshot() == before

    # The advice, word for word.
    _, _, statements = done.stderr.partition("then run the same command again:\n")
    project.remote.run(*(line for line in statements.splitlines() if line.strip()))
    done = project.sync("local-to-remote", "--json")
    assert done.data["proof"]["in_sync"] is True
    for database in (project.local, project.remote):
        assert database.value("select has_table_privilege('app_reader', 'public.a', 'select')") is True
    assert project.task("reset", "--yes").code == 0


@pytest.mark.matrix
def test_a_role_that_the_remote_has_already_is_told_before_the_push(project: Project) -> None:
    """Made by hand on both sides, as roles of a server are, and granted something locally."""
    for database in (project.local, project.remote):
        database.run("create role app_reader nologin")
    project.local.run("create table public.a (id int primary key)", "grant select on public.a to app_reader")
    before = project.snapshot()
    done = project.task("local-to-remote", "--yes")
    assert done.code == 4, done.text
    assert "has roles already that pending files make. Nothing was changed.\n  - app_reader (" in done.stderr
    assert project.snapshot() == before

    # The advice, word for word.
    _, _, statements = done.stderr.partition("then run the same command again:\n")
    project.write("supabase/roles.sql", statements)
    done = project.sync("local-to-remote", "--json")
    assert done.data["proof"]["in_sync"] is True
    assert "app_reader" not in "".join(
        line for line in project.migrations.popitem()[1].splitlines() if "CREATE" in line
    )
    for database in (project.local, project.remote):
        assert database.value("select has_table_privilege('app_reader', 'public.a', 'select')") is True
