"""Shadows for the CLI's local stack: containers of the very image and settings that the stack runs.

Only while a run needs them are there containers; what is kept between runs are volumes, one for the base and one
for each cached shadow. They belong to the project: the label `sbsync` holds its id, `sbsync.project` its machine and
folder. This removes every one of every project:

    docker volume rm $(docker volume ls --quiet --filter label=sbsync)
"""

from __future__ import annotations

import platform
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

from ..endpoint import Endpoint
from ..errors import SbsyncError
from ..folders import locked, state_dir
from . import container_base as base
from .connection import connect
from .embedded.place import identify, is_there
from .stack import HOST, Docker, Stack, published_port

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
BASE = "base"
LABEL = "sbsync"
OWNER = f"{LABEL}.project"
NO_TLS = MappingProxyType({"sslmode": "disable"})
START_SECONDS = 120.0
POLL_SECONDS = 0.05


class Containers:
    """The stack's shadow servers of one project, by name; the same interface as embedded `Clusters`.

    A server is a volume; while it runs there is a container of the same name. The file beside the other state
    that bears its name says that the volume is complete: it is written last.

    Args:
        root: The project's root.
        stack: The project's local stack, which has to be running.
    """

    def __init__(self, root: Path, stack: Stack) -> None:
        self._root = root.resolve()
        self._stack = stack
        self._docker = stack.docker

    @cached_property
    def _key(self) -> str:
        return identify(self._root)

    @cached_property
    def base_id(self) -> str:
        """A hash of everything that determines the base."""
        return base.base_id(self._stack, self._root)

    @cached_property
    def major(self) -> int:
        """PostgreSQL's major version of the stack."""
        with connect(self._stack.endpoint(), "the local stack") as connection:
            return connection.info.server_version // 10000

    def start(self, name: str) -> Endpoint:
        """Have the server running, made from the base when absent.

        Returns:
            Its database, as `postgres`, who is no superuser.

        Raises:
            SbsyncError: it does not start.
        """
        with self._hold(name):
            if not self.exists(name):
                self._copy(BASE, name)
            port = self._port(name) or self._run(name)
            return Endpoint(HOST, port, "postgres", "postgres", "postgres", NO_TLS)

    def stop(self, name: str) -> None:
        """Stop the server and remove its container; the volume stays."""
        with self._hold(name):
            self._stop(name)

    def remove(self, name: str) -> None:
        """Stop the server and remove its volume; nothing to do when it is absent."""
        with self._hold(name):
            self._discard(name)

    def exists(self, name: str) -> bool:
        """Whether there is a complete one of that name, made from the base of today."""
        marker = self._marker(name)
        whole = marker.is_file() and marker.read_text(encoding="utf-8") == self.base_id
        return whole and self._docker.attempt(["volume", "inspect", self._name(name)]).ok

    def running(self, name: str) -> bool:
        """Whether its container runs."""
        return self._port(name) is not None

    def names(self) -> tuple[str, ...]:
        """The project's volumes, sorted, the base left out."""
        listed = self._docker.names("volume", "ls", "--filter", f"label={LABEL}={self._key}", "--format", "{{.Name}}")
        found = (name.removeprefix(self._name("")) for name in listed)
        return tuple(sorted(name for name in found if name != BASE))

    def clone(self, source: str, target: str) -> None:
        """Copy one, roles and all. The source is stopped for it, and stays stopped.

        Raises:
            SbsyncError: `source` does not exist, or `target` does.
        """
        with self._hold(source, target):
            if not self.exists(source):
                raise SbsyncError(f"There is no database {source} to copy.")
            if self.exists(target):
                raise SbsyncError(f"The database {target} exists already.")
            self._stop(source)
            self._copy(source, target)

    @cached_property
    def _recipe(self) -> base.Recipe:
        """How servers are run; the base is made on the way where it is absent or out of date."""
        with self._hold(BASE):
            path = self._place() / "recipe.json"
            known = base.read(path, self.base_id)
            if known is not None and self.exists(BASE):
                return known
            for name in (*self.names(), BASE):  # they were copied from the base of before
                self._discard(name)
            self._label(BASE)
            made = base.make(self._stack, self._root, self._name(BASE))
            base.write(path, self.base_id, made)
            self._marker(BASE).write_text(self.base_id, encoding="utf-8")
            return made

    def _copy(self, source: str, target: str) -> None:
        image = self._recipe.image
        self._discard(target)
        self._label(target)
        base.copy(self._docker, image, self._name(source), self._name(target))
        self._marker(target).write_text(self.base_id, encoding="utf-8")

    def _label(self, name: str) -> None:
        id_, owner = f"{LABEL}={self._key}", f"{OWNER}={platform.node()} {self._root}"
        self._docker.call("volume", "create", "--label", id_, "--label", owner, self._name(name))

    def _run(self, name: str) -> int:
        """Run the container, and wait until it takes connections; the port of this machine."""
        recipe, container = self._recipe, self._name(name)
        self._docker.remove_container(container)  # a stopped one, of a machine that was switched off
        program, *arguments = (*recipe.entrypoint, *recipe.command)
        variables = [word for key in recipe.environment for word in ("--env", key)]
        self._docker.call(
            "run", "--detach", "--name", container, "--label", f"{LABEL}={self._key}", "--no-healthcheck",
            "--volume", f"{container}:{base.DATA}", "--publish", f"{HOST}::5432", *variables,
            "--entrypoint", program, recipe.image, *arguments,
            env={key: value for key, value in recipe.environment.items() if key != "PATH"},
        )  # fmt: skip
        return self._wait(name)

    def _wait(self, name: str) -> int:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            port = self._port(name)
            if port is None:
                break
            if _answers(port):
                return port
            time.sleep(POLL_SECONDS)
        said = self._docker.attempt(["logs", "--tail", "3", self._name(name)])
        self._docker.remove_container(self._name(name))
        raise SbsyncError(f"A shadow database did not start: {(said.stdout + said.stderr).strip()}")

    def _port(self, name: str) -> int | None:
        found = self._docker.container(self._name(name))
        return published_port(found) if found else None

    def _stop(self, name: str) -> None:
        if self.running(name):
            base.shut_down(self._docker, self._name(name))
        self._docker.remove_container(self._name(name))

    def _discard(self, name: str) -> None:
        self._marker(name).unlink(missing_ok=True)
        self._docker.remove_container(self._name(name))
        self._docker.remove_volume(self._name(name))

    @contextmanager
    def _hold(self, *names: str) -> Iterator[None]:
        """Hold these names' locks, always in the same order."""
        with ExitStack() as stack:
            for name in sorted(set(names)):
                stack.enter_context(locked(self._place() / f".{name}.lock"))
            yield

    def _name(self, name: str) -> str:
        if name and not NAME.fullmatch(name):
            raise SbsyncError(f"{name!r} cannot be the name of a database.")
        return f"sbsync_{self._key}_{name}"

    def _marker(self, name: str) -> Path:
        return self._place() / name

    def _place(self) -> Path:
        return state_dir(self._root, "containers")


def orphans(docker: Docker) -> dict[str, str]:
    """The volumes that a project of this machine has left behind, with its path; empty where that is not known.

    Raises:
        SbsyncError: the engine did not list them.
    """
    fields = (f'{{{{.Label "{LABEL}"}}}}', f'{{{{.Label "{OWNER}"}}}}')
    listed = docker.call("volume", "ls", "--filter", f"label={LABEL}", "--format", " ".join(("{{.Name}}", *fields)))
    found = {}
    for line in listed.splitlines():
        volume, key, machine, path = (*line.split(" ", 3), "", "")[:4]
        if not machine or (machine == platform.node() and not is_there(path, key)):
            found[volume] = path
    return found


def _answers(port: int) -> bool:
    import psycopg

    endpoint = Endpoint(HOST, port, "postgres", "postgres", "postgres", NO_TLS)
    try:
        with connect(endpoint, "a shadow database"):
            return True
    except (SbsyncError, psycopg.Error):
        return False
