"""The copied server and the pristine data directory that every cluster starts as a copy of, each made once per user.

The server's files are copied to the cache with the extension files that it lacks. The directory's SQL keeps the
platform's facts, file by file with their public sources (`sql/`). What a platform project has beyond that needs
programs that plain PostgreSQL does not bring: stand-ins have the real extensions' schemas, types, tables and functions
with their signatures and defaults, and calls of them have no effect outside the database (`stand_ins/`). Where the
server at hand brings the real extension, that one is used, unless it works only when it is preloaded.
An extension that `postgres` creates belongs to `postgres` here, to supabase_admin on the platform.
"""

from __future__ import annotations

import hashlib
import locale
import os
import re
import secrets
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sbsync_tasks import process
from sbsync_tasks.databases.connection import connect
from sbsync_tasks.endpoint import Endpoint
from sbsync_tasks.errors import MissingToolError, SbsyncError
from sbsync_tasks.folders import make_once
from sbsync_tasks.state.migrations import migrations_dir

from . import server
from .binaries import ICU, INSTALL, Binaries
from .place import account, home

OUR_EXTENSIONS = Path(__file__).parent / "extensions"
# Extensions that `postgres` may create on the platform although they are not "trusted" in plain
# PostgreSQL (supabase/postgres: supautils.privileged_extensions, ansible/files/postgresql_config).
PRIVILEGED = frozenset((
    "autoinc", "bloom", "btree_gin", "btree_gist", "citext", "cube", "dblink", "dict_int",
    "dict_xsyn", "earthdistance", "fuzzystrmatch", "hstore", "insert_username", "intarray", "isn",
    "ltree", "moddatetime", "pg_prewarm", "pg_stat_statements", "pg_trgm", "pg_walinspect",
    "pgcrypto", "pgrowlocks", "pgstattuple", "plpgsql", "postgres_fdw", "refint", "seg",
    "sslinfo", "tablefunc", "tcn", "tsm_system_rows", "tsm_system_time", "unaccent", "uuid-ossp",
))  # fmt: skip
# Only needed to build programs against PostgreSQL, or to read about it.
LEFT_OUT = shutil.ignore_patterns("*.a", "pgxs", "pkgconfig", "doc", "man", "locale", "bitcode")
SQL = Path(__file__).parent / "sql"
ADMIN = "supabase_admin"
OWNER = "postgres"
SETTINGS = Path(__file__).with_name("postgresql.conf")
# Small WAL segments keep a copy small; C.UTF-8 is the platform's locale, C is always there.
LOCALES = ("C.UTF-8", "C.utf8", "C")
CREATED = re.compile(rb'create\s+extension\s+(?:if\s+not\s+exists\s+)?"?([a-z0-9_-]+)', re.IGNORECASE)
OF_ICU = re.compile(rb"\bprovider\s*=\s*'?icu\b|-x-icu\"", re.IGNORECASE)
STAND_IN_SQL = Path(__file__).parent / "stand_ins"
# What the server says of one (`pg_available_extensions.comment`); catalog/sql/stand_ins.sql looks for it.
COMMENT = "a stand-in for "


@dataclass(frozen=True)
class StandIn:
    """What is said of a stand-in in its control file.

    Attributes:
        version: The version of the real extension that it follows.
        schema: The schema that it has to be in; empty for any.
        requires: Extensions that come first.
        preloaded: The real one works only in a server that was started with it.
        pinned: Further versions that `create extension … version` may ask for.
        relocatable: `alter extension … set schema` can move it.
    """

    version: str
    schema: str = ""
    requires: tuple[str, ...] = ()
    preloaded: bool = False
    pinned: tuple[str, ...] = ()
    relocatable: bool = False


