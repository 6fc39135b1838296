"""What a failed push advises is followed here word for word, cause after cause; each time the next run gets further."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from sbsync_tasks.databases.embedded import as_admin, folder_of, server
from sbsync_tasks.databases.embedded.base import server_tree
from sbsync_tasks.databases.embedded.binaries import find_binaries
from sbsync_tasks.databases.embedded.place import account, home, private_dir
from tests.support import leftovers
from tests.support.plain_server import NASTY_PASSWORD, PlainServer
from tests.support.project import Done, Project

pytestmark = pytest.mark.matrix
# What the remote alone has; a file that waits or fails where this role is does so there, and on no shadow.
MARK = "create role the_remote nologin"
ON_THE_REMOTE = "if exists (select from pg_roles where rolname = 'the_remote') then {}; end if;"
BASE = """create role reader nologin;
create table public.p (id int primary key);
create table public.t (id int primary key, e text, n int, a int);
alter table public.p enable row level security;
alter table public.t enable row level security;
"""
ROWS = "insert into public.t values (1, 'x', 1, 7), (2, 'x', null, null), (3, 'y', 5, 9)"


def block(statement: str) -> str:
    return f"do $$ begin {ON_THE_REMOTE.format(statement)} end $$;\n"


def quoted(done: Done, begins: str) -> str:
    """The one command or statement in the advice that begins so."""
    (found,) = re.findall(rf"`({begins}[^`]*)`", done.stderr)
    return str(found)


@contextmanager
def administrator(project: Project) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    endpoint = project.remote.endpoint
    folder = folder_of(project.root, endpoint)
    assert folder
    with as_admin(folder, endpoint.port) as connection:
        yield connection


def as_administrator(project: Project, statement: str) -> None:
    with administrator(project) as connection:
        connection.execute(statement.encode())


def correct_rows(statement: str) -> Callable[[Project, Done], None]:
    """Look at the rows with the query that is given, and correct them there."""

    def follow(project: Project, done: Done) -> None:
        counted = re.search(r"(?:In the way|There more than once): (\d+) ", done.stderr)
        assert counted, done.stderr
        query = quoted(done, "select ").rstrip(";")
        assert len(project.remote.rows(query)) == int(counted[1])
        project.remote.run(statement)
        assert not project.remote.rows(query)

    return follow


def run_what_is_said(begins: str) -> Callable[[Project, Done], None]:
    return lambda project, done: project.remote.run(quoted(done, begins))


def grant(project: Project, _: Done) -> None:
    as_administrator(project, "alter role postgres createrole")


def begin_the_file(project: Project, done: Done) -> None:
    """Begin it with the statement that is given."""
    named = re.search(r"Begin (\S+) with `(.+?)`", done.stderr)
    assert named, done.stderr
    path = project.root / named[1]
    path.write_text(f"{named[2]}\n{path.read_text()}")


def only_again(project: Project, done: Done) -> None:
    """Nothing but to run it again, once what was in the way has gone."""
    assert "run the same command again" in done.stderr
    project.remote.run("drop role the_remote")


@dataclass(frozen=True)
class Cause:
    """Why a file fails on the remote alone.

    Attributes:
        sql: The file.
        said: What the message has to say of it.
        follow: Does what it says.
    """

    sql: str
    said: str
    follow: Callable[[Project, Done], None]


CAUSES = (
    Cause("create role made_later nologin;\n", "may not do this there", grant),
    Cause("alter table public.t alter n set not null;\n", "Rows that sandbox",
          correct_rows("update public.t set n = 4 where n is null")),
    Cause("create unique index t_e on public.t (e);\n", "Rows that sandbox",
          correct_rows("update public.t set e = 'z' where id = 2")),
    Cause("alter table public.t add constraint t_a foreign key (a) references public.p (id);\n", "Rows that sandbox",
          correct_rows("insert into public.p values (7), (9)")),
    Cause("alter table public.t add constraint t_n check (n > 3);\n", "Rows that sandbox",
          correct_rows("update public.t set n = 6 where n <= 3")),
    Cause("create policy t_read on public.t for select to reader using (true);\n", "Create it on sandbox",
          run_what_is_said("create role ")),
    Cause(block("perform pg_sleep(4)"), "longer than a statement may there", begin_the_file),
    Cause(block("perform pg_terminate_backend(pg_backend_pid())"), "connection broke off", only_again),
)  # fmt: skip


def ends_in_a_proof(project: Project) -> None:
    project.sync("local-to-remote", "--commit")
    assert project.task("verify").code == 0
    assert list(project.remote.history()) == list(project.local.history()) == project.versions
    assert project.git("status", "--short") == ""


def test_one_cause_after_the_other(with_release: Project) -> None:
    project = with_release
    project.migration("20990101000000", "base", BASE)
    project.sync("local-to-remote")
    project.remote.run(
        ROWS, MARK, "drop role reader", "alter role postgres in database postgres set statement_timeout = '3s'"
    )
    as_administrator(project, "alter role postgres nocreaterole")
    names = [project.migration(f"209901020000{i:02}", "c", cause.sql).name for i, cause in enumerate(CAUSES)]
    local = project.local.history()
    for i, cause in enumerate(CAUSES):
        done = project.task("push", "--yes")
        assert done.code == 1, done.text
        assert f"supabase/migrations/{names[i]} failed on sandbox (" in done.stderr
        assert cause.said in done.stderr
        assert "Traceback" not in done.text
        assert f"Not there: {', '.join(names[i:])}." in done.stderr
        assert project.remote.history().keys() == {*local, *(name.split("_")[0] for name in names[:i])}
        cause.follow(project, done)
    assert project.local.history() == local
    ends_in_a_proof(project)


@contextmanager
def once_it_waits(project: Project, does: Callable[[], None]) -> Iterator[None]:
    """Within the block, a push waits in a statement on the remote; then something happens there."""
    endpoint, over = project.remote.endpoint, threading.Event()

    def watch() -> None:
        waits = "select pid from pg_stat_activity where query ~ 'pg_sleep' and pid <> pg_backend_pid()"
        with psycopg.connect(**endpoint.conninfo(), autocommit=True) as connection:
            while not over.wait(0.1) and not connection.execute(waits).fetchone():
                pass
        does()

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_a_server_that_is_killed_in_the_middle_of_a_push(project: Project) -> None:
    project.migration("20990101000000", "first", "create table public.first (id int primary key);\n")
    project.migration(
        "20990102000000", "waits", f"{block('perform pg_sleep(60)')}create table public.second (id int);\n"
    )
    project.remote.run(MARK)
    folder = folder_of(project.root, project.remote.endpoint)
    assert folder
    with once_it_waits(project, lambda: server.stop(folder / "data", at_once=True)):
        done = project.task("push", "--yes")
    assert done.code == 1, done.text
    assert "Traceback" not in done.text
    assert "What of it the remote has cannot be told" in done.stderr
    assert "Run again when it can be reached" in done.stderr
    project.remote.run("drop role the_remote")  # starts it, too
    assert project.remote.has("public.first")
    assert not project.remote.has("public.second")
    ends_in_a_proof(project)
    assert project.remote.has("public.second")


def test_a_session_that_holds_a_lock_is_ended_as_advised(project: Project) -> None:
    project.migration("20990101000000", "c", "alter table public.teams add note text;\n")
    project.settings["SBSYNC_LOCK_TIMEOUT"] = "300ms"
    with suppress(psycopg.OperationalError), psycopg.connect(**project.remote.endpoint.conninfo()) as holder:
        holder.execute("select * from public.teams")
        done = project.task("push", "--yes")
        assert done.code == 1, done.text
        assert "20990101000000" not in project.remote.history()
        project.remote.run(quoted(done, "select pg_terminate_backend"))
        ends_in_a_proof(project)


def test_a_disk_that_is_full(project: Project) -> None:
    """The remote's files lie on a disk of 48 MB; then it gets bigger."""
    folder = folder_of(project.root, project.remote.endpoint)
    assert folder
    disk = folder / "disk"
    disk.mkdir()

    def mounted(option: str) -> bool:
        argv = ["mount", "-t", "tmpfs", "-o", option, "tmpfs", str(disk)]
        return subprocess.run(argv, capture_output=True, check=False).returncode == 0

    if os.geteuid() != 0 or not mounted("size=48m"):
        pytest.skip("a small disk can be mounted by root alone, and not in every container")
    try:
        account().own(disk)
        disk.chmod(0o700)
        move_to(project, disk)
        fill = "insert into public.big select repeat(md5(g::text), 25) from generate_series(1, 80000) g"
        project.migration("20990101000000", "big", f"create table public.big (t text);\n{block(fill)}")
        project.remote.run(MARK)
        done = project.task("push", "--yes")
        assert done.code == 1, done.text
        assert "The server's disk is full. Make room, then run the same command again." in done.stderr
        assert not project.remote.has("public.big")
        assert mounted("remount,size=1g")
        ends_in_a_proof(project)
        assert project.remote.value("select count(*) from public.big") == 80000
    finally:
        project.stop()
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def move_to(project: Project, disk: Path) -> None:
    """Move the remote's database there; a database is moved from another one."""
    endpoint = project.remote.endpoint
    as_administrator(project, "create database aside template postgres")
    as_administrator(project, f"create tablespace full_disk location '{disk}'")
    folder = folder_of(project.root, endpoint)
    assert folder
    with as_admin(folder, endpoint.port) as admin:
        known = admin.info
        with psycopg.connect(
            host=known.host, port=known.port, user=known.user, password=known.password, dbname="aside", autocommit=True
        ) as aside:
            admin.close()
            aside.execute("alter database postgres set tablespace full_disk")


