"""The clusters of one project: one server and one data directory for each database.

Roles belong to a cluster, not to a database. With one cluster for each database a migration that
creates a role works on every one of them.
"""

from __future__ import annotations

import re
import secrets
import shutil
from contextlib import ExitStack, contextmanager
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from sbsync_tasks.databases.connection import connect
from sbsync_tasks.endpoint import Endpoint
from sbsync_tasks.errors import SbsyncError
from sbsync_tasks.folders import MANIFEST, copy_tree, locked, spread

from . import base, server
from .place import make_place, place_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import psycopg

    from .binaries import Binaries

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
DATABASE = "postgres"
# The server speaks no TLS, and CLI 2.x insists on it unless told.
OPTIONS = MappingProxyType({"sslmode": "disable"})
RAISED = "superuser"  # there while `postgres` is one
# Without these no server can use a data directory.
ESSENTIAL = ("data/PG_VERSION", "data/global/pg_control", "postgres.password")


class Clusters:
    """The embedded databases of one project, by name.

    A cluster is a folder: `data/`, the passwords, the server's log, the port it had. Beside it
    stand, only while work is going on or was interrupted: `NAME.….new` (being copied), `NAME.next`
    (complete, about to become NAME) and `NAME.old` (about to be removed). Whoever next takes the
    name's lock clears that up.

    Args:
        root: The project's root.
        binaries: The server's programs.
        durable: False switches off what protects data from a crash, in the servers that are started: for throw-away
            databases.

    Attributes:
        base_id: A hash of everything that determines the base that clusters are copied from.
    """

    def __init__(self, root: Path, binaries: Binaries, *, durable: bool = True) -> None:
        self._root = root.resolve()
        self._binaries = binaries
        self._durable = durable
        self.base_id = base.base_id(binaries)

    def start(self, name: str) -> Endpoint:
        """Have the cluster running: created from the base when absent, started when it is down.

        Args:
            name: Lower-case letters, digits, `_` and `-`.

        Returns:
            Its database, as `postgres`, who is no superuser.

        Raises:
            SbsyncError: it does not start, or another major version made it.
        """
        with self._hold(name):
            folder = self._folder(name)
            if not _is_complete(folder):
                self._create(name)
            up = server.find_running(folder / "data") or self._start(folder)
            if (folder / RAISED).exists():
                _lower(folder, up.port)
            return _endpoint(folder, up.port, base.OWNER)

    def stop(self, name: str) -> None:
        """Stop the cluster's server; nothing to do when it is down or absent."""
        with self._hold(name):
            server.stop(self._folder(name) / "data")

    def stop_all(self) -> None:
        """Stop every cluster of the project."""
        for name in self.names():
            self.stop(name)

    def remove(self, name: str) -> None:
        """Stop and delete the cluster; nothing to do when it is absent."""
        with self._hold(name):
            self._discard(self._folder(name))

    def remove_all(self) -> None:
        """Stop and delete every cluster of the project, and the folder they were in."""
        for name in self.names():
            self.remove(name)
        shutil.rmtree(place_of(self._root), ignore_errors=True)

    def exists(self, name: str) -> bool:
        """Whether there is a complete cluster of that name."""
        return _is_complete(self._folder(name)) or _is_complete(self._beside(name, "next"))

    def running(self, name: str) -> bool:
        """Whether its server takes connections."""
        return server.find_running(self._folder(name) / "data") is not None

    def names(self) -> tuple[str, ...]:
        """The project's clusters, sorted."""
        found = {path.name.removesuffix(".next") for path in _inside(place_of(self._root))}
        return tuple(sorted(n for n in found if NAME.fullmatch(n) and self.exists(n)))

    def clone(self, source: str, target: str) -> None:
        """Copy a cluster, roles and all. The source is stopped for it, and stays stopped.

        Raises:
            SbsyncError: `source` does not exist, or `target` does.
        """
        with self._hold(source, target):
            if not self.exists(source):
                raise SbsyncError(f"There is no embedded database {source} to copy.")
            if self.exists(target):
                raise SbsyncError(f"The embedded database {target} exists already.")
            server.stop(self._folder(source) / "data")
            self._copy(self._folder(source), target)

    def replace(self, name: str, by: str) -> None:
        """Let the cluster `by` take the place of `name`; the old one is removed only afterwards.

        One rename decides: before it nothing has happened, after it any later call does the rest.

        Raises:
            SbsyncError: `by` does not exist.
        """
        with self._hold(name, by):
            if not _is_complete(self._folder(by)):
                raise SbsyncError(f"There is no embedded database {by} to replace {name} with.")
            server.stop(self._folder(by) / "data")
            server.stop(self._folder(name) / "data")
            self._keep_port(name, by)
            self._folder(by).rename(self._beside(name, "next"))
            self._clear_up(name)

    def _keep_port(self, name: str, by: str) -> None:
        """What connects to `name` finds it at the same port after it was replaced."""
        port = self._folder(name) / "port"
        if port.exists():
            (self._folder(by) / "port").write_text(port.read_text(encoding="utf-8"), encoding="utf-8")

    @cached_property
    def _bindir(self) -> Path:
        """The copied server's programs; looking whether the copy is whole costs more than a start."""
        return base.server_tree(self._binaries)

    def _create(self, name: str) -> None:
        source = base.base_dir(self._binaries, self._bindir)
        self._discard(self._folder(name))
        self._copy(source, name)

    def _copy(self, source: Path, name: str) -> None:
        """Copy a stopped cluster's folder, then name it. Copies tell themselves apart by when they were started."""
        spread(place_of(self._root))
        half = self._beside(f"{name}.{secrets.token_hex(4)}", "new")
        copy_tree(source, half)
        for left in ("port", "log", RAISED, MANIFEST):
            (half / left).unlink(missing_ok=True)
        half.rename(self._folder(name))

    def _start(self, folder: Path) -> server.Running:
        self._check_major(folder)
        last = folder / "port"
        port = int(last.read_text(encoding="utf-8")) if last.exists() else 0
        up = server.start(self._bindir, folder / "data", folder / "log", durable=self._durable, port=port)
        last.write_text(str(up.port), encoding="utf-8")
        return up

    def _check_major(self, folder: Path) -> None:
        maker = _major_of(folder)
        if maker != self._binaries.major:
            raise SbsyncError(
                f"The embedded database {folder.name} was made by PostgreSQL {maker}, and the "
                f"server found here is {self._binaries.version} ({self._binaries.source}).",
                f"Name a PostgreSQL {maker} with SBSYNC_PG_BINDIR, or remove the database.",
            )

    @contextmanager
    def _hold(self, *names: str) -> Iterator[None]:
        """Hold these names' locks, always in the same order, with interrupted work cleared up."""
        with ExitStack() as stack:
            for name in sorted(set(names)):
                self._folder(name)
                stack.enter_context(locked(make_place(self._root) / f".{name}.lock"))
                self._clear_up(name)
            yield

    def _clear_up(self, name: str) -> None:
        """Finish a replacement that was decided; remove what was half-copied or half-removed."""
        folder, following = self._folder(name), self._beside(name, "next")
        if following.exists():
            self._discard(folder)
            following.rename(folder)
        for left in (*place_of(self._root).glob(f"{name}.*.new"), self._beside(name, "old")):
            shutil.rmtree(left, ignore_errors=True)

    def _discard(self, folder: Path) -> None:
        """Stop and remove a cluster: out of the way in one rename, then file by file."""
        if not folder.exists():
            return
        server.stop(folder / "data", at_once=True)
        old = self._beside(folder.name, "old")
        shutil.rmtree(old, ignore_errors=True)
        folder.rename(old)
        shutil.rmtree(old, ignore_errors=True)

    def _folder(self, name: str) -> Path:
        if not NAME.fullmatch(name):
            raise SbsyncError(f"{name!r} cannot be the name of an embedded database.")
        return place_of(self._root) / name

    def _beside(self, name: str, suffix: str) -> Path:
        return place_of(self._root) / f"{name}.{suffix}"


