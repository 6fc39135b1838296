"""The copied server and the pristine data directory that every cluster starts as a copy of, each made once per user.

The server's files are copied to the cache with the extension files that it lacks. The directory's SQL keeps the
platform's facts, file by file with their public sources (`sql/`). What a platform project has beyond that needs
programs that plain PostgreSQL does not bring: `stand_ins` says what stands in for them.
An extension that `postgres` creates belongs to `postgres` here, to supabase_admin on the platform.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from functools import cache
from pathlib import Path

from sbsync_tasks import process
from sbsync_tasks.databases.connection import without_pg_variables
from sbsync_tasks.endpoint import Endpoint
from sbsync_tasks.errors import MissingToolError, SbsyncError
from sbsync_tasks.folders import make_once

from . import server, stand_ins
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
PASSWORDS = (ADMIN, OWNER)
# The platform's where SQL can see them (supabase/postgres: ansible/files/postgresql_config);
# the rest keeps a server small and off every network but loopback.
SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
password_encryption = 'scram-sha-256'
max_connections = 60
shared_buffers = 32MB
huge_pages = off
wal_level = logical
max_wal_senders = 5
max_replication_slots = 5
min_wal_size = 2MB
wal_recycle = off
timezone = 'UTC'
log_timezone = 'UTC'
jit = off
shared_preload_libraries = 'pg_stat_statements'
"""
TEMPLATES = ("template1", "template0")
# Small WAL segments keep a copy small; C.UTF-8 is the platform's locale, C is always there.
LOCALES = ("C.UTF-8", "C.utf8", "C")


def ours_digest() -> str:
    """A hash of everything that is added to a server's files."""
    digest = hashlib.sha256(" ".join(sorted(PRIVILEGED)).encode())
    own = (*OUR_EXTENSIONS.iterdir(), *stand_ins.SQL.iterdir(), Path(stand_ins.__file__))
    for path in sorted(own):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def brought(binaries: Binaries) -> str:
    """What a server brings of that for which others get a stand-in; some of it may have been installed since."""
    return " ".join(sorted(stand_ins.better_real(binaries.brings) | (binaries.brings & {ICU})))


@cache
def server_tree(binaries: Binaries) -> Path:
    """The folder with the copied server's programs, copied on first use, looked at once per process.

    Raises:
        MissingToolError: the copy does not run, so this PostgreSQL cannot be moved.
    """
    real = binaries.bindir.resolve()  # as pg_config has it
    key = hashlib.sha256(f"{real} {binaries.version} {ours_digest()} {brought(binaries)}".encode())
    dirs = _directories(real)
    target = home("servers") / f"{binaries.version}-{key.hexdigest()[:12]}"
    make_once(target, lambda half: _copy_server(binaries, dirs, half))
    return target / dirs["bindir"].relative_to(_common(dirs))


def _copy_server(binaries: Binaries, dirs: dict[str, Path], half: Path) -> None:
    common = _common(dirs)
    for folder in _outermost(dirs):
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
    found = dict(zip(keys, places, strict=True))
    # A system's own library folder holds everything else, too; programs find it without us.
    if found["libdir"] not in (found["pkglibdir"], *found["pkglibdir"].parents) or (
        found["libdir"].parent != bindir.parent
    ):
        del found["libdir"]
    return {"bindir": bindir, **found}


def _common(dirs: dict[str, Path]) -> Path:
    return Path(os.path.commonpath([str(path) for path in dirs.values()]))


def _outermost(dirs: dict[str, Path]) -> list[Path]:
    """The folders to copy, without those that lie inside another one."""
    places = set(dirs.values())
    return sorted(place for place in places if not places & set(place.parents))