@contextmanager
def without(extension: str) -> Iterator[tuple[PlainServer, Callable[[], None]]]:
    """A server with programs of its own, which lack an extension, and what installs it there."""
    bindir = server_tree(find_binaries(17))
    place = Path(tempfile.mkdtemp(dir=home("plain")))
    leftovers.note(place)
    (control,) = bindir.parent.rglob(f"extension/{extension}.control")
    programs, aside = place / "programs", place / control.name
    try:
        private_dir(place)
        subprocess.run(["cp", "-a", str(bindir.parent), str(programs)], check=True)
        installed = programs / control.relative_to(bindir.parent)
        installed.rename(aside)
        with PlainServer(bindir=programs / bindir.name) as plain:
            yield plain, lambda: aside.rename(installed) and None
    finally:
        shutil.rmtree(place)


def test_an_extension_that_the_remote_lacks(project: Project) -> None:
    with without("citext") as (plain, install):
        remote = project.urls["remote"] = plain.create_database("lacking")
        project.env = "plain"
        project.settings |= {"SBSYNC_LOCAL": "embedded", "PLAIN_PASSWORD": NASTY_PASSWORD}
        url = f"postgresql://{remote.user}@{remote.host}:{remote.port}/{remote.database}?sslmode=disable"
        project.write(".env.plain", f"SUPABASE_DB_URL={url}\nSUPABASE_DB_PASSWORD=${{PLAIN_PASSWORD}}\n")
        project.migration("20990101000000", "e", "create extension citext with schema extensions;\n")
        done = project.task("push", "--yes")
        assert done.code == 1, done.text
        assert "Switch the extension on in the dashboard (Database, Extensions), or install it on that" in done.stderr
        assert "20990101000000" not in project.remote.history()
        install()
        ends_in_a_proof(project)
        assert project.remote.value("select count(*) from pg_extension where extname = 'citext'") == 1