# Facts: each script names its sources. Versions: supabase/postgres, ansible/vars.yml and nix/ext.
STAND_INS = {
    "http": StandIn("1.6", pinned=("1.3", "1.4", "1.5")),
    "hypopg": StandIn("1.4.1", pinned=("1.3.1", "1.4.0")),
    "index_advisor": StandIn("0.2.0", requires=("hypopg",), pinned=("0.1.0", "0.1.1")),
    "pg_cron": StandIn("1.6.4", preloaded=True, pinned=("1.4", "1.4-1", "1.5", "1.6")),
    "pg_graphql": StandIn("1.5.11", schema="graphql", pinned=("1.4.0", "1.5.0", "1.5.4", "1.5.7", "1.5.9")),
    "pg_hashids": StandIn("1.3", pinned=("1.2.1",)),
    "pg_jsonschema": StandIn("0.3.3", pinned=("0.1.4", "0.2.0", "0.3.0", "0.3.1")),
    "pg_net": StandIn(
        "0.19.5",
        preloaded=True,
        pinned=("0.6.0", "0.7", "0.7.1", "0.8.0", "0.10.0", "0.11.0", "0.13.0", "0.14.0", "0.19.3"),
    ),
    "pgjwt": StandIn("0.2.0", requires=("pgcrypto",), pinned=("0.1.1",)),
    "pgmq": StandIn("1.5.1", schema="pgmq", pinned=("1.4.4", "1.5.0")),
    "pgsodium": StandIn("3.1.9", schema="pgsodium", preloaded=True, pinned=("3.1.5", "3.1.6", "3.1.7", "3.1.8")),
    "pgtap": StandIn("1.2.0", pinned=("1.1.0", "1.3.3")),
    "supabase_vault": StandIn("0.3.1", schema="vault", preloaded=True, pinned=("0.2.8", "0.2.9")),
    "vector": StandIn("0.8.0", pinned=("0.4.0", "0.5.0", "0.5.1", "0.6.0", "0.6.2", "0.7.0", "0.7.4")),
    "wrappers": StandIn("0.5.3", pinned=("0.1.19", "0.2.0", "0.3.0", "0.4.1", "0.4.3", "0.5.0", "0.5.1", "0.5.2")),
}
# The rest of the platform's list (https://supabase.com/docs/guides/database/extensions): enough for migrations that
# create one and use nothing of it.
EMPTY = (
    "address_standardizer", "address_standardizer_data_us", "pg_backtrace", "pg_partman", "pg_repack",
    "pg_stat_monitor", "pg_tle", "pgaudit", "pgroonga", "pgroonga_database", "plcoffee", "plls", "plpgsql_check", "rum",
    "supautils",
)  # fmt: skip
EMPTY_IN = {"pg_tle": "pgtle"}  # the schema that its control file names, needed where the search_path is empty
# Types, planner and storage of their own: nothing written in SQL can stand in for these.
WITHOUT = ("pgrouting", "plv8", "postgis", "postgis_raster", "postgis_sfcgal", "postgis_tiger_geocoder",
           "postgis_topology", "timescaledb")  # fmt: skip


@cache
def _ours() -> str:
    """A hash of all that is added to a server's files and to the base."""
    digest = hashlib.sha256()
    own = (Path(__file__), SETTINGS, *OUR_EXTENSIONS.iterdir(), *STAND_IN_SQL.iterdir(), *SQL.iterdir())
    for path in sorted((path for path in own if path.is_file()), key=lambda path: path.name):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def base_id(binaries: Binaries) -> str:
    """A hash of all that determines the base: what is ours, the server's version and what it brings.

    Of that what others get a stand-in for; some of it may have been installed since.
    """
    brings = " ".join(sorted(better_real(binaries.brings) | (binaries.brings & {ICU})))
    return hashlib.sha256(f"{binaries.version} {_ours()} {brings}".encode()).hexdigest()[:16]


@cache
def server_tree(binaries: Binaries) -> Path:
    """The folder with the copied server's programs, copied on first use, looked at once per process.

    Raises:
        MissingToolError: the copy does not run, so this PostgreSQL cannot be moved.
    """
    real = binaries.bindir.resolve()  # as pg_config has it
    key = hashlib.sha256(f"{real} {base_id(binaries)}".encode())
    dirs = _directories(real)
    target = home("servers") / f"{binaries.version}-{key.hexdigest()[:12]}"
    make_once(target, lambda half: _copy_server(binaries, dirs, half))
    return target / dirs["bindir"].relative_to(_common(dirs))


def _copy_server(binaries: Binaries, dirs: dict[str, Path], half: Path) -> None:
    common, places = _common(dirs), set(dirs.values())
    for folder in sorted(place for place in places if not places & set(place.parents)):  # others come along
        shutil.copytree(folder, half / folder.relative_to(common), ignore=_left_out, dirs_exist_ok=True)
    _add_extensions(half / dirs["sharedir"].relative_to(common) / "extension")
    _open_to_server(half)
    _check_runs(binaries, half, half / dirs["bindir"].relative_to(common))


