"""The embedded PostgreSQL, for real: started, found again, copied, replaced, broken and healed."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
import uuid
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from sbsync_tasks.databases.database import Database
from sbsync_tasks.databases.embedded import Clusters, _endpoint, base, binaries, server
from sbsync_tasks.databases.embedded.base import server_tree
from sbsync_tasks.databases.embedded.binaries import find_binaries
from sbsync_tasks.databases.embedded.place import account, place_of
from sbsync_tasks.endpoint import Endpoint
from sbsync_tasks.errors import SbsyncError

pytestmark = pytest.mark.e2e
REPOSITORY = Path(__file__).parents[2]
START = """
import sys
from pathlib import Path
from sbsync_tasks.databases.embedded import Clusters
from sbsync_tasks.databases.embedded.binaries import find_binaries
endpoint = Clusters(Path(sys.argv[1]), find_binaries(None)).start(sys.argv[2])
print(endpoint.port)
"""
DOCS_SQL = """
create extension if not exists "uuid-ossp" with schema extensions;
create table public.profiles (
  id uuid not null references auth.users on delete cascade, first_name text, primary key (id)
);
alter table public.profiles enable row level security;
create policy "Own profile" on public.profiles for select to authenticated using ((select auth.uid()) = id);
create function public.handle_new_user() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id, first_name) values (new.id, new.raw_user_meta_data ->> 'first_name');
  return new;
end $$;
create trigger on_auth_user_created after insert on auth.users
  for each row execute procedure public.handle_new_user();
create table public.notes (id uuid primary key default extensions.uuid_generate_v4(), body text);
alter publication supabase_realtime add table public.notes;
insert into storage.buckets (id, name) values ('avatars', 'avatars');
create policy "Own folder" on storage.objects for insert to authenticated
  with check (bucket_id = 'avatars' and (storage.foldername(name))[1] = (select auth.uid()::text));
create policy "Public buckets" on storage.buckets for select using (public);
create policy "Own topic" on realtime.messages for select to authenticated using ((select realtime.topic()) = 'room');
create role app nologin;
create extension pg_trgm with schema extensions;
create extension hstore;
set session_replication_role = replica;
reset session_replication_role;
"""


@pytest.fixture(scope="module")
def clusters(tmp_path_factory: pytest.TempPathFactory):
    made = Clusters(tmp_path_factory.mktemp("project"), find_binaries(None), durable=False)
    yield made
    made.remove_all()


@pytest.fixture(scope="module")
def db(clusters: Clusters):
    """A database that tests share and leave as they found it."""
    return clusters.start("shared")


@pytest.fixture
def temporary(clusters: Clusters):
    """A cluster of the test's own."""
    yield "temporary"
    clusters.remove("temporary")


def query(endpoint, sql, *, autocommit: bool = True):
    with psycopg.connect(**endpoint.conninfo(), autocommit=autocommit) as connection:
        cursor = connection.execute(sql)
        return cursor.fetchall() if cursor.description else []


def admin(clusters: Clusters, name: str) -> Endpoint:
    """A running cluster's database, as the superuser."""
    return _endpoint(clusters._folder(name), clusters.start(name).port, base.ADMIN)


def pid_of(clusters: Clusters, name: str) -> int:
    up = server.find_running(clusters._folder(name) / "data")
    assert up is not None
    return up.pid


def is_alive(pid: int) -> bool:
    return bool(server._command(pid))


def in_background(code: str, *argv: str, **extra) -> subprocess.Popen[str]:
    environment = {"PATH": os.defpath, "HOME": os.environ["HOME"], "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-c", code, *argv]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment | extra)


def test_starts_is_found_again_and_stops(clusters: Clusters, temporary: str) -> None:
    first = clusters.start(temporary)
    pid = pid_of(clusters, temporary)
    assert clusters.exists(temporary)
    assert clusters.running(temporary)
    assert temporary in clusters.names()
    assert clusters.start(temporary) == first
    assert pid_of(clusters, temporary) == pid
    query(first, "create table kept (n int); insert into kept values (1)")
    clusters.stop(temporary)
    assert not clusters.running(temporary)
    assert not is_alive(pid)
    assert query(clusters.start(temporary), "select n from kept") == [(1,)]


def test_removed_leaves_nothing(clusters: Clusters) -> None:
    clusters.start("gone")
    pid = pid_of(clusters, "gone")
    clusters.remove("gone")
    assert not is_alive(pid)
    assert not clusters.exists("gone")
    assert [p.name for p in place_of(clusters._root).glob("gone*")] == []


