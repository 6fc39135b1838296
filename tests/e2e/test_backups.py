"""Backups on a real PostgreSQL: taken as a role without special rights, restored, broken on purpose."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest

from sbsync_tasks import backups
from sbsync_tasks.backups import Backup, check
from sbsync_tasks.backups import take as taking
from sbsync_tasks.backups.take import take
from sbsync_tasks.databases.catalog import compare, read_catalog
from sbsync_tasks.endpoint import Endpoint
from sbsync_tasks.errors import MissingToolError, SbsyncError
from tests.support.plain_server import PlainServer
from tests.support.taken import backed_up, connect

pytestmark = pytest.mark.e2e

SCHEMA = """
create type public.mood as enum ('sad', 'happy');
create sequence public.counter start 5;
select nextval('public.counter');
create table public.people (id bigint generated always as identity primary key, name text not null, m public.mood);
create table public."Odd. Name" (id serial primary key, "Ümlaut" text);
create schema app;
create table app.events (at date not null, v int) partition by range (at);
create table app.events_25 partition of app.events for values from ('2025-01-01') to ('2026-01-01');
create table app.events_26 partition of app.events for values from ('2026-01-01') to ('2027-01-01');
create view public.names with (security_invoker = true) as select name from public.people;
create materialized view public.how_many as select count(*) as n from public.people;
create function public.f() returns int language sql as 'select 1';
alter table public.people enable row level security;
alter table public.people force row level security;
create policy mine on public.people to authenticated using (id = 1);
grant select on public.people to anon;
insert into public.people (name, m) select 'n' || i, 'happy' from generate_series(1, 50) i;
insert into public."Odd. Name" ("Ümlaut") values ('ä'), (null);
insert into app.events values ('2025-05-05', 1), ('2026-06-06', 2), ('2026-07-07', 3);
refresh materialized view public.how_many;
create schema supabase_migrations;
create table supabase_migrations.schema_migrations (version text primary key, statements text[], name text);
insert into supabase_migrations.schema_migrations values ('20260101000000', array['create table a ()', 'x'], 'first');
"""  # fmt: skip
# A role of the user's that owns nothing and may read nothing.
WEAK = "create role sbsync_weak login password 'weak'"


@pytest.fixture(scope="module")
def endpoint(server: PlainServer) -> Endpoint:
    endpoint = server.create_database("backed_up")
    with connect(endpoint) as connection:
        connection.execute(SCHEMA.encode())
    with connect(server.admin("backed_up")) as connection:
        connection.execute(WEAK)
    return endpoint


def restored(server: PlainServer, backup: Backup, name: str) -> Endpoint:
    with connect(server.admin("postgres")) as connection:
        connection.execute(f"drop database if exists {name} with (force)".encode())
        connection.execute(f"create database {name} template template0".encode())
    target = server.admin(name)
    files = [f.name for f in backup.manifest.files if f.name.endswith(".dump")]
    for file in sorted(files, reverse=True):
        subprocess.run(
            [backup.tools / "pg_restore", "--exit-on-error", "--disable-triggers",
             f"--dbname={target.url}", backup.path / file],
            env={"PGPASSWORD": target.password}, check=True,
        )  # fmt: skip
    return target


def count(endpoint: Endpoint, table: str) -> int:
    with connect(endpoint) as connection:
        return connection.execute(f"select count(*) from {table}".encode()).fetchone()[0]


def finals(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if not path.name.startswith(backups.PARTIAL)]


@pytest.fixture(scope="module")
def whole(endpoint: Endpoint, tools: Path, tmp_path_factory: pytest.TempPathFactory) -> Backup:
    return backed_up(endpoint, tools, tmp_path_factory.mktemp("whole") / "backups", None)


def test_a_whole_backup_comes_back_as_it_was(whole: Backup, endpoint: Endpoint, server: PlainServer) -> None:
    target = restored(server, whole, "whole_back")
    with connect(server.admin("backed_up")) as old, connect(target) as new:
        assert [d.summary for d in compare(read_catalog(old), read_catalog(new))] == []
    assert {(t.schema, t.name) for t in whole.manifest.tables} >= {
        ("public", "people"), ("public", "Odd. Name"), ("app", "events_25"), ("app", "events_26"), ("auth", "users"),
        ("storage", "objects"), ("supabase_migrations", "schema_migrations"),
    }  # fmt: skip
    for table in whole.manifest.tables:
        assert count(target, f'"{table.schema}"."{table.name}"') == table.rows
    assert count(target, "public.people") == 50
    with connect(target) as connection:
        values = "select nextval('public.counter'), nextval('public.people_id_seq')"
        assert connection.execute(values).fetchone() == (6, 51)
        assert connection.execute('select "Ümlaut" from public."Odd. Name" order by id').fetchall() == [("ä",), (None,)]


def test_its_folder_is_private_and_named_after_time_label_and_reason(whole: Backup) -> None:
    assert whole.path.name.endswith("Z-local-before-reset")
    assert whole.path.parent.stat().st_mode & 0o777 == 0o700
    assert whole.path.stat().st_mode & 0o777 == 0o700
    assert {p.name: p.stat().st_mode & 0o777 for p in whole.path.iterdir()} == dict.fromkeys(
        ("schema.dump", "data.dump", "history.json", "roles.sql", "manifest.json"), 0o600
    )


def test_the_manifest_says_what_was_backed_up_and_what_not(whole: Backup, server: PlainServer) -> None:
    it = whole.manifest
    with connect(server.admin("backed_up")) as connection:
        query = "select system_identifier::text, current_setting('server_version') from pg_control_system()"
        assert connection.execute(query).fetchone() == (it.system_identifier, it.server_version)
    assert (it.label, it.reason, it.database, it.whole) == ("local", "before-reset", "backed_up", True)
    assert it.tools.startswith("pg_dump (PostgreSQL) 17")
    assert any("passwords" in line for line in it.left_out)
    assert backups.read(whole.path) == it


def test_history_and_roles_are_kept_without_passwords(whole: Backup) -> None:
    history = json.loads((whole.path / backups.HISTORY).read_text())
    assert history == [
        {"version": "20260101000000", "statements": ["create table a ()", "x"], "name": "first"},
    ]
    roles = (whole.path / backups.ROLES).read_text()
    assert "CREATE ROLE anon;" in roles
    assert "SCRAM" not in roles


def test_named_tables_keep_their_rows_and_partitions_and_nothing_else(
    endpoint: Endpoint, tools: Path, tmp_path: Path, server: PlainServer
) -> None:
    made = backed_up(endpoint, tools, tmp_path, ["app.events", "public.Odd. Name"])
    assert [(t.name, t.rows) for t in made.manifest.tables] == [("events_25", 1), ("events_26", 2), ("Odd. Name", 2)]
    target = restored(server, made, "named_back")
    assert (count(target, "app.events"), count(target, "public.people")) == (3, 0)
    with connect(target) as connection:
        assert connection.execute("select nextval('public.\"Odd. Name_id_seq\"')").fetchone() == (3,)


def test_no_tables_means_no_data_file(endpoint: Endpoint, tools: Path, tmp_path: Path) -> None:
    made = backed_up(endpoint, tools, tmp_path, [])
    assert not (made.path / backups.DATA).exists()
    assert not made.manifest.whole
    check(made)


def test_a_database_without_history_has_an_empty_one(server: PlainServer, tools: Path, tmp_path: Path) -> None:
    made = backed_up(server.create_database("no_history"), tools, tmp_path, None)
    assert json.loads((made.path / backups.HISTORY).read_text()) == []


def test_rows_schema_and_counts_are_of_one_moment(
    endpoint: Endpoint, tools: Path, tmp_path: Path, server: PlainServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = taking._write

    def late(*args: object) -> None:
        with connect(endpoint) as connection:
            connection.execute("insert into public.people (name) values ('late')")
            connection.execute("create table public.late ()")
        write(*args)

    monkeypatch.setattr(taking, "_write", late)
    try:
        made = backed_up(endpoint, tools, tmp_path, ["public.people"])
    finally:
        with connect(endpoint) as connection:
            connection.execute("delete from public.people where name = 'late'")
            connection.execute("drop table public.late")
    target = restored(server, made, "moment_back")
    assert count(target, "public.people") == made.manifest.tables[0].rows == 50
    with pytest.raises(psycopg.errors.UndefinedTable):
        count(target, "public.late")


@pytest.mark.parametrize("name", ["schema.dump", "data.dump", "history.json", "roles.sql"])
@pytest.mark.parametrize("damage", ["flip", "cut", "remove"])
def test_a_damaged_file_is_found(name: str, damage: str, whole: Backup, tmp_path: Path) -> None:
    copy = Backup(tmp_path / "copy", whole.manifest, whole.tools)
    subprocess.run(["cp", "-r", whole.path, copy.path], check=True)
    check(copy)
    file = copy.path / name
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    {"flip": lambda: file.write_bytes(content), "cut": lambda: file.write_bytes(content[:-1]), "remove": file.unlink}[
        damage
    ]()
    with pytest.raises(SbsyncError, match=f"not complete: {name}"):
        check(copy)


def test_an_archive_that_pg_restore_cannot_read_to_its_end_is_found(whole: Backup, tmp_path: Path) -> None:
    # The manifest agrees with the damaged file here: only reading it tells.
    folder = tmp_path / "copy"
    subprocess.run(["cp", "-r", whole.path, folder], check=True)
    data = folder / backups.DATA
    data.write_bytes(data.read_bytes()[:-40])  # its list of contents stands before the rows
    content = json.loads((folder / backups.MANIFEST).read_text())
    files = [f for f in content["files"] if f["name"] != backups.DATA]
    described = backups.describe(data)
    files.append({"name": described.name, "sha256": described.sha256, "bytes": described.bytes})
    (folder / backups.MANIFEST).write_text(json.dumps(content | {"files": files}))
    with pytest.raises(SbsyncError, match=r"data\.dump cannot be read"):
        check(Backup(folder, backups.read(folder), whole.tools))


def test_an_archive_that_lacks_a_table_is_found(whole: Backup, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    subprocess.run(["cp", "-r", whole.path, folder], check=True)
    content = json.loads((folder / backups.MANIFEST).read_text())
    content["tables"].append({"schema": "public", "name": "absent", "rows": 1})
    (folder / backups.MANIFEST).write_text(json.dumps(content))
    with pytest.raises(SbsyncError, match=r"lacks public\.absent"):
        check(Backup(folder, backups.read(folder), whole.tools))
    with pytest.raises(SbsyncError, match="was changed"):
        check(Backup(folder, whole.manifest, whole.tools))


def test_a_table_that_may_not_be_read_is_named_and_nothing_is_left(
    endpoint: Endpoint, tools: Path, tmp_path: Path
) -> None:
    weak = Endpoint(endpoint.host, endpoint.port, endpoint.database, "sbsync_weak", "weak", endpoint.options)
    with pytest.raises(SbsyncError, match=r"permission denied to read .*people") as caught:
        backed_up(weak, tools, tmp_path, [])
    assert "SELECT" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_rows_that_row_security_would_hide_are_no_smaller_backup(
    endpoint: Endpoint, server: PlainServer, tools: Path, tmp_path: Path
) -> None:
    weak = Endpoint(endpoint.host, endpoint.port, endpoint.database, "sbsync_weak", "weak", endpoint.options)
    with connect(server.admin("backed_up")) as connection:
        connection.execute("grant pg_read_all_data to sbsync_weak")
        try:
            with pytest.raises(SbsyncError, match="row-level security"):
                backed_up(weak, tools, tmp_path, ["public.people"])
        finally:
            connection.execute("revoke pg_read_all_data from sbsync_weak")
    assert list(tmp_path.iterdir()) == []


def test_a_table_that_is_not_there_is_an_error(endpoint: Endpoint, tools: Path, tmp_path: Path) -> None:
    with pytest.raises(SbsyncError, match=r"no table public\.absent"):
        backed_up(endpoint, tools, tmp_path, ["public.absent"])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("tables", [["public.people"], None])
def test_a_locked_table_fails_after_a_while(
    tables: list[str] | None, endpoint: Endpoint, tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking, "LOCK_WAIT", "100ms")
    with connect(endpoint) as other, other.transaction():
        other.execute("lock table app.events_25")
        with pytest.raises(SbsyncError, match="timeout") as caught:
            backed_up(endpoint, tools, tmp_path, tables)
    assert "locked" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_a_missing_tool_leaves_nothing(endpoint: Endpoint, tmp_path: Path) -> None:
    with pytest.raises(MissingToolError, match="pg_dump could not be run"):
        backed_up(endpoint, tmp_path / "none", tmp_path / "backups", None)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_nothing(endpoint: Endpoint, tools: Path, tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, before[1]))
    try:
        with pytest.raises(SbsyncError, match=r"pg_dump|written"):
            backed_up(endpoint, tools, tmp_path, None)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []


def test_a_lost_connection_leaves_nothing(endpoint: Endpoint, tools: Path, tmp_path: Path) -> None:
    with connect(endpoint) as connection:
        pid = connection.info.backend_pid
        with connect(endpoint) as other:
            other.execute("select pg_terminate_backend(%s)", [pid])
        with pytest.raises(SbsyncError, match="backup failed"):
            take(
                endpoint=endpoint, tools=tools, directory=tmp_path, label="l", reason="r", tables=None,
                connection=connection,
            )  # fmt: skip
    assert list(tmp_path.iterdir()) == []


def test_a_transaction_that_is_open_is_refused(endpoint: Endpoint, tools: Path, tmp_path: Path) -> None:
    with (
        connect(endpoint) as connection,
        connection.transaction(),
        pytest.raises(SbsyncError, match="subtransaction"),
    ):
        take(
            endpoint=endpoint, tools=tools, directory=tmp_path, label="l", reason="r", tables=None,
            connection=connection,
        )  # fmt: skip
    assert list(tmp_path.iterdir()) == []


TAKE = """
import json, sys
from pathlib import Path
import psycopg
from sbsync_tasks.backups.take import take
from sbsync_tasks.endpoint import Endpoint
given = json.loads(sys.stdin.read())
endpoint = Endpoint(**given["endpoint"])
with psycopg.connect(**endpoint.conninfo(), autocommit=True) as connection:
    take(endpoint=endpoint, tools=Path(given["tools"]), directory=Path(given["folder"]), label="l", reason="r",
         tables=["public.people"], connection=connection)