def _left_out(folder: str, names: list[str]) -> set[str]:
    """What is not copied; links that lead nowhere are not, either (`copytree` looks for them from the wrong folder)."""
    return {*LEFT_OUT(folder, names), *(n for n in names if not (Path(folder) / n).exists())}


def _directories(bindir: Path) -> dict[str, Path]:
    """Where a server keeps its parts, as its own `pg_config` says, relative to itself."""
    if not (bindir / "pg_config").exists():  # a server from npm, which has none: the layout that it was built for
        top = bindir.parent
        return {
            "bindir": bindir, "sharedir": top / "share" / "postgresql", "pkglibdir": top / "lib" / "postgresql",
            "libdir": top / "lib",
        }  # fmt: skip
    keys = ("sharedir", "pkglibdir", "libdir")
    argv = [str(bindir / "pg_config"), *(f"--{key}" for key in keys)]
    places = [Path(line) for line in process.printed(argv).split("\n")]
    if len(places) != len(keys) or not all(place.is_absolute() for place in places):
        raise MissingToolError(
            f"The answer of {bindir / 'pg_config'} cannot be read: three folders are asked for.",
            f"Use another PostgreSQL: {INSTALL}",
        )
    found = {"bindir": bindir, **dict(zip(keys, places, strict=True))}
    # A system's own library folder holds everything else, too; programs find it without us.
    if not found["pkglibdir"].is_relative_to(found["libdir"]) or found["libdir"].parent != bindir.parent:
        del found["libdir"]
    return found


def _common(dirs: dict[str, Path]) -> Path:
    return Path(os.path.commonpath(dirs.values()))


def _add_extensions(folder: Path) -> None:
    """Mark what the platform lets `postgres` create as trusted, and add our own extensions.

    Ours stand in for a server's own, too: some come without the library that theirs needs.
    """
    for path in OUR_EXTENSIONS.iterdir():
        shutil.copyfile(path, folder / path.name)
    for name in sorted(PRIVILEGED.union(STAND_INS, EMPTY, WITHOUT)):
        control = folder / f"{name}.control"
        if control.exists():
            text = control.read_text(encoding="utf-8")
            control.write_text(f"{text.rstrip()}\ntrusted = true\n", encoding="utf-8")
    for name, one in STAND_INS.items():
        if one.preloaded or not (folder / f"{name}.control").exists():
            _write(folder, name, one, (STAND_IN_SQL / f"{name}.sql").read_text(encoding="utf-8"))
    for name in EMPTY:
        if not (folder / f"{name}.control").exists():
            _write(folder, name, StandIn("1.0", schema=EMPTY_IN.get(name, ""), relocatable=name not in EMPTY_IN), "")


def _write(folder: Path, name: str, one: StandIn, script: str) -> None:
    control = [
        f"comment = '{COMMENT}{name}: its calls have no effect outside this database'",
        f"default_version = '{one.version}'",
        f"relocatable = {str(one.relocatable).lower()}",
        "trusted = true",
        *([f"schema = '{one.schema}'"] if one.schema else []),
        *([f"requires = '{', '.join(one.requires)}'"] if one.requires else []),
    ]
    (folder / f"{name}.control").write_text("\n".join(control) + "\n", encoding="utf-8")
    for version in (one.version, *one.pinned):
        (folder / f"{name}--{version}.sql").write_text(script, encoding="utf-8")


def _open_to_server(folder: Path) -> None:
    """Let the server's user read and run the copy, and nobody write to it but us."""
    gid = account().gid
    for path in (folder, *folder.rglob("*")):
        runs = path.is_dir() or path.stat().st_mode & 0o100
        os.chown(path, -1, gid)
        path.chmod(0o750 if runs else 0o640)


def _check_runs(binaries: Binaries, top: Path, bindir: Path) -> None:
    """See that the copied server runs, has the right version and reads the copied files."""
    for program, option, expected in (
        ("postgres", "--version", binaries.version),
        ("pg_config", "--sharedir", str(top)),
        ("pg_config", "--pkglibdir", str(top)),
    ):
        argv = [str(bindir / program), option]
        if (bindir / program).exists() and expected not in process.printed(argv, **account().run_as()):
            raise MissingToolError(
                f"The PostgreSQL in {binaries.bindir} does not run from another place.",
                f"Use another: {INSTALL}",
            )