def test_another_process_finds_it_and_its_pipe_ends(clusters: Clusters, temporary: str) -> None:
    """A server that kept its starter's output open would hang whoever reads that to its end."""
    started = in_background(START, str(clusters._root), temporary)
    out, err = started.communicate(timeout=60)
    assert started.returncode == 0, err
    assert clusters.start(temporary).port == int(out)
    pid = pid_of(clusters, temporary)
    assert os.getsid(pid) not in (os.getsid(0), started.pid)


def test_processes_at_once_get_one_server(clusters: Clusters, temporary: str) -> None:
    started = [in_background(START, str(clusters._root), temporary) for _ in range(3)]
    answers = [(p.communicate(timeout=90), p.returncode) for p in started]
    assert [code for _, code in answers] == [0, 0, 0], answers
    assert len({out for (out, _), _ in answers}) == 1


def test_clone_keeps_everything_and_is_independent(clusters: Clusters, temporary: str) -> None:
    source = clusters.start("source")
    query(source, "create role only_there; create table t (n int); insert into t values (7)")
    clusters.clone("source", temporary)
    copy = clusters.start(temporary)
    assert query(copy, "select n from t") == [(7,)]
    assert query(copy, "select rolname from pg_roles where rolname = 'only_there'")
    query(copy, "drop role only_there; delete from t")
    source = clusters.start("source")
    assert query(source, "select n from t") == [(7,)]
    with pytest.raises(SbsyncError, match="exists already"):
        clusters.clone("source", temporary)
    clusters.remove("source")
    with pytest.raises(SbsyncError, match="There is no embedded database source"):
        clusters.clone("source", "other")


def test_every_cluster_has_an_identity_of_its_own(clusters: Clusters, db, temporary: str) -> None:
    """A file copy keeps the system identifier; by that alone the servers would be taken for one."""
    one, two = (Database("local", "embedded", clusters.start(n), n, n).identity() for n in ("shared", temporary))
    assert one.system == two.system
    assert one != two
    assert one == Database("remote", "url", clusters.start("shared"), "r", "r").identity()


def test_replace_swaps(clusters: Clusters, temporary: str) -> None:
    query(clusters.start(temporary), "create table old ()")
    query(clusters.start("next"), "create table new ()")
    clusters.replace(temporary, "next")
    tables = "select relname from pg_class where relname in ('old', 'new')"
    assert query(clusters.start(temporary), tables) == [("new",)]
    assert not clusters.exists("next")


@pytest.mark.parametrize("stage", ["decided", "old one aside"])
def test_interrupted_replace_is_finished(clusters: Clusters, temporary: str, stage: str) -> None:
    query(clusters.start(temporary), "create table old ()")
    query(clusters.start("next"), "create table new ()")
    for name in (temporary, "next"):
        clusters.stop(name)
    clusters._folder("next").rename(clusters._beside(temporary, "next"))
    if stage == "old one aside":
        clusters._folder(temporary).rename(clusters._beside(temporary, "old"))
    assert temporary in clusters.names()
    endpoint = clusters.start(temporary)
    assert query(endpoint, "select to_regclass('new') is not null") == [(True,)]
    assert [p.name for p in place_of(clusters._root).glob(f"{temporary}*")] == [temporary]


def test_killed_server_is_healed(clusters: Clusters, temporary: str) -> None:
    durable = Clusters(clusters._root, find_binaries(None))  # a throw-away one may lose its last commit
    query(durable.start(temporary), "create table kept ()")
    pid = pid_of(clusters, temporary)
    os.kill(pid, signal.SIGKILL)
    while is_alive(pid):
        time.sleep(0.001)
    assert query(durable.start(temporary), "select count(*) from kept") == [(0,)]


def test_stale_pid_of_a_foreign_process_is_healed(clusters: Clusters, temporary: str) -> None:
    """The number of a killed server may be another program's by now; ours is such a one."""
    clusters.start(temporary)
    pid_file = clusters._folder(temporary) / "data" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    clusters.stop(temporary)
    sleeper = subprocess.Popen(["sleep", "60"], **account().run_as())
    try:
        pid_file.write_text("\n".join([str(sleeper.pid), *lines[1:]]) + "\n")
        account().own(pid_file)
        assert not clusters.running(temporary)
        assert query(clusters.start(temporary), "select 1") == [(1,)]
        clusters.stop(temporary)
        assert sleeper.poll() is None
    finally:
        sleeper.kill()
        sleeper.wait()


@pytest.mark.parametrize("left", ["data/base", "data/global", ""])
def test_half_made_folders_are_healed(clusters: Clusters, temporary: str, left: str) -> None:
    (place_of(clusters._root) / temporary / left).mkdir(parents=True)
    (place_of(clusters._root) / f"{temporary}.0a1b.new" / "data").mkdir(parents=True)
    assert not clusters.exists(temporary)
    assert query(clusters.start(temporary), "select 1") == [(1,)]
    assert [p.name for p in place_of(clusters._root).glob(f"{temporary}*")] == [temporary]


