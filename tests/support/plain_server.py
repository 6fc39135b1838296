"""A plain PostgreSQL of its own for tests: a remote that is not one of the embedded clusters."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from pathlib import Path
from types import MappingProxyType
from typing import Self

from sbsync_tasks.databases.embedded import server
from sbsync_tasks.databases.embedded.base import server_tree
from sbsync_tasks.databases.embedded.binaries import find_binaries
from sbsync_tasks.databases.embedded.place import account, home
from sbsync_tasks.endpoint import Endpoint
from sbsync_tasks.folders import spread
from tests.support import leftovers

HERE = Path(__file__).parent
# A larger stand-in for the platform's base that may lie beside the repository.
DOCKER_STACK = HERE.parents[1] / ".." / "shared" / "docker-stack" / "init.sql"
NASTY_PASSWORD = "p@ss:w/o%r#d'\"$ x"
NO_TLS = MappingProxyType({"sslmode": "disable"})


class PlainServer:
    """One server on a port of its own, beside the embedded ones; `postgres` is no superuser on it.

    Use it as a context manager or call `stop`. Databases are made by copying the one that the base's SQL was run
    in; roles are shared by all of them.

    Args:
        password: Of the role `postgres`.
        base: `plain` (plain_base.sql) or `docker-stack` (where its init.sql is at hand).
        bindir: The server's programs; those of the embedded databases as a rule.
    """

    def __init__(self, password: str = NASTY_PASSWORD, base: str = "plain", bindir: Path | None = None) -> None:
        self._password = password
        self._admin_password = secrets.token_urlsafe(12)
        self._bindir = bindir or server_tree(find_binaries(None))
        user = account()
        place = home("plain")
        spread(place)
        self._folder = Path(tempfile.mkdtemp(dir=place))
        leftovers.note(self._folder)
        user.own(self._folder)
        self._port = 0
        try:
            self._start(DOCKER_STACK if base == "docker-stack" else HERE / "plain_base.sql")
        except BaseException:
            self.stop()
            raise

    def create_database(self, name: str) -> Endpoint:
        """Make a database with the base in it, owned by `postgres`, and say how `postgres` reaches it."""
        self._execute("template1", f'create database "{name}" template postgres owner postgres')
        return Endpoint("127.0.0.1", self._port, name, "postgres", self._password, NO_TLS)

    def admin(self, name: str) -> Endpoint:
        """The same database as the superuser."""
        return Endpoint("127.0.0.1", self._port, name, "supabase_admin", self._admin_password, NO_TLS)

    def stop(self) -> None:
        """Stop the server and remove all of it."""
        server.stop(self._folder / "data", at_once=True)
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _start(self, base: Path) -> None:
        data, secret = self._folder / "data", self._folder / "password"
        secret.write_text(self._admin_password, encoding="utf-8")
        secret.chmod(0o600)
        account().own(secret)
        server.run([
            str(self._bindir / "initdb"), "-D", str(data), "-U", "supabase_admin", "-E", "UTF8",
            "-A", "scram-sha-256", f"--pwfile={secret}", "--locale=C", "--no-sync", "--wal-segsize=1",
        ])  # fmt: skip
        with (data / "postgresql.conf").open("a", encoding="utf-8") as conf:
            conf.write("listen_addresses = '127.0.0.1'\nunix_socket_directories = ''\n")
            conf.write("wal_level = logical\nshared_buffers = 32MB\n")
        self._port = server.start(self._bindir, data, self._folder / "log", durable=False).port
        self._execute("postgres", base.read_text(encoding="utf-8"))
        self._set_password()

    def _set_password(self) -> None:
        from psycopg import sql

        statement = sql.SQL("alter role postgres password {}").format(self._password)
        self._execute("postgres", statement)

    def _execute(self, database: str, statement: object) -> None:
        import psycopg

        with psycopg.connect(**self.admin(database).conninfo(), autocommit=True) as connection:
            connection.execute(statement)