def base_dir(binaries: Binaries, bindir: Path) -> Path:
    """The base's folder (`data/` and the passwords beside it), built on first use by the copied programs in `bindir`.

    Raises:
        SbsyncError: it could not be built; nothing half-made is left in its place.
    """
    return make_once(
        home("bases") / base_id(binaries), lambda half: _build(bindir, half),
        given_up=lambda half: server.stop(half / "data", at_once=True),
    )  # fmt: skip


def read_password(folder: Path, role: str) -> str:
    """The password of `supabase_admin` or `postgres` in the cluster in `folder`."""
    return (folder / f"{role}.password").read_text(encoding="utf-8")


def _build(bindir: Path, half: Path) -> None:
    account().own(half)
    for role in (ADMIN, OWNER):
        path = half / f"{role}.password"
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(24), encoding="utf-8")
        account().own(path)
    _initdb(bindir, half)
    up = server.start(bindir, half / "data", half / "log", durable=False)
    try:
        _fill(Endpoint(server.HOST, up.port, "postgres", ADMIN, read_password(half, ADMIN)), read_password(half, OWNER))
    finally:
        server.stop(half / "data")


def _initdb(bindir: Path, folder: Path) -> None:
    server.run([
        str(bindir / "initdb"), "-D", str(folder / "data"), "-U", ADMIN, "-A", "scram-sha-256",
        f"--pwfile={folder / f'{ADMIN}.password'}", "-E", "UTF8", f"--locale={next(filter(_locale_works, LOCALES))}",
        "--no-sync", "--wal-segsize=1", "--no-instructions",
    ])  # fmt: skip
    if not (folder / "data" / "PG_VERSION").is_file():
        raise SbsyncError(
            "initdb ended without an error, and made no database cluster.", f"Does {bindir} hold it whole?"
        )
    with (folder / "data" / "postgresql.conf").open("a", encoding="utf-8") as conf:
        conf.write(SETTINGS.read_text(encoding="utf-8"))


def _locale_works(name: str) -> bool:
    before = locale.setlocale(locale.LC_CTYPE)
    with suppress(locale.Error):
        locale.setlocale(locale.LC_CTYPE, name)
        locale.setlocale(locale.LC_CTYPE, before)
        return True
    return False


def _fill(admin: Endpoint, owner_password: str) -> None:
    """Run the base's SQL as the superuser."""
    import psycopg

    with connect(admin, "the base") as connection:
        for path in sorted(SQL.glob("*.sql")):
            try:
                connection.execute(path.read_bytes())
            except psycopg.Error as error:
                raise SbsyncError(f"The base could not be built: {path.name}: {error}") from error
        connection.execute(psycopg.sql.SQL("alter role postgres password {}").format(owner_password))
        # Half of the files of a cluster, copied each time and of no use in one with a single database.
        for name in ("template1", "template0"):
            connection.execute(f"alter database {name} is_template false".encode())
            connection.execute(f"drop database {name}".encode())
        # Nobody's first query should wait for what a fresh cluster has to do once.
        connection.execute("vacuum (freeze, analyze)")


def better_real(names: Iterable[str]) -> frozenset[str]:
    """The extensions for which a server that brings the real one is better than any other."""
    return frozenset(n for n in names if n in (*EMPTY, *WITHOUT) or (n in STAND_INS and not STAND_INS[n].preloaded))


@cache
def asked_for(root: Path) -> frozenset[str]:
    """The same of those that a project's migrations create, looked at once per process: no run changes its server.

    `icu` is among them where a collation needs it. A word in a comment may be, too: it only decides which of several
    servers is taken.
    """
    texts = [path.read_bytes() for path in migrations_dir(root).glob("*.sql") if path.is_file()]
    named = better_real({name.decode().lower() for text in texts for name in CREATED.findall(text)})
    return named | ({ICU} if any(map(OF_ICU.search, texts)) else frozenset())


def without_stand_in(asked: frozenset[str], brought: frozenset[str]) -> list[str]:
    """What migrations ask for, no server brings and nothing stands in for, sorted."""
    return sorted((asked - brought) & {*WITHOUT, ICU})
