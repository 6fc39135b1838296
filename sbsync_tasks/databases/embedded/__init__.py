"""An embedded PostgreSQL: real databases on this machine, without Docker and without an account.

One server and one data directory for each database: roles belong to a cluster, not to a database. So a migration that
creates a role works on every one of them.
"""

from __future__ import annotations

import re
import secrets
import shutil
from contextlib import contextmanager
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
        durable: False, for throw-away databases, has the servers do without what protects data from a crash.

    Attributes:
        base_id: A hash of everything that determines the base that clusters are copied from.
    """

    def __init__(self, root: Path, binaries: Binaries, *, durable: bool = True) -> None:
        self._root = root.resolve()
        self._binaries = binaries
        self._durable = durable
        self.base_id = base.base_id(binaries)

    def start(self, name: str) -> Endpoint:
        """Have the cluster running, made from the base when absent: its database, as `postgres`, who is no superuser.

        Raises:
            SbsyncError: it does not start, or another major version made it.
        """
        with self._hold(name):
            folder = self._folder(name)
            if not _is_complete(folder):
                source = base.base_dir(self._binaries, self._bindir)
                self._discard(folder)
                self._copy(source, name)
            up = server.find_running(folder / "data") or self._start(folder)
            if (folder / RAISED).exists():
                _lower(folder, up.port)
            return _endpoint(folder, up.port, base.OWNER)

    def stop(self, name: str) -> None:
        """Stop its server; nothing to do when it is down or absent."""
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
            if (port := self._folder(name) / "port").exists():  # what connects to it finds it again
                shutil.copyfile(port, self._folder(by) / "port")
            self._folder(by).rename(self._beside(name, "next"))
            self._clear_up(name)

    @property
    def _bindir(self) -> Path:
        return base.server_tree(self._binaries)

    def _copy(self, source: Path, name: str) -> None:
        """Copy a stopped cluster's folder, then name it. Copies tell themselves apart by when they were started."""
        spread(place_of(self._root))
        half = self._beside(f"{name}.{secrets.token_hex(4)}", "new")
        copy_tree(source, half)
        for left in ("port", "log", RAISED, MANIFEST):
            (half / left).unlink(missing_ok=True)
        half.rename(self._folder(name))

    def _start(self, folder: Path) -> server.Running:
        maker = _major_of(folder)
        if maker != self._binaries.major:
            raise SbsyncError(
                f"The embedded database {folder.name} was made by PostgreSQL {maker}, and the "
                f"server found here is {self._binaries.version} ({self._binaries.source}).",
                f"Name a PostgreSQL {maker} with SBSYNC_PG_BINDIR, or remove the database.",
            )
        last = folder / "port"
        port = int(last.read_text(encoding="utf-8")) if last.exists() else 0
        up = server.start(self._bindir, folder / "data", folder / "log", durable=self._durable, port=port)
        last.write_text(str(up.port), encoding="utf-8")
        return up

    @contextmanager
    def _hold(self, *names: str) -> Iterator[None]:
        """Hold these names' locks, with interrupted work cleared up."""
        folders = sorted(self._folder(name) for name in set(names))
        place = make_place(self._root)
        with locked(*(place / f".{folder.name}.lock" for folder in folders)):
            for folder in folders:
                self._clear_up(folder.name)
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
    place = place_of(root.resolve())
    found = (folder for folder in (place / f"{name}.next", place / name) if _is_complete(folder))
    return next(map(_major_of, found), None)


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


def as_admin(folder: Path, port: int) -> psycopg.Connection[tuple[Any, ...]]:
    """A connection to a running embedded database as `supabase_admin`, for our own work only."""
    return connect(_endpoint(folder, port, base.ADMIN), folder.name)


def _inside(place: Path) -> list[Path]:
    return list(place.iterdir()) if place.is_dir() else []


def _major_of(folder: Path) -> int:
    return int((folder / "data" / "PG_VERSION").read_text(encoding="utf-8"))


def _is_complete(folder: Path) -> bool:
    return all((folder / part).is_file() for part in ESSENTIAL)


def _endpoint(folder: Path, port: int, role: str) -> Endpoint:
    return Endpoint(server.HOST, port, "postgres", role, base.read_password(folder, role), OPTIONS)
