"""Backups brought back: everything or single tables, as a superuser and as a role that is none."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sbsync_tasks.backups import Backup, restore
from sbsync_tasks.backups.take import scope
from sbsync_tasks.endpoint import Endpoint
from sbsync_tasks.errors import RefusedError, SbsyncError
from tests.support.contents import checksums, contents, schema
from tests.support.plain_server import PlainServer
from tests.support.project import Project
from tests.support.taken import backed_up, connect

EVERYTHING = (Path(__file__).parents[1] / "support" / "everything.sql").read_text(encoding="utf-8")
# What a whole restore has to take away.
MESS = """
create table public.mess (a int);
create schema other;
create table other.t ();
create view public.v as select 1 as a;
create function public.f() returns int language sql as 'select 1';
alter default privileges grant execute on functions to anon;
alter default privileges in schema public grant all on tables to authenticated;
create publication p for table public.mess;
insert into auth.users (id) values ('00000000-0000-0000-0000-000000000002');
insert into storage.buckets (id, name) values ('mess', 'mess');
"""
# What PostgreSQL 15.20 writes as a table is made; its pg_dump knows it, that of 15.18 does not.
NUMBERED = """
update pg_attribute a set attoptions = '{pg_attver=24919560}' || attoptions from pg_class c
where c.oid = attrelid and relkind in ('r', 'v', 'p', 'f', 'm', 'c') and attnum > 0 and attrelid >= 16384
"""
CYCLE = ("public.teams", "public.people")


@pytest.fixture(scope="module")
def original(server: PlainServer) -> Endpoint:
    endpoint = server.create_database("original")
    with connect(endpoint) as connection:
        connection.execute(EVERYTHING.encode())
    return endpoint


@pytest.fixture(scope="module")
def backup(original: Endpoint, tools: Path, tmp_path_factory: pytest.TempPathFactory) -> Backup:
    return backed_up(original, tools, tmp_path_factory.mktemp("backups"), None)


@pytest.fixture(scope="module")
def copy(server: PlainServer, original: Endpoint) -> Callable[[str], Endpoint]:
    def made(name: str) -> Endpoint:
        with connect(server.admin("postgres")) as admin:
            admin.execute(f'create database "{name}" template "{original.database}" owner postgres')
        return Endpoint(original.host, original.port, name, original.user, original.password, original.options)

    return made


def bring_back(endpoint: Endpoint, backup: Backup, *tables: str) -> None:
    with connect(endpoint) as connection:
        restore.rows(connection, backup, scope(connection, tables).data)


@pytest.mark.parametrize("role", ["superuser", "postgres"])
def test_the_dump_of_what_was_restored_is_the_dump_of_the_original(
    role: str, server: PlainServer, original: Endpoint, backup: Backup, tools: Path
) -> None:
    target = server.create_database(f"whole {role}")
    with connect(target) as connection:
        connection.execute(MESS.encode())
    with connect(server.admin(target.database) if role == "superuser" else target) as connection:
        assert restore.whole(connection, backup) == ()
    before = contents(tools, original)
    assert before.unlike(contents(tools, target)) == []
    assert before.rows["app.log"][0] == 124  # what the triggers have told, once
    with connect(target) as connection:
        values = "select nextval('public.counter'), nextval('public.teams_id_seq')"
        assert connection.execute(values).fetchone() == (11, 140)


def test_the_numbers_that_a_newer_server_gives_to_columns_are_left_there(
    server: PlainServer, copy: Callable[[str], Endpoint], original: Endpoint, tools: Path, tmp_path: Path
) -> None:
    newer, target = copy("newer"), server.create_database("older")
    with connect(server.admin("newer")) as admin:
        admin.execute(NUMBERED)
    taken = backed_up(newer, tools, tmp_path, None)
    with connect(target) as connection:
        assert restore.whole(connection, taken) == ()
    assert contents(tools, original).unlike(contents(tools, target)) == []


SERVICES = """
create table auth.identities (id int primary key, user_id uuid references auth.users (id) on delete cascade);
alter table auth.identities owner to supabase_auth_admin;
grant all on auth.identities to postgres;
insert into auth.identities select 1, id from auth.users;
revoke supabase_auth_admin, supabase_storage_admin from postgres;
"""


def test_rows_of_the_services_come_back_where_nothing_of_theirs_may_be_changed(tools: Path, tmp_path: Path) -> None:
    with PlainServer() as server:
        target = server.create_database("platform")
        with connect(target) as connection:
            connection.execute(EVERYTHING.encode())
        with connect(server.admin("platform")) as admin:
            admin.execute(SERVICES)
        made = backed_up(target, tools, tmp_path, None)
        before = contents(tools, server.admin("platform"))
        with connect(target) as connection:
            connection.execute("update public.people set boss = null; create table public.mess ()")
            connection.execute("delete from auth.users; insert into auth.users (id) values (gen_random_uuid())")
            restore.whole(connection, made)
        assert before.unlike(contents(tools, server.admin("platform"))) == []

        with connect(server.admin("platform")) as admin:
            admin.execute("revoke set on parameter session_replication_role from postgres")
        with pytest.raises(SbsyncError, match="session_replication_role") as caught, connect(target) as connection:
            restore.whole(connection, made)
        assert "as it was" in caught.value.hint
        assert before.unlike(contents(tools, server.admin("platform"))) == []
        with connect(target) as connection:
            connection.execute("update public.people set boss = null")
        with connect(server.admin("platform")) as admin:
            admin.execute("alter role postgres nobypassrls")  # an owner whom `force row level security` holds back
        bring_back(target, made, *CYCLE)
        assert before.unlike(contents(tools, server.admin("platform"))) == []


def test_single_tables_come_back_as_they_were_in_a_cycle_of_keys(
    copy: Callable[[str], Endpoint], original: Endpoint, backup: Backup, tools: Path
) -> None:
    target = copy("tables")
    with connect(target) as connection:
        connection.execute("update public.teams set name = name || 'x'; delete from public.people where id > 60")
        connection.execute(
            "delete from app.events where v > 3; insert into public.teams (name, mail) values ('n', 'n@n')"
        )
        connection.execute("update public.people set boss = null where id = 2; update public.teams set captain = null")
        connection.execute("delete from public.people where id = 1")
        connection.execute("update public.untold set team = 100; select nextval('public.teams_id_seq')")
        connection.execute("delete from app.log")
    bring_back(target, backup, *CYCLE, "app.events", "public.untold")
    assert schema(tools, target) == schema(tools, original)
    with connect(target) as connection:
        assert connection.execute("select count(*) from app.log").fetchone() == (0,)  # nothing told of it
    there, rows = checksums(target), checksums(original)
    assert {n for n in rows if there[n] != rows[n]} == {"app.log"}


def test_rows_that_do_not_fit_the_others_leave_everything_as_it_was(
    copy: Callable[[str], Endpoint], backup: Backup, tools: Path
) -> None:
    target = copy("unfit")
    with connect(target) as connection:
        connection.execute("insert into public.teams (name, mail) values ('new', 'n@n')")
        connection.execute("insert into public.people (team, first) select max(id), 'new' from public.teams")
    before = contents(tools, target)
    with pytest.raises(SbsyncError, match="people_team_fkey") as caught:
        bring_back(target, backup, "public.teams")
    assert "(140) is not present" in caught.value.message
    assert "as it was" in caught.value.hint
    with pytest.raises(SbsyncError, match=r"no table public\.absent"):
        bring_back(target, backup, "public.absent")
    assert before.unlike(contents(tools, target)) == []


def test_a_backup_of_single_tables_fills_only_these_and_says_so(
    server: PlainServer, original: Endpoint, tools: Path, tmp_path: Path
) -> None:
    part = backed_up(original, tools, tmp_path, ["public.people", "app.events"])
    target = server.create_database("part")
    with pytest.raises(RefusedError, match=r"does not have the rows of public\.teams"), connect(target) as connection:
        restore.whole(connection, part, ["public.teams"])
    assert "public.teams" not in checksums(target)
    with connect(target) as connection:
        restore.whole(connection, part)
    there, rows = checksums(target), checksums(original)
    filled = {name for name, (count, _) in there.items() if count and name in rows}
    assert {"public.people", "app.events_25", "app.events_rest"} <= filled
    assert there["public.people"] == rows["public.people"]
    assert there["public.teams"][0] == 0
    assert "people_team_fkey" not in schema(tools, target)


SCRIPT = """
import sys
from pathlib import Path
import psycopg
from sbsync_tasks.backups import Backup, read, restore
folder, tools, *pairs = sys.argv[1:]
with psycopg.connect(**dict(p.split("=", 1) for p in pairs), autocommit=True) as connection:
    restore.whole(connection, Backup(Path(folder), read(Path(folder)), Path(tools)))
