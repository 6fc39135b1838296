"""The pristine data directory that every cluster starts as a copy of, made once per user.

Its SQL keeps the platform's facts, file by file with their public sources (`sql/`). What a platform project has
beyond that needs programs that plain PostgreSQL does not bring: `stand_ins` says what stands in for them.
An extension that `postgres` creates belongs to `postgres` here, to supabase_admin on the platform.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from sbsync_tasks.databases.connection import without_pg_variables
from sbsync_tasks.endpoint import Endpoint
from sbsync_tasks.errors import SbsyncError

from . import account, files, server
from .locks import locked
from .tree import brought, ours_digest

if TYPE_CHECKING:
    from .binaries import Binaries

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
        bindir: The programs of its copy, with our extensions (`tree.server_tree`).

    Raises:
        SbsyncError: it could not be built; nothing half-made is left in its place.
    """
    place = account.home() / "bases"
    target = place / base_id(binaries)
    with locked(place / f"{target.name}.lock"):
        place.chmod(account.PASS_THROUGH)
        os.chown(place, -1, account.current().gid)
        if not files.is_whole(target):
            _build(bindir, target)
    return target


def read_password(folder: Path, role: str) -> str:
    """The password of `supabase_admin` or `postgres` in the cluster in `folder`."""
    return (folder / f"{role}.password").read_text(encoding="utf-8")


def _build(bindir: Path, target: Path) -> None:
    half = target.with_name(f"{target.name}.new")
    server.stop(half / "data", at_once=True)
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(mode=0o700)
    account.current().own(half)
    for role in PASSWORDS:
        _write_password(half / f"{role}.password")
    _initdb(bindir, half)
    _fill(bindir, half)
    files.seal(half)
    shutil.rmtree(target, ignore_errors=True)
    half.rename(target)


def _write_password(path: Path) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(secrets.token_urlsafe(24))
    account.current().own(path)


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
