"""Hosted projects, by their ref and by `supabase link`: the same run on every CLI, and never another project."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import pytest

from tests.support import hosted
from tests.support.hosted import Hosted, Listener, host_of, named, new_address, new_ref
from tests.support.project import Data, Done, Project

pytestmark = [
    pytest.mark.cli,
    pytest.mark.e2e,
    pytest.mark.skipif(bool(hosted.missing()), reason=hosted.missing()),
]
VERSIONS = ("3.1.0", "3.0.0", "2.122.1", "2.115.0")
LINK = "supabase/.temp/project-ref"
POOLER = "supabase/.temp/pooler-url"


def change(name: str) -> tuple[str, ...]:
    """A table with a policy."""
    return (
        f"create table public.{name} (id bigint primary key, note text not null)",
        f"alter table public.{name} enable row level security",
        f'create policy "read {name}" on public.{name} for select to authenticated using (true)',
    )


def arrived(database: Data, name: str) -> None:
    """Look for both in the database."""
    assert database.value(f"select relrowsecurity from pg_class where oid = 'public.{name}'::regclass") is True
    assert database.rows(f"select policyname, roles::text from pg_policies where tablename = '{name}'") == [
        (f"read {name}", "{authenticated}")
    ]


def quoted(text: str) -> str:
    """A value for a dotenv file, in single quotes."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


@pytest.fixture(scope="module")
def platform(synced: Project) -> Iterator[Hosted]:
    """A project whose database holds the example's migrations."""
    with Hosted(new_ref()) as made:
        done = synced.supabase("db", "push", "--yes", "--skip-vault", on=Data(made.endpoint))
        assert done.code == 0, done.text
        made.keep()
        yield made


@pytest.fixture
def staging(synced: Project, platform: Hosted, tmp_path: Path) -> Iterator[Project]:
    """The environment `staging` is that project, by its ref; the local database is embedded."""
    platform.refresh()
    platform.gate.connections = 0
    made = synced.copy_to(tmp_path / "project")
    made.env = "staging"
    made.settings = {"SBSYNC_LOCAL": "embedded"}
    made.urls["remote"] = platform.endpoint
    made.clusters.clone("sandbox-local", "local")
    environment(made, ".env.staging.local", platform.ref, platform.password)
    try:
        yield made
    finally:
        made.remove_databases()


def environment(project: Project, name: str, ref: str, password: str, *more: str) -> None:
    lines = [f"SUPABASE_PROJECT_ID={ref}", f"SUPABASE_DB_PASSWORD={quoted(password)}", *more]
    project.write(name, "\n".join(lines) + "\n").chmod(0o600)


def link(project: Project, platform: Hosted) -> None:
    """What `supabase link` leaves behind, and the password where the user may keep it; nothing names a remote."""
    (project.root / ".env.staging.local").unlink()
    project.env = "development"
    project.write(LINK, platform.ref)
    project.write(".env.local", f"SUPABASE_DB_PASSWORD={quoted(platform.password)}\n").chmod(0o600)


def assert_told(done: Done, project: Project, platform: Hosted) -> None:
    """The first line that a user sees names the target; nothing shows its password."""
    line = done.stderr.splitlines()[0]
    for word in (f"environment {project.env}", f"project {platform.ref}", f"{platform.host}:5432", "protected"):
        assert word in line
    assert platform.password not in done.text


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("way", "version"),
    [
        ("ref", VERSIONS[0]),
        # Pairs: how a project is named has nothing to do with which CLI it is named to.
        *zip(("link", "ref", "link", "ref"), VERSIONS, strict=True),
    ],
)
def test_both_directions(
    staging: Project, platform: Hosted, cli: Callable[[str], Path], way: str, version: str
) -> None:
    staging.cli = cli(version)
    if way == "link":
        link(staging, platform)
    staging.local.run(*change("projects"))
    up = staging.sync("local-to-remote", "--name", "projects", "--commit")
    for side in (staging.local, staging.remote):
        arrived(side, "projects")
    assert staging.version_of("projects") in staging.remote.history()

    staging.remote.run(*change("expenses"))
    down = staging.sync("remote-to-local")
    for side in (staging.local, staging.remote):
        arrived(side, "expenses")
        assert list(side.history()) == staging.versions

    for done in (up, down):
        assert_told(done, staging, platform)
    assert f"https://supabase.com/dashboard/project/{platform.ref}/database/migrations" in up.stderr
    assert "dashboard" not in down.stderr
    verify = staging.task("verify", "--json")
    assert (verify.code, verify.data["in_sync"]) == (0, True), verify.text
    assert platform.gate.connections > 0


@pytest.mark.matrix
def test_a_protected_project_needs_its_environment_spelled_out(staging: Project, platform: Hosted) -> None:
    staging.local.run(*change("projects"))
    before = staging.snapshot()
    done = staging.invoke("local-to-remote", "--yes", settings={"SBSYNC_ENV": "staging"})
    assert done.code == 4
    assert "--env staging" in done.stderr
    assert staging.snapshot() == before


@pytest.fixture
def production() -> Iterator[tuple[str, Listener]]:
    """A project that nobody is to connect to: its listener counts who does."""
    ref, address = new_ref(), new_address()
    with Listener(address, hosted.PORT) as listener, named(address, host_of(ref)):
        yield ref, listener