"""


def test_killed_in_the_middle_it_leaves_the_database_as_it_was(
    copy: Callable[[str], Endpoint], server: PlainServer, backup: Backup, tools: Path
) -> None:
    target = copy("killed")
    with connect(target) as connection:
        connection.execute("drop table public.untold")
    before = contents(tools, target)
    pairs = [f"{key}={value}" for key, value in target.conninfo().items()]
    argv = [sys.executable, "-c", SCRIPT, str(backup.path), str(backup.tools), *pairs]
    child = subprocess.Popen(argv, env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])})
    busy = "select pid from pg_stat_activity where datname = 'killed' and query like 'COPY%'"
    with connect(server.admin("postgres")) as admin:
        deadline = time.monotonic() + 60
        while not admin.execute(busy).fetchone():
            assert child.poll() is None
            assert time.monotonic() < deadline
        child.send_signal(signal.SIGKILL)
        child.wait()
        while admin.execute("select 1 from pg_stat_activity where datname = 'killed'").fetchone():
            time.sleep(0.05)
    assert before.unlike(contents(tools, target)) == []


# Runs a task; while its question is open, a migration is saved.
SAVED_MEANWHILE = """
import pathlib, sys
from invoke.main import program
from sbsync_tasks.run import review
approve = review.approve
def meanwhile(run, *rest):
    pathlib.Path("supabase/migrations/20990101000002_meanwhile.sql").write_text("select 1;\\n")
    return approve(run, *rest)