"""  # fmt: skip


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGINT])
def test_killed_in_the_middle_it_leaves_no_backup(
    sign: signal.Signals, endpoint: Endpoint, tools: Path, tmp_path: Path
) -> None:
    given = {
        "endpoint": {
            "host": endpoint.host, "port": endpoint.port, "database": endpoint.database, "user": endpoint.user,
            "password": endpoint.password, "options": dict(endpoint.options),
        },
        "tools": str(tools), "folder": str(tmp_path),
    }  # fmt: skip
    waiting = "select pid from pg_stat_activity where application_name = 'sbsync backup' and wait_event_type = 'Lock'"
    with connect(endpoint) as other, connect(endpoint) as watcher, other.transaction():
        # pg_dump waits for this lock, so that the middle is where the signal comes.
        other.execute("lock table app.events_25")
        with subprocess.Popen(
            [sys.executable, "-c", TAKE], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=Path.cwd()
        ) as child:
            child.stdin.write(json.dumps(given).encode())
            child.stdin.close()
            for _ in range(600):
                if watcher.execute(waiting).fetchall() or child.poll() is not None:
                    break
                time.sleep(0.05)
            assert watcher.execute(waiting).fetchall()
            os.kill(child.pid, sign)
            assert child.wait() != 0
        assert finals(tmp_path) == []
        if sign == signal.SIGINT:
            assert list(tmp_path.iterdir()) == []
    made = backed_up(endpoint, tools, tmp_path, [])
    assert finals(tmp_path) == [made.path.name]


def test_the_password_stands_in_no_argument(
    endpoint: Endpoint, tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    start = subprocess.Popen

    def watched(argv: list[str], **how: Any) -> subprocess.Popen[bytes]:
        seen.extend(map(str, argv))
        return start(argv, **how)

    monkeypatch.setattr(subprocess, "Popen", watched)
    made = backed_up(endpoint, tools, tmp_path, None)
    assert len(seen) > 10
    assert not any(endpoint.password in part for part in seen)
    assert endpoint.password not in (made.path / backups.MANIFEST).read_text()
