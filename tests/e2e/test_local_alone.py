"""The local database without its remote, and brought to the remote's major version."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sbsync_tasks.databases.embedded import Clusters, binaries
from sbsync_tasks.databases.embedded.binaries import find_binaries
from sbsync_tasks.databases.embedded.server import free_port
from tests.support.changes import TAGS
from tests.support.project import Data, Project, text_of

OTHER = {b.major for b in binaries._servers("")} - {binaries.PREFERRED_MAJOR}


@pytest.fixture
def away(synced: Project, tmp_path: Path) -> Iterator[Project]:
    """A project whose remote does not answer, with an embedded local database in sync with the files."""
    made = synced.copy_to(tmp_path / "project")
    made.env = "away"
    made.settings["SBSYNC_LOCAL"] = "embedded"
    made.clusters.clone("sandbox-local", "local")
    made.write(".env.away", f"SUPABASE_DB_URL=postgresql://postgres@127.0.0.1:{free_port()}/postgres\n")
    try:
        yield made
    finally:
        made.remove_databases()


def test_an_embedded_database_is_looked_at_and_rebuilt_without_the_remote(away: Project) -> None:
    away.local.run(TAGS, "insert into public.tags values (1, 'precious')")
    shown = away.task("diff")
    assert shown.code == 0, shown.text
    assert "tags" in shown.stdout
    assert "remote" not in shown.stderr
    assert away.task("backup", "--local").code == 0

    dry = away.task("reset", "--dry-run")
    assert dry.code == 0, dry.text
    assert "nothing listens at 127.0.0.1" in dry.stderr
    assert away.task("reset").code == 4
    assert away.local.rows("select label from public.tags") == [("precious",)]

    done = away.task("reset", "--yes", "--json")
    assert done.code == 0, done.text
    assert not away.local.has("public.tags")
    assert away.local.rows("select name from public.teams") == [("Harbour Studio",)]
    assert list(away.local.history()) == away.versions
    assert "precious" in text_of(away.root / done.data["backup"])


@pytest.mark.matrix
def test_a_local_database_by_url_is_not_rebuilt_while_nobody_knows_that_it_is_not_the_remote(away: Project) -> None:
    away.local.run(TAGS)
    endpoint = away.local.endpoint
    url = endpoint.url.replace("postgres@", f"postgres:{endpoint.password}@")
    done = away.invoke("reset", "--env", "away", "--yes", settings={"SBSYNC_LOCAL": url})
    assert done.code == 1, done.text
    assert "No connection to away" in done.stderr
    assert away.local.has("public.tags")


def test_the_expected_remote_is_asked_for_all_the_same(away: Project) -> None:
    """A remote that answers and is the local database itself stops a rebuild, whatever kind the local one is."""
    endpoint = away.local.endpoint
    away.local.run(TAGS)
    away.write(".env.away", f"SUPABASE_DB_URL={endpoint.url}\nSUPABASE_DB_PASSWORD={endpoint.password}\n")
    done = away.task("reset", "--yes")
    assert done.code == 3, done.text
    assert "are the same database" in done.stderr
    assert away.local.has("public.tags")


@pytest.mark.matrix
@pytest.mark.skipif(not OTHER, reason="only one major version of PostgreSQL is installed here")
def test_a_reset_brings_an_embedded_database_to_the_remotes_major_version(away: Project, tmp_path: Path) -> None:
    major = max(OTHER)
    (tmp_path / "other").mkdir()
    others = Clusters(tmp_path / "other", find_binaries(major))
    try:
        remote = Data(others.start("remote"))
        away.urls["remote"] = remote.endpoint
        endpoint = remote.endpoint
        away.write(".env.away", f"SUPABASE_DB_URL={endpoint.url}\nSUPABASE_DB_PASSWORD={endpoint.password}\n")
        away.local.run(TAGS, "insert into public.tags values (1, 'precious')")
        refused = away.task("local-to-remote", "--yes")
        assert refused.code == 3, refused.text
        assert "`invoke reset` rebuilds the local database" in refused.stderr
        assert away.local.has("public.tags")
        assert remote.history() == {}

        away.migration("20260401000000", "tags", TAGS + ";\n")
        done = away.task("reset", "--yes", "--json")
        assert done.code == 0, done.text
        assert str(away.local.value("show server_version")).startswith(f"{major}.")
        assert "precious" in text_of(away.root / done.data["backup"])
        away.sync("local-to-remote")
        assert remote.has("public.tags")
        assert list(remote.history()) == list(away.local.history()) == away.versions
        assert away.task("verify").code == 0
    finally:
        others.remove_all()