def test_taken_port_is_changed(clusters: Clusters, temporary: str) -> None:
    import socket

    port = clusters.start(temporary).port
    clusters.stop(temporary)
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port))
        taken.listen()
        again = clusters.start(temporary)
    assert again.port != port
    assert query(again, "select 1") == [(1,)]


def test_a_server_that_cannot_start_says_why(clusters: Clusters, temporary: str) -> None:
    clusters.start(temporary)
    clusters.stop(temporary)
    conf = clusters._folder(temporary) / "data" / "postgresql.conf"
    conf.write_text(conf.read_text() + "shared_buffers = nonsense\n")
    with pytest.raises(SbsyncError, match=r"did not start: .*configuration file") as caught:
        clusters.start(temporary)
    assert "log" in caught.value.hint


def test_other_major_version_is_explained(clusters: Clusters, temporary: str) -> None:
    clusters.start(temporary)
    clusters.stop(temporary)
    version = clusters._folder(temporary) / "data" / "PG_VERSION"
    version.write_text("9\n")
    with pytest.raises(SbsyncError, match="was made by PostgreSQL 9"):
        clusters.start(temporary)


def test_password_is_private_and_needed(clusters: Clusters, db) -> None:
    for role, endpoint in (("postgres", db), ("supabase_admin", admin(clusters, "shared"))):
        secret = clusters._folder("shared") / f"{role}.password"
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600
        assert endpoint.password == secret.read_text()
        assert endpoint.password not in endpoint.url + repr(endpoint)
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            query(replace(endpoint, password="wrong"), "select 1")
        for command in Path("/proc").glob("[0-9]*/cmdline"):
            assert endpoint.password.encode() not in _read(command)
    assert admin(clusters, "shared").password != db.password


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_throw_away_and_durable_settings(clusters: Clusters, db, temporary: str) -> None:
    asked = "select current_setting('fsync'), current_setting('full_page_writes'), current_setting('wal_level')"
    assert query(db, asked) == [("off", "off", "logical")]
    durable = Clusters(clusters._root, find_binaries(None)).start(temporary)
    assert query(durable, asked) == [("on", "on", "logical")]
    assert query(durable, "select current_setting('timezone'), current_setting('server_encoding')") == [("UTC", "UTF8")]


def test_only_loopback_listens(db) -> None:
    asked = "select current_setting('listen_addresses'), current_setting('unix_socket_directories')"
    assert query(db, asked) == [("127.0.0.1", "")]


def test_names_that_are_paths_are_refused(clusters: Clusters) -> None:
    for name in ("../x", "a/b", ".hidden", "", "x.new"):
        with pytest.raises(SbsyncError, match="cannot be the name"):
            clusters.start(name)


def test_postgres_is_what_it_is_on_the_platform(db) -> None:
    attributes = "rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls"
    asked = f"select {attributes} from pg_roles where rolname = current_user"
    assert query(db, asked) == [(False, True, True, True, True)]
    assert query(db, "select current_database(), pg_get_userbyid(datdba) from pg_database "
                     "where datname = current_database()") == [("postgres", "postgres")]  # fmt: skip


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("create table auth.mine ()", "permission denied for schema auth"),
        ("create function storage.f() returns int language sql return 1", "permission denied for schema storage"),
        ("alter table storage.objects enable row level security", "must be owner of table storage.objects"),
        ("alter table auth.users add column mine text", "must be owner of table auth.users"),
        ("create index on auth.users (aud)", "must be owner of index"),
        ("drop table auth.users cascade", "must be owner of table auth.users"),
        ("drop function auth.jwt()", r"must be owner of function auth.jwt\(\)"),
        ("copy (select 1) to program 'true'", "permission denied to COPY"),
        ("set role supabase_auth_admin", "permission denied to set role"),
        ("create role root superuser", "permission denied to create role"),
    ],
)
def test_postgres_may_not_do_what_the_platform_refuses(db, sql: str, message: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match=message):
        query(db, sql)


def test_what_the_documentation_tells_to_run_works(clusters: Clusters, temporary: str) -> None:
    endpoint = clusters.start(temporary)
    query(endpoint, DOCS_SQL)
    someone = str(uuid.uuid4())
    query(
        endpoint, f"insert into auth.users (id, raw_user_meta_data) values ('{someone}', '{{\"first_name\": \"Eva\"}}')"
    )
    as_user = f'set role authenticated; set request.jwt.claims = \'{{"sub": "{someone}"}}\'; '
    with psycopg.connect(**endpoint.conninfo()) as connection:
        connection.execute(as_user)
        assert connection.execute("select first_name from profiles").fetchall() == [("Eva",)]
        insert = "insert into storage.objects (bucket_id, name) values ('avatars', %s)"
        connection.execute(insert, [f"{someone}/me.png"])
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
            connection.execute(insert, ["other/me.png"])
    published = "select tablename from pg_publication_tables where pubname = 'supabase_realtime'"
    assert query(endpoint, published) == [("notes",)]
    query(endpoint, "drop trigger on_auth_user_created on auth.users")