def test_a_history_that_others_have_changed(project: Project) -> None:
    """Columns of another tool's are nothing; a row that is no version, and a table that takes no row, are told."""
    table = "supabase_migrations.schema_migrations"
    project.remote.run(
        f"alter table {table} add column made_by text, add column rank int default 0 not null",
        f"insert into {table} (version, name) values ('initial', 'by hand')",
    )
    project.migration("20990101000000", "c", "create table public.c (id int primary key);\n")
    done = project.task("local-to-remote", "--yes")
    assert done.code == 4, done.text
    assert "has recorded initial (by hand), and there is no file." in done.stderr
    project.remote.run(quoted(done, "delete from "), f"alter table {table} alter rank drop default")
    done = project.task("push", "--yes")
    assert done.code == 1, done.text
    assert "c.sql was run to its end and could not be recorded on sandbox" in done.stderr
    assert f"{table} on sandbox (" in done.stderr
    assert "does not take what the CLI writes: correct that table" in done.stderr
    assert not project.remote.has("public.c")
    project.remote.run(f"alter table {table} alter rank set default 0")
    as_administrator(project, f"alter table {table} owner to supabase_admin")
    as_administrator(project, f"grant select on {table} to postgres")
    done = project.task("push", "--yes")
    assert done.code == 1, done.text
    assert not project.remote.has("public.c")
    as_administrator(project, quoted(done, "grant all on ").replace("…", "postgres"))
    ends_in_a_proof(project)
