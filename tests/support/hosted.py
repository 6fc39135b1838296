"""Stand-ins for projects on Supabase's platform: a name in the hosts file, and behind it a server with TLS."""

from __future__ import annotations

import fcntl
import os
import random
import secrets
import socket
import socketserver
import string
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from sbsync_tasks.databases.embedded.place import account
from sbsync_tasks.endpoint import Endpoint
from tests.support.plain_server import PlainServer
from tests.support.project import Data

HOSTS = Path("/etc/hosts")
PORT = 5432
# An IPv6 address that no connection leads to, whatever networks the machine is in: a group of the own link's.
UNREACHABLE = "ff02::1"
SYNCED = "synced"
OPENSSL = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650")
CHUNK = 65536


def missing() -> str:
    """Why there can be no stand-in on this machine; empty where there can."""
    if not os.access(HOSTS, os.W_OK):
        return f"{HOSTS} cannot be written: run the tests as root, in a container"
    try:
        socket.create_server((new_address(), PORT)).close()
    except OSError:
        return "addresses besides 127.0.0.1 cannot be listened on"
    return ""


def new_ref() -> str:
    """A project's ref that nobody has."""
    return "sbsync" + "".join(secrets.choice(string.ascii_lowercase) for _ in range(14))


def new_address() -> str:
    """An address of this machine that no other test run is likely to use."""
    return f"127.{random.randint(64, 250)}.{random.randint(1, 250)}.{random.randint(2, 250)}"


def host_of(ref: str) -> str:
    """The name of a project's direct connection."""
    return f"db.{ref}.supabase.co"


@contextmanager
def named(address: str, name: str) -> Iterator[None]:
    """A line in the hosts file; afterwards it is gone again, and all others are as they were."""
    line = f"{address} {name} # sbsync tests\n"
    _rewrite(lambda text: text + ("" if not text or text.endswith("\n") else "\n") + line)
    try:
        yield
    finally:
        _rewrite(lambda text: text.replace(line, ""))


def _rewrite(change: Any) -> None:
    """Rewrite the hosts file in its place (in a container it is a mount); one process at a time."""
    with HOSTS.open("r+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        text = change(file.read())
        file.seek(0)
        file.write(text)
        file.truncate()


class Listener(socketserver.ThreadingTCPServer):
    """Listens, counts the connections, and does with each what a subclass says; stops at the end of the block."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, address: str = "127.0.0.1", port: int = 0) -> None:
        self.connections = 0
        super().__init__((address, port), socketserver.BaseRequestHandler)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    def finish_request(self, request: Any, client_address: Any) -> None:
        self.connections += 1
        with suppress(OSError):  # the other side has gone
            self.answer(request)

    def answer(self, client: socket.socket) -> None:
        """Say nothing, and hang up."""

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class Gate(Listener):
    """Passes every connection on to a port of 127.0.0.1."""

    def __init__(self, target: int, address: str = "127.0.0.1", port: int = 0) -> None:
        self.target = target
        super().__init__(address, port)

    def answer(self, client: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", self.target)) as server:
            back = threading.Thread(target=_pump, args=(server, client), daemon=True)
            back.start()
            _pump(client, server)
            back.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(CHUNK):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


def certificate(folder: Path, names: Sequence[str]) -> tuple[Path, Path]:
    """A certificate for these names that is signed by nobody else, and its key."""
    cert, key = folder / "server.crt", folder / "server.key"
    alternatives = ",".join(f"DNS:{name}" for name in names)
    subprocess.run(
        [*OPENSSL, "-subj", "/CN=sbsync", "-addext", f"subjectAltName={alternatives}", "-keyout", key, "-out", cert],
        check=True, capture_output=True,
    )  # fmt: skip
    return cert, key


def switch_tls_on(server: PlainServer, names: Sequence[str]) -> Path:
    """Let a server encrypt, with a certificate for these names; its file is returned."""
    import psycopg

    cert, key = certificate(server._folder, names)
    for path in (cert, key):
        path.chmod(0o600)
        account().own(path)
    with psycopg.connect(**server.admin("template1").conninfo(), autocommit=True) as connection:
        connection.execute(f"alter system set ssl_cert_file = '{cert}'")
        connection.execute(f"alter system set ssl_key_file = '{key}'")
        connection.execute("alter system set ssl = on")
        connection.execute("select pg_reload_conf()")
    return cert


class Hosted:
    """A project's database on a server of its own, which its name in the hosts file leads to.

    Args:
        ref: The project's.
    """

    def __init__(self, ref: str) -> None:
        self.ref = ref
        self.host = host_of(ref)
        self.server = PlainServer()
        self.certificate = switch_tls_on(self.server, [self.host])
        self.gate = Gate(self.server._port, new_address(), PORT)

    @property
    def address(self) -> str:
        """Where it listens, on port 5432."""
        return str(self.gate.server_address[0])

    @property
    def password(self) -> str:
        """Of the role `postgres`."""
        return self.server._password

    @property
    def endpoint(self) -> Endpoint:
        """The way to the server that goes past the counting listener."""
        admin = self.server.admin("postgres")
        return replace(admin, user="postgres", password=self.password)

    def keep(self) -> None:
        """Keep the database as it is now, to be brought back by `refresh`."""
        self._template("postgres", SYNCED)

    def refresh(self) -> None:
        """Make the database again as it was when it was kept."""
        self._template(SYNCED, "postgres")

    def _template(self, source: str, target: str) -> None:
        Data(self.server.admin("template1")).run(
            f"drop database if exists {target} with (force)",
            f"create database {target} template {source} owner postgres",
        )

    def __enter__(self) -> Self:
        self._name = named(self.address, self.host)
        self._name.__enter__()
        self.gate.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._name.__exit__(None, None, None)
        self.gate.__exit__()
        self.server.stop()