def _add_extensions(folder: Path) -> None:
    """Mark what the platform lets `postgres` create as trusted, and add our own extensions.

    Ours stand in for a server's own, too: some come without the library that theirs needs.
    """
    for path in OUR_EXTENSIONS.iterdir():
        shutil.copyfile(path, folder / path.name)
    for name in sorted(PRIVILEGED.union(stand_ins.STAND_INS, stand_ins.EMPTY, stand_ins.WITHOUT)):
        control = folder / f"{name}.control"
        if control.exists():
            text = control.read_text(encoding="utf-8")
            control.write_text(f"{text.rstrip()}\ntrusted = true\n", encoding="utf-8")
    stand_ins.add(folder)


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


def base_id(binaries: Binaries) -> str:
    """A hash of all that determines the base: SQL, extension files, settings, the server's version and extensions."""
    parts = (binaries.version, SETTINGS, str(TEMPLATES), ours_digest(), brought(binaries))
    digest = hashlib.sha256("\n".join(parts).encode())
    for path in sorted(SQL.glob("*.sql")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def base_dir(binaries: Binaries, bindir: Path) -> Path:
    """The base's folder (`data/` and the passwords beside it), built on first use.

    Args:
        binaries: The server as it was found.
        bindir: The programs of its copy, with our extensions (`server_tree`).

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
    for role in PASSWORDS:
        _write_password(half / f"{role}.password")
    _initdb(bindir, half)
    _fill(bindir, half)


def _write_password(path: Path) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(secrets.token_urlsafe(24))
    account().own(path)


def _initdb(bindir: Path, folder: Path) -> None:
    locale = LOCALES[-1]
    for candidate in LOCALES:
        if _locale_works(candidate):
            locale = candidate
            break
    server.run([
        str(bindir / "initdb"), "-D", str(folder / "data"), "-U", ADMIN, "-A", "scram-sha-256",
        f"--pwfile={folder / f'{ADMIN}.password'}", "-E", "UTF8", f"--locale={locale}",
        "--no-sync", "--wal-segsize=1", "--no-instructions",
    ])  # fmt: skip
    if not (folder / "data" / "PG_VERSION").is_file():
        raise SbsyncError(
            "initdb ended without an error, and made no database cluster.", f"Does {bindir} hold it whole?"
        )
    with (folder / "data" / "postgresql.conf").open("a", encoding="utf-8") as conf:
        conf.write(SETTINGS)


def _locale_works(name: str) -> bool:
    import locale

    before = locale.setlocale(locale.LC_CTYPE)
    try:
        locale.setlocale(locale.LC_CTYPE, name)
    except locale.Error:
        return False
    finally:
        locale.setlocale(locale.LC_CTYPE, before)
    return True


def _fill(bindir: Path, folder: Path) -> None:
    """Run the base's SQL as the superuser."""
    up = server.start(bindir, folder / "data", folder / "log", durable=False)
    admin = Endpoint(server.HOST, up.port, "postgres", ADMIN, read_password(folder, ADMIN))
    try:
        _execute(admin, read_password(folder, OWNER))
    finally:
        server.stop(folder / "data")


def _execute(admin: Endpoint, owner_password: str) -> None:
    import psycopg
    from psycopg import sql
    from psycopg.conninfo import make_conninfo

    conninfo = make_conninfo("", **{key: str(value) for key, value in admin.conninfo().items()})
    with without_pg_variables(), psycopg.connect(conninfo, autocommit=True) as connection:
        for path in sorted(SQL.glob("*.sql")):
            try:
                connection.execute(path.read_bytes())
            except psycopg.Error as error:
                raise SbsyncError(f"The base could not be built: {path.name}: {error}") from error
        statement = sql.SQL("alter role postgres password {}").format(owner_password)
        connection.execute(statement)
        # Half of the files of a cluster, copied each time and of no use in one with a single database.
        for name in TEMPLATES:
            connection.execute(sql.SQL("alter database {} is_template false").format(sql.Identifier(name)))
            connection.execute(sql.SQL("drop database {}").format(sql.Identifier(name)))
        # Nobody's first query should wait for what a fresh cluster has to do once.
        connection.execute("vacuum (freeze, analyze)")