review.approve = meanwhile
program.run(["invoke", *sys.argv[1:]])
"""


def with_files_that_cannot_be_read(project: Project) -> None:
    """A pointer of git-lfs and a file that is no UTF-8 among the migrations."""
    project.migration("20990101000000", "pointer", "version https://git-lfs.github.com/spec/v1\n")
    project.migration("20990101000001", "latin", "").write_bytes(b"-- \xe9\n")
    assert project.task("status").code == 1


def damaged(project: Project) -> None:
    """The local database with something gone and something new."""
    project.local.run(
        "drop table public.invoice_lines cascade", "truncate public.customers cascade", "create table public.more ()"
    )


def test_the_task_asks_then_brings_a_backup_back_or_makes_a_scratch_database_of_it(
    project: Project, tools: Path
) -> None:
    project.local.run("create role keeper", "grant select on public.teams to keeper")  # a scratch server lacks it
    before, remote = contents(tools, project.local.endpoint), contents(tools, project.remote.endpoint)
    made = project.task("backup", "--local").stdout.strip()
    damaged(project)
    after = contents(tools, project.local.endpoint)
    with_files_that_cannot_be_read(project)
    folders = sorted((project.root / ".sbsync" / "backups").iterdir())
    for args, code in (((), 4), (("--dry-run",), 0), (("--to-scratch",), 4)):
        looked = project.task("restore", "--backup", made, *args)
        assert (looked.code, looked.stdout) == (code, ""), looked.text
        assert "schema, history, and" in looked.stderr
    assert sorted((project.root / ".sbsync" / "backups").iterdir()) == folders
    assert not project.clusters.exists("restored")

    scratch = project.task("restore", "--backup", made, "--to-scratch", "--yes")
    assert scratch.code == 0, scratch.text
    copied = project.clusters.start("restored")
    assert copied.password not in scratch.text
    shown = project._run([str(tools / "psql"), scratch.stdout.strip(), "-Atc", "select current_user"], project.root, {})
    assert shown.stdout == "postgres\n", shown.text
    assert before.unlike(contents(tools, copied)) == []
    assert after.unlike(contents(tools, project.local.endpoint)) == []
    back = project.script(SAVED_MEANWHILE, "restore", "--env", "sandbox", "--backup", made, "--yes", "--json")
    assert back.code == 0, back.text
    assert (project.root / "supabase/migrations/20990101000002_meanwhile.sql").exists()
    assert before.unlike(contents(tools, project.local.endpoint)) == []
    chosen = project.root / back.data["backup"]
    once = ("restore", "--env", "sandbox", "--backup", chosen.name, "--yes")
    again = project.invoke(*once, settings={"SBSYNC_BACKUP_KEEP": "1"})
    assert again.code == 0, again.text
    assert after.unlike(contents(tools, project.local.endpoint)) == []
    assert chosen.is_dir()  # which is older than the one that this restore has made
    assert len([*chosen.parent.glob("*-local-before-restore*")]) == 2  # maybe both of one second
    passfile = project.root / ".sbsync" / "passfiles" / "restored"
    assert passfile.is_file()
    assert project.invoke("sandbox.down", "--json").data["removed"] == ["restored"]
    assert not project.clusters.exists("restored")
    assert not passfile.exists()
    assert remote.unlike(contents(tools, project.remote.endpoint)) == []


@pytest.mark.matrix
def test_what_was_there_before_a_restore_single_tables_and_backups_of_the_remote(project: Project, tools: Path) -> None:
    before, remote = contents(tools, project.local.endpoint), contents(tools, project.remote.endpoint)
    made = project.task("backup", "--local").stdout.strip()
    damaged(project)
    after = contents(tools, project.local.endpoint)
    back = project.task("restore", "--backup", made, "--yes", "--json").data["backup"]
    assert project.task("restore", "--backup", back, "--yes").code == 0
    assert after.unlike(contents(tools, project.local.endpoint)) == []
    customers = project.task("restore", "--backup", made, "--table", "public.customers", "--yes")
    assert customers.code == 0, customers.text
    assert "public.customers (1)" in customers.stderr
    assert checksums(project.local.endpoint)["public.customers"] == before.rows["public.customers"]

    for tables in ((), ("--table", "public.customers")):
        one = project.task("restore", "--backup", made, "--to-scratch", *tables, "--yes", "--json")
        assert one.code == 0, one.text
    assert "throw away" in " ".join(action["does"] for action in one.data["plan"])
    assert "restored" in project.invoke("sandbox.status").stdout
    counts = {name: count for name, (count, _) in checksums(project.clusters.start("restored")).items()}
    assert counts["public.customers"] == before.rows["public.customers"][0] > 0
    assert counts["public.invoices"] == 0

    of_remote = project.task("backup").stdout.strip()
    assert project.task("restore", "--backup", of_remote, "--yes").code == 0
    assert remote.unlike(contents(tools, project.local.endpoint)) == []
    assert remote.unlike(contents(tools, project.remote.endpoint)) == []