@pytest.mark.matrix
def test_a_run_for_staging_never_reaches_production(
    staging: Project, platform: Hosted, production: tuple[str, Listener]
) -> None:
    ref, listener = production
    for name in (".env.production.local", ".env", ".env.development", ".env.development.local"):
        environment(staging, name, ref, platform.password, f"SBSYNC_EXPECT={ref}" if "production" in name else "")
    staging.write(LINK, ref)
    staging.local.run(*change("projects"))
    shell = {
        "NODE_ENV": "production", "SUPABASE_ENV": "production", "SBSYNC_ENV": "production",
        "SUPABASE_WORKDIR": str(staging.root), "PGHOST": host_of(ref), "PGHOSTADDR": str(listener.server_address[0]),
        "DATABASE_URL": f"postgresql://postgres@{host_of(ref)}:5432/postgres",
    }  # fmt: skip
    done = staging.invoke("local-to-remote", "--env", "staging", "--yes", settings=shell)
    assert done.code == 0, done.text
    arrived(staging.remote, "projects")
    assert_told(done, staging, platform)
    assert f"https://supabase.com/dashboard/project/{platform.ref}/database/migrations" in done.stderr
    assert ref not in done.text
    assert listener.connections == 0

    # The same listener is what `production` would find: the count above can rise.
    assert staging.invoke("status", "--env", "production").code == 1
    assert listener.connections > 0


def test_a_part_of_another_remote_in_the_shell_is_an_error(
    staging: Project, platform: Hosted, production: tuple[str, Listener]
) -> None:
    ref, listener = production
    foreign = {
        "SUPABASE_PROJECT_ID": ref, "SUPABASE_DB_URL": f"postgresql://postgres@{host_of(ref)}:5432/postgres",
        "SUPABASE_DB_PASSWORD": "another-password",
    }  # fmt: skip
    tasks = (("local-to-remote", "--env", "staging", "--yes"), ("verify", "--env", "staging"))
    for args, key in product(tasks, foreign):
        done = staging.invoke(*args, settings={key: foreign[key]})
        assert done.code == 3, done.text
        assert ".env.staging.local:1" in done.stderr
        assert "process environment" in done.stderr
        assert "another-password" not in done.text
    assert (listener.connections, platform.gate.connections) == (0, 0)


@pytest.mark.parametrize("way", ["ref", pytest.param("link", marks=pytest.mark.matrix)])
def test_without_a_password_it_is_said_before_anything_what_is_missing(
    staging: Project, platform: Hosted, way: str
) -> None:
    if way == "link":
        link(staging, platform)
        (staging.root / ".env.local").unlink()
    else:
        staging.write(".env.staging.local", f"SUPABASE_PROJECT_ID={platform.ref}\n")
    staging.stop()
    for task in ("local-to-remote", "remote-to-local"):
        done = staging.task(task, "--yes")
        assert done.code == 3, done.text
        for word in (platform.ref, "backup", "lock", "SUPABASE_DB_PASSWORD"):
            assert word in done.stderr
        assert (LINK if way == "link" else ".env.staging.local:1") in done.stderr
    assert platform.gate.connections == 0
    assert not any(staging.clusters.running(name) for name in staging.clusters.names())


@pytest.mark.matrix
def test_another_server_behind_the_name_than_the_expected_one_is_an_error(staging: Project, platform: Hosted) -> None:
    system = staging.remote.value("select system_identifier::text from pg_control_system()")
    own = platform.gate.target
    with Hosted(new_ref()) as other:
        platform.gate.target = other.server._port
        try:
            environment(staging, ".env.staging.local", platform.ref, platform.password, f"SBSYNC_EXPECT={system}")
            before = Data(other.endpoint).catalog()
            for task in ("local-to-remote --yes", "push --yes", "reset --yes", "backup", "verify", "diff --remote"):
                done = staging.task(*task.split())
                assert done.code == 3, (task, done.text)
                assert f"SBSYNC_EXPECT says {system}" in done.stderr
            assert Data(other.endpoint).catalog() == before
            assert Data(other.endpoint).history() == {}
            asked = platform.gate.connections
            assert staging.task("diff").code == 0  # the local database's own changes: the remote is not spoken to
            assert platform.gate.connections == asked
        finally:
            platform.gate.target = own
    assert staging.task("verify").code == 0


@pytest.mark.matrix
def test_an_expected_ref_is_compared_before_anybody_is_asked(staging: Project, platform: Hosted) -> None:
    environment(staging, ".env.staging.local", platform.ref, platform.password, f"SBSYNC_EXPECT={new_ref()}")
    done = staging.task("verify")
    assert done.code == 3
    assert platform.ref in done.stderr
    assert platform.gate.connections == 0


def test_without_a_way_to_the_project_the_linked_session_pooler_serves(staging: Project, platform: Hosted) -> None:
    """Its name leads nowhere, as on a machine without IPv6; the pooler's user is `postgres.` and the project."""
    ref, pooler = new_ref(), f"{new_ref()}.pooler.supabase.com"
    Data(platform.server.admin("postgres")).run(
        f"""create role "postgres.{ref}" login password 'pooled password' in role postgres"""
    )
    environment(staging, ".env.staging.local", ref, "pooled password")
    with named(hosted.UNREACHABLE, host_of(ref)), named(platform.address, pooler):
        direct = staging.task("doctor", "--json")
        assert direct.code == 1
        assert "session pooler" in direct.stdout
        for port in (6543, 5432):
            staging.write(POOLER, f"postgresql://postgres.{ref}:[YOUR-PASSWORD]@{pooler}:{port}/postgres")
            done = staging.task("doctor", "--json")
            (remote,) = [c["what"] for c in done.data["checks"] if c["name"] == "remote" and "PostgreSQL" in c["what"]]
            assert f"project {ref}, {pooler}:5432" in remote
            assert f"as postgres.{ref}" in remote
        # The pooler of another project is none of this one's.
        staging.write(POOLER, f"postgresql://postgres.{platform.ref}@{pooler}:5432/postgres")
        assert staging.task("doctor", "--json").code == 1