def test_new_tables_in_public_are_open_to_the_api_roles(clusters: Clusters, temporary: str) -> None:
    endpoint = clusters.start(temporary)
    query(endpoint, "create table t (id serial); create function f() returns int language sql return 1")
    for role in ("anon", "authenticated", "service_role"):
        table = f"has_table_privilege('{role}', 't', 'insert')"
        asked = f"select {table}, has_sequence_privilege('{role}', 't_id_seq', 'usage')"
        assert query(endpoint, asked) == [(True, True)]


def test_missing_extensions_fail_in_postgresqls_own_words(db) -> None:
    with pytest.raises(psycopg.errors.FeatureNotSupported, match='extension "postgis" is not available'):
        query(db, "create extension postgis")


def test_uuid_functions_agree_with_python(db) -> None:
    names = ["", "python.org", "ä€😀", "x" * 39, "x" * 40, "x" * 103, "x" * 104, "y" * 1000]
    with psycopg.connect(**db.conninfo()) as connection:
        for name in names:
            row = connection.execute(
                "select uuid_generate_v3(uuid_ns_url(), %(n)s), uuid_generate_v5(uuid_ns_dns(), %(n)s)",
                {"n": name},
            ).fetchone()
            assert row == (uuid.uuid3(uuid.NAMESPACE_URL, name), uuid.uuid5(uuid.NAMESPACE_DNS, name))
        fixed = connection.execute("select uuid_nil(), uuid_ns_oid(), uuid_ns_x500()").fetchone()
        assert fixed == (uuid.UUID(int=0), uuid.NAMESPACE_OID, uuid.NAMESPACE_X500)
        made = connection.execute(
            "select uuid_generate_v1(), uuid_generate_v1mc(), uuid_generate_v4(), "
            "(extract(epoch from clock_timestamp()) * 1000)::bigint"
        ).fetchone()
    assert [value.version for value in made[:3]] == [1, 1, 4]
    assert all(value.variant == uuid.RFC_4122 for value in made[:3])
    assert all(value.node >> 40 & 1 for value in made[:2])
    since_1970 = (made[0].time - 0x01B21DD213814000) / 10_000
    assert abs(since_1970 - made[3]) < 60_000


def test_a_server_that_is_reached_through_a_link_is_the_same(tmp_path: Path) -> None:
    found = find_binaries(None)
    link = tmp_path / "link"
    link.symlink_to(found.bindir.parent, target_is_directory=True)
    linked = server_tree(replace(found, bindir=link / found.bindir.name))
    assert linked == server_tree(found)
    assert (linked / "postgres").is_file()
    assert not list(linked.parent.glob("tmp"))


def test_a_damaged_server_tree_is_not_believed(tmp_path: Path) -> None:
    from sbsync_tasks import folders

    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "postgres").write_text("program")
    assert not folders.is_whole(tmp_path)
    folders.seal(tmp_path)
    assert folders.is_whole(tmp_path)
    (tmp_path / "bin" / "postgres").write_text("prog")
    assert not folders.is_whole(tmp_path)


def test_base_id_follows_what_is_in_the_base(clusters: Clusters, tmp_path: Path, monkeypatch) -> None:
    before = clusters.base_id
    monkeypatch.setattr(base, "_ours", base._ours.__wrapped__)
    shutil.copytree(base.SQL, tmp_path / "sql")
    monkeypatch.setattr(base, "SQL", tmp_path / "sql")
    assert base.base_id(find_binaries(None)) == before
    (tmp_path / "sql" / "99-more.sql").write_text("select 1;")
    assert base.base_id(find_binaries(None)) != before


def test_another_major_version_of_the_systems_own(tmp_path: Path) -> None:
    """A distribution's server has its parts far from each other, and is as good."""
    others = {b.major for b in binaries._servers("")} - {binaries.PREFERRED_MAJOR}
    if not others:
        pytest.skip("only one major version of PostgreSQL is installed here")
    other = Clusters(tmp_path, find_binaries(max(others)))
    try:
        endpoint = other.start("db")
        assert query(endpoint, "show server_version")[0][0].startswith(f"{max(others)}.")
        query(endpoint, "create policy p on storage.objects using (true); create extension pg_trgm")
        assert query(endpoint, "select uuid_generate_v5(uuid_ns_dns(), 'python.org')")
        assert other.base_id != Clusters(tmp_path, find_binaries(None)).base_id
    finally:
        other.remove_all()