def made_by(root: Path, name: str) -> int | None:
    """PostgreSQL's major version of the server that made a cluster; None where the project has none of that name."""
    for folder in (place_of(root.resolve()) / f"{name}.next", place_of(root.resolve()) / name):
        if _is_complete(folder):
            return _major_of(folder)
    return None


def folder_of(root: Path, endpoint: Endpoint) -> Path | None:
    """The folder of the project's embedded database that is running at an endpoint; None for any other server."""
    if not endpoint.is_loopback:
        return None
    for folder in _inside(place_of(root.resolve())):
        port = folder / "port"
        if port.exists() and port.read_text(encoding="utf-8") == str(endpoint.port) and _is_complete(folder):
            return folder if base.read_password(folder, base.OWNER) == endpoint.password else None
    return None


@contextmanager
def superuser(folder: Path, port: int) -> Iterator[None]:
    """Let `postgres` be a superuser for a while; a run that is killed meanwhile leaves a note for the next start."""
    (folder / RAISED).touch()
    with as_admin(folder, port) as connection:
        connection.execute("alter role postgres superuser")
    try:
        yield
    finally:
        _lower(folder, port)


def _lower(folder: Path, port: int) -> None:
    with as_admin(folder, port) as connection:
        connection.execute("alter role postgres nosuperuser")
    (folder / RAISED).unlink(missing_ok=True)


@contextmanager
def as_admin(folder: Path, port: int) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """A connection to a running embedded database as `supabase_admin`, for our own work only."""
    with connect(_endpoint(folder, port, base.ADMIN), folder.name) as connection:
        yield connection


def _inside(place: Path) -> list[Path]:
    return list(place.iterdir()) if place.is_dir() else []


def _major_of(folder: Path) -> int:
    return int((folder / "data" / "PG_VERSION").read_text(encoding="utf-8"))


def _is_complete(folder: Path) -> bool:
    return all((folder / part).is_file() for part in ESSENTIAL)


def _endpoint(folder: Path, port: int, role: str) -> Endpoint:
    password = base.read_password(folder, role)
    return Endpoint(server.HOST, port, DATABASE, role, password, OPTIONS)
