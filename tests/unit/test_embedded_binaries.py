"""Finding a PostgreSQL: the order of the places, and errors that say what to do."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from sbsync_tasks.databases.embedded import binaries
from sbsync_tasks.databases.embedded.base import asked_for
from sbsync_tasks.databases.embedded.binaries import find_binaries, find_client_tools
from sbsync_tasks.errors import ConfigError, MissingToolError, SbsyncError

ALL = binaries.SERVER_PROGRAMS + binaries.CLIENT_PROGRAMS


def install(folder: Path, version: str, programs: tuple[str, ...] = ALL) -> Path:
    """A folder of programs that only know their version."""
    folder.mkdir(parents=True)
    for name in programs:
        program = folder / name
        program.write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) {version}'\n")
        program.chmod(0o755)
    return folder


@pytest.fixture
def places(monkeypatch):
    """Only these places are looked at, in this order."""
    found: list[tuple[str, Path]] = []
    monkeypatch.setattr(binaries, "_places", lambda override: iter(
        [("SBSYNC_PG_BINDIR", Path(override)), *found] if override else found))  # fmt: skip
    return found


def test_17_is_preferred_then_the_newest(tmp_path: Path, places) -> None:
    places.append(("here", install(tmp_path / "15", "15.8 (Debian 15.8-1)")))
    places.append(("here", install(tmp_path / "18", "18.1")))
    assert find_binaries(None).major == 18
    places.append(("there", install(tmp_path / "17", "17.10")))
    found = find_binaries(None)
    assert (found.major, found.version, found.source) == (17, "17.10", "there")
    assert find_binaries(15).version == "15.8"


def test_first_place_wins_and_broken_ones_are_passed_over(tmp_path: Path, places) -> None:
    places.append(("client only", install(tmp_path / "c", "17.1", binaries.CLIENT_PROGRAMS)))
    broken = install(tmp_path / "broken", "17.2")
    (broken / "psql").write_text("#!/bin/sh\nexit 1\n")
    places.append(("broken", broken))
    places.append(("absent", tmp_path / "absent"))
    places.append(("first", install(tmp_path / "first", "17.3")))
    places.append(("second", install(tmp_path / "second", "17.4")))
    assert find_binaries(17).source == "first"


def test_nothing_found_names_the_fix_and_what_there_is(tmp_path: Path, places) -> None:
    with pytest.raises(MissingToolError, match="No PostgreSQL server was found") as caught:
        find_binaries(None)
    assert caught.value.exit_code == 5
    assert "pip install 'sbsync-tasks[embedded]'" in caught.value.hint
    places.append(("here", install(tmp_path / "17", "17.10")))
    with pytest.raises(MissingToolError, match=r"No PostgreSQL 15 server .*\(found: 17\)") as caught:
        find_binaries(15)
    assert caught.value.hint.startswith("A task with --yes fetches one from npm")


def test_a_folder_that_is_named_and_has_no_programs_is_an_error(tmp_path: Path, places) -> None:
    places.append(("here", install(tmp_path / "17", "17.10")))
    for find in (find_binaries, find_client_tools):
        with pytest.raises(ConfigError, match=r"SBSYNC_PG_BINDIR \(/nope\)"):
            find(17, "/nope")


def test_the_server_that_brings_the_extensions_is_taken(tmp_path: Path, places) -> None:
    plain, full = install(tmp_path / "a" / "bin", "17.10"), install(tmp_path / "b" / "bin", "17.9")
    other = install(tmp_path / "c" / "bin", "15.18")
    places += [("wheel", plain), ("system", full), ("system", other)]
    share = full.parent / "share" / "postgresql" / "extension"
    share.mkdir(parents=True)
    binaries._brings.cache_clear()
    assert find_binaries(17, wanted={"postgis"}).bindir == plain  # nobody has it
    (share / "postgis.control").write_text("")
    binaries._brings.cache_clear()
    assert find_binaries(17, wanted={"postgis", "vector"}).bindir == full
    assert find_binaries(17).bindir == plain
    assert find_binaries(15, wanted={"postgis"}).bindir == other
    assert find_binaries(17, str(plain), {"postgis"}).bindir == plain


def test_what_migrations_ask_for(tmp_path: Path) -> None:
    asked_for.cache_clear()
    assert asked_for(tmp_path) == frozenset()
    folder = tmp_path / "supabase" / "migrations"
    folder.mkdir(parents=True)
    (folder / "1_a.sql").write_text('CREATE EXTENSION IF NOT EXISTS "PostGIS" with schema extensions;\n')
    (folder / "2_b.sql").write_text("create extension vector; create extension pg_cron; create extension pgcrypto;\n")
    assert asked_for(tmp_path) == frozenset()  # the server stays the same throughout a run
    asked_for.cache_clear()
    assert asked_for(tmp_path) == {"postgis", "vector"}  # pg_cron works only where it is preloaded
    (folder / "3_c.sql").write_text("create collation german (provider = icu, locale = 'de');\n")
    asked_for.cache_clear()
    assert asked_for(tmp_path) == {"postgis", "vector", "icu"}
    (folder / "3_c.sql").write_text('create table t (a text collate "de-x-icu");\n')
    asked_for.cache_clear()
    assert asked_for(tmp_path) == {"postgis", "vector", "icu"}


@pytest.mark.parametrize(
    ("version", "configure", "expected"),
    [
        ("15.18", "'--with-icu' '--with-ssl=openssl'", True),
        ("15.18", "'--with-ssl=openssl'", False),
        ("17.10", "'--with-ssl=openssl'", True),
        ("17.10", "'--without-icu'", False),
        ("15.18", None, True),  # from npm: no pg_config
    ],
)
def test_which_servers_have_icu(tmp_path: Path, version: str, configure: str | None, expected: bool) -> None:
    bindir = install(tmp_path / "bin", version)
    if configure is not None:
        (bindir / "pg_config").write_text(f"#!/bin/sh\nprintf '%s\\n' {tmp_path} \"{configure}\"\n")
        (bindir / "pg_config").chmod(0o755)
    assert ("icu" in binaries.Binaries(bindir, int(version[:2]), version, "here").brings) is expected


def test_a_server_with_icu_is_fetched_where_migrations_need_it(tmp_path: Path, places) -> None:
    wheel = install(tmp_path / "wheel" / "bin", "17.10")
    (wheel / "pg_config").write_text("#!/bin/sh\necho /nowhere\necho --without-icu\n")
    (wheel / "pg_config").chmod(0o755)
    places.append(("wheel", wheel))
    fetched: list[int] = []

    def fetch(major: int) -> bool:
        fetched.append(major)
        places.append(("npm", install(tmp_path / "npm" / "bin", "17.10", ("postgres", "initdb"))))
        return True

    assert binaries.find_or_install(17, "", fetch).source == "wheel"
    assert binaries.find_or_install(17, "", lambda _: False, {"icu"}).source == "wheel"  # declined: the push says it
    assert fetched == []
    assert binaries.find_or_install(17, "", fetch, {"icu"}).source == "npm"
    assert binaries.find_or_install(17, "", fetch, {"icu"}).source == "npm"
    assert fetched == [17]


def test_override_is_the_only_place(tmp_path: Path, places) -> None:
    places.append(("here", install(tmp_path / "17", "17.10")))
    mine = install(tmp_path / "mine", "16.4")
    assert find_binaries(None, str(mine)).bindir == mine
    with pytest.raises(MissingToolError, match=r"\(found: 16\)"):
        find_binaries(17, str(mine))
    with pytest.raises(ConfigError, match="SBSYNC_PG_BINDIR") as caught:
        find_binaries(None, str(tmp_path / "nowhere"))
    assert "pg_dump" in caught.value.hint


def test_a_missing_server_is_installed_where_that_is_agreed_to(tmp_path: Path, places) -> None:
    places.append(("here", install(tmp_path / "17", "17.10")))
    asked: list[int] = []

    def fetch(major: int) -> bool:
        asked.append(major)
        places.append(("npm", install(tmp_path / "npm", "15.18", ("postgres", "initdb"))))
        return True

    assert binaries.find_or_install(17, "", fetch).major == 17
    with pytest.raises(MissingToolError):
        binaries.find_or_install(15, "", lambda _major: False)
    with pytest.raises(MissingToolError):
        binaries.find_or_install(15, str(tmp_path / "17"), fetch)
    assert asked == []
    assert binaries.find_or_install(15, "", fetch).source == "npm"
    assert asked == [15]


def test_a_package_from_npm_gets_its_links_and_no_others(tmp_path: Path) -> None:
    top = tmp_path / "node_modules" / binaries.NPM_SCOPE / "linux-x64"
    (top / "native" / "bin").mkdir(parents=True)
    (top / "native" / "lib").mkdir()
    (top / "native" / "bin" / "postgres").write_text("")
    (top / "native" / "lib" / "libx.so.1.2").write_text("code")
    links = top / "native" / "pg-symlinks.json"
    links.write_text('[{"source": "native/lib/libx.so.1.2", "target": "native/lib/libx.so.1"}]')
    binaries.complete(tmp_path)
    assert (top / "native" / "lib" / "libx.so.1").read_text() == "code"
    assert (top / "native" / "bin" / "postgres").stat().st_mode & 0o111
    for outside in ("../../evil", "native/../../evil", "/tmp/evil"):
        links.write_text(f'[{{"source": "native/lib/libx.so.1.2", "target": "{outside}"}}]')
        with pytest.raises(SbsyncError, match="not a part of the package"):
            binaries.complete(tmp_path)
    links.unlink()
    with pytest.raises(SbsyncError, match="installed no PostgreSQL"):
        binaries.complete(tmp_path)


def test_client_tools_are_at_least_the_servers_version(tmp_path: Path, places) -> None:
    places.append(("old", install(tmp_path / "15", "15.8", binaries.CLIENT_PROGRAMS)))
    places.append(("new", install(tmp_path / "18", "18.1", binaries.CLIENT_PROGRAMS)))
    places.append(("mid", install(tmp_path / "17", "17.1", binaries.CLIENT_PROGRAMS)))
    assert find_client_tools(15) == tmp_path / "15"
    assert find_client_tools(16) == tmp_path / "17"
    with pytest.raises(MissingToolError, match=r"PostgreSQL 19 or newer .*\(found: 15, 17, 18\)"):
        find_client_tools(19)


def test_packed_server_is_unpacked_once_and_healed(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(binaries, "home", (tmp_path / "home").joinpath)
    install(tmp_path / "postgresql-17.1" / "bin", "17.1")
    archive = tmp_path / "postgresql-17.1.tar.gz"
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(tmp_path / "postgresql-17.1", "postgresql-17.1")
    (tmp_path / "home" / "unpacked" / "postgresql-17.1.new" / "half").mkdir(parents=True)
    target = binaries.unpacked(archive)
    assert (target / "bin" / "postgres").is_file()
    assert not target.with_name("postgresql-17.1.new").exists()
    archive.unlink()
    assert binaries.unpacked(archive) == target
