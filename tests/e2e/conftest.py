"""Projects with real databases and a real Supabase CLI."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sbsync_tasks.databases.embedded.binaries import find_client_tools
from sbsync_tasks.folders import spread
from sbsync_tasks.supabase_cli.binary import NEWEST_KNOWN, Version, install
from tests.support import leftovers
from tests.support.plain_server import PlainServer
from tests.support.project import Project
from tests.support.synced import shared_project

HOME = str(Path.home())  # npm's settings are there; while tests run, HOME is an empty folder


@pytest.fixture(scope="session", autouse=True)
def apart(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The projects of different tests lie apart on the disk."""
    spread(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="session")
def cli() -> Callable[[str], Path]:
    """A released CLI by its version, installed from npm into the user's cache once."""

    def installed(version: str) -> Path:
        number = Version.parse(version)
        assert number
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("HOME", HOME)
            return install(number)

    return installed


@pytest.fixture(scope="session")
def newest(cli: Callable[[str], Path]) -> Path:
    """The CLI that most tests run with."""
    return cli(str(NEWEST_KNOWN))


@pytest.fixture(scope="session")
def synced(newest: Path) -> Project:
    """A sandbox project in sync, stopped: to be copied, never to be used; the same for all workers."""
    return shared_project(leftovers.shared(), newest)


@pytest.fixture
def project(synced: Project, tmp_path: Path) -> Iterator[Project]:
    """A sandbox project whose two databases hold the example's migrations and the seeds' rows locally."""
    copied = synced.copy_to(tmp_path / "project")
    try:
        yield copied
    finally:
        copied.remove_databases()


@pytest.fixture(params=["3.1.0", "2.122.1"])
def with_release(
    request: pytest.FixtureRequest, synced: Project, cli: Callable[[str], Path], tmp_path: Path
) -> Iterator[Project]:
    """The same, with a CLI of each major version."""
    copied = synced.copy_to(tmp_path / "project")
    copied.cli = cli(request.param)
    try:
        yield copied
    finally:
        copied.remove_databases()


@pytest.fixture
def newcomer(newest: Path, tmp_path: Path) -> Iterator[Project]:
    """A project without migrations or seeds, its databases untouched."""
    made = Project(tmp_path / "project", newest)
    made.root.mkdir()
    try:
        made.create()
        for path in (made.root / "supabase" / "migrations").iterdir():
            path.unlink()
        made.write("supabase/seed.sql", "")
        made.commit_all("Nothing yet")
        yield made
    finally:
        made.remove_databases()


@pytest.fixture(scope="module")
def server() -> Iterator[PlainServer]:
    """A plain PostgreSQL that the tests of one file share."""
    with PlainServer() as server:
        yield server


@pytest.fixture(scope="session")
def tools() -> Path:
    """The folder with pg_dump, pg_restore and psql."""
    return find_client_tools(17)
