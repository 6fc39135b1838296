"""A file that fails is told by its cause; following the advice, word for word, ends in a proof."""

from __future__ import annotations

import re
from collections.abc import Iterator

import psycopg
import pytest

from sbsync_tasks.databases.embedded import Clusters
from sbsync_tasks.databases.embedded.binaries import find_binaries
from sbsync_tasks.databases.failures import read, told
from sbsync_tasks.state.migrations import Migration
from sbsync_tasks.supabase_cli import CliError
from tests.support.project import Data, Project

VERSION = "20990101000000"
FILE = f"supabase/migrations/{VERSION}_change.sql"
THERE = """
create table public.p (id int primary key);
create table public.t (id int primary key, e text, n int, a int);
insert into public.t values (1, 'x', 1, 7), (2, 'x', null, null), (3, 'y', 5, 9);
"""


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Data]:
    """One with rows that many a change does not fit."""
    clusters = Clusters(tmp_path_factory.mktemp("failures"), find_binaries(17))
    try:
        data = Data(clusters.start("met"))
        data.run(THERE)
        yield data
    finally:
        clusters.remove_all()


def in_the_way(data: Data, statement: str) -> str:
    """What is told after the statement has failed, PostgreSQL's words being those that it gives now."""
    with data.connection() as connection:
        with pytest.raises(psycopg.Error) as caught:
            connection.execute("set lock_timeout = '100ms'; " + statement)
        diag = caught.value.diag
        said = f"ERROR: {diag.message_primary} (SQLSTATE {diag.sqlstate})\n{diag.message_detail or ''}"
        error = CliError(
            "x", sqlstate=diag.sqlstate or "", said=f"{said}\nAt statement: 0\n{statement}", file="1_m.sql"
        )
        return told(connection, read(error, [Migration("1", "m", statement)]))


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("alter table public.t alter n set not null", "In the way: 1 row."),
        ("create unique index i on public.t (e)", "There more than once: 1 value."),
        ("alter table public.t add constraint c check (n > 3)", "In the way: 1 row."),
        ("alter table public.t add constraint c foreign key (a) references public.p (id)", "In the way: 2 rows."),
        ("alter table public.t add column x int not null", ""),  # the query would need the column
        ("alter table public.nowhere add x int", ""),
    ],
)
def test_rows_that_forbid_it_are_counted_and_can_be_seen(database: Data, statement: str, expected: str) -> None:
    said = in_the_way(database, statement)
    assert said.startswith(expected)
    assert bool(said) == bool(expected)
    if expected:
        (query,) = re.findall(r"`(.+);`", said)
        assert f": {len(database.rows(query))} " in expected


@pytest.mark.parametrize("statement", ["alter table public.t add x int", "drop table public.t"])
def test_who_holds_a_lock_is_named(database: Data, statement: str) -> None:
    with psycopg.connect(**database.endpoint.conninfo(), application_name="psql of Ada") as holder:
        holder.execute("select * from public.t")
        pid = holder.info.backend_pid
        said = in_the_way(database, statement)
    assert f"- pid {pid}, application psql of Ada, user postgres, idle in transaction since " in said
    assert "UTC: select * from public.t\n" in said
    assert f"`select pg_terminate_backend({pid});`" in said


@pytest.mark.matrix
def test_a_lock_that_somebody_holds(with_release: Project) -> None:
    project = with_release
    project.migration(VERSION, "change", "select 1;\nalter table public.teams add note text;\n")
    project.settings["SBSYNC_LOCK_TIMEOUT"] = "300ms"
    with psycopg.connect(**project.remote.endpoint.conninfo(), application_name="report") as holder:
        holder.execute("select * from public.teams")
        done = project.task("local-to-remote", "--yes")
        pid = holder.info.backend_pid
    assert done.code == 1, done.text
    assert re.search(rf"{FILE} failed on sandbox \(.*\): line 2: ERROR: canceling statement due to lock", done.stderr)
    assert f"pid {pid}, application report" in done.stderr
    assert f"Not there: {VERSION}_change.sql." in done.stderr
    assert "Correct the" not in done.stderr
    assert project.clusters.running("sandbox-local")  # rebuilt meanwhile, and there for whoever uses it
    project.sync("local-to-remote")  # as advised: it has ended
    assert project.remote.history()[VERSION]


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("sql", "said", "corrected"),
    [
        ("select 1;\n\ncreate tabel public.x (id int);\n", "line 3: ERROR: syntax error at or near", "select 1;\n"),
        ("select 1;\nset role authenticated;\n", "run to its end and could not be recorded",
         "select 1;\nset role authenticated;\nreset role;\n"),
        ("select * from public.nowhere;\n", "No earlier file makes it", "select 1;\n"),
    ],
)  # fmt: skip
def test_what_fails_everywhere_fails_on_a_shadow(with_release: Project, sql: str, said: str, corrected: str) -> None:
    project = with_release
    project.migration(VERSION, "change", sql)
    before = project.snapshot()
    done = project.task("local-to-remote", "--yes")
    assert done.code == 1, done.text
    assert f"{FILE} " in done.stderr
    assert "It was tried on a throw-away database; yours have not had it." in done.stderr
    assert said in done.stderr
    assert "supabase db push" not in done.stderr
    assert "INSERT INTO supabase_migrations" not in done.stderr
    assert project.snapshot() == before
    project.migration(VERSION, "change", corrected)
    project.sync("local-to-remote")
    assert project.task("verify").code == 0
