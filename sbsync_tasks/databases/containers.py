"""Shadows for the CLI's local stack: containers of the very image and settings that the stack runs.

Their pristine base is a database that the CLI itself has just made, as it makes the user's own: `supabase db start` in
a private project without migrations and seeds, with the part of the user's config.toml that decides what a new
database holds. So it has the same image, the same service migrations (auth, storage, realtime) and the same settings.

Only while a run needs them are there containers; what is kept between runs are volumes, one for the base and one
for each cached shadow. They belong to the project: the label `sbsync` holds its id, `sbsync.project` its machine and
folder. This removes every one of every project:

    docker volume rm $(docker volume ls --quiet --filter label=sbsync)
"""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ..endpoint import Endpoint
from ..errors import SbsyncError
from ..folders import locked, private_tempdir, state_dir
from ..settings.project import ConfigToml
from .connection import connect
from .embedded.place import identify, is_there
from .embedded.server import free_port
from .stack import HOST, Docker, Stack, published_port

BASE = "base"
LABEL = "sbsync"
OWNER = f"{LABEL}.project"
NO_TLS = MappingProxyType({"sslmode": "disable"})
START_SECONDS = 120.0
POLL_SECONDS = 0.05
DATA = "/var/lib/postgresql/data"
# These services add schemas of their own to a new database; each is on unless config.toml says otherwise.
SERVICES = ("auth", "storage", "realtime")
EXPOSE = "auto_expose_new_tables"
# Throw-away databases: nothing of them has to survive a power cut.
FAST = r"fsync = off\nfull_page_writes = off\nsynchronous_commit = off\n"
COPY = "cp -a /from/. /to/ && rm -f /to/postmaster.pid"
COPY_BASE = f"{COPY} && printf '{FAST}' >> /to/postgresql.auto.conf"
# A server told to stop at once but cleanly (SIGINT is PostgreSQL's fast shutdown), whatever process starts it.
SHUT = f"kill -INT $(head -n 1 {DATA}/postmaster.pid)"


@dataclass(frozen=True)
class Recipe:
    """How the CLI runs its database's container.

    Attributes:
        base: The base that was made with it.
        image: The image's id.
        command: The program and its arguments.
        environment: Variables; among them what may be a secret.
    """

    base: str
    image: str
    command: list[str]
    environment: Mapping[str, str]

    @classmethod
    def of(cls, container: Mapping[str, Any], base: str) -> Recipe:
        """The recipe of an inspected container."""
        config = container["Config"]
        variables = dict(line.split("=", 1) for line in config.get("Env") or ())
        return cls(base, container["Image"], [*(config.get("Entrypoint") or ()), *(config.get("Cmd") or ())], variables)

    @classmethod
    def read(cls, path: Path, base: str) -> Recipe | None:
        """The recipe as it was written for this base; None where the file is of another base, or absent."""
        try:
            known = cls(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        return known if known.base == base else None

    def write(self, path: Path) -> None:
        """Write it down, readable by the user alone."""
        path.touch(mode=0o600)
        path.write_text(json.dumps(vars(self)), encoding="utf-8")


class Containers:
    """The stack's shadow servers of one project, by name; the same interface as embedded `Clusters`.

    A server is a volume; while it runs there is a container of the same name. The file beside the other state
    that bears its name says that the volume is complete: it is written last. The stack has to be running.
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
        """A hash of all that determines the base: the image that the stack runs, settings, the CLI's version.

        The folder as well: the base's label names it, and what is in a moved project is made anew.
        """
        self._stack.endpoint()
        parts = [str(self._root), self._stack.image, _settings(self._stack.config), str(self._stack.cli.binary.version)]
        parts += [f"{path.name}={path.read_text(encoding='utf-8')}" for path in _pins(self._root)]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]

    @cached_property
    def major(self) -> int:
        """PostgreSQL's major version of the stack."""
        with connect(self._stack.endpoint(), "the local stack") as connection:
            return connection.info.server_version // 10000

    def start(self, name: str) -> Endpoint:
        """Have the server running, made from the base when absent: its database, as `postgres`, who is no superuser."""
        with self._hold(name):
            if not self.exists(name):
                self._copy(BASE, name)
            return _endpoint(self._port(name) or self._run(name))

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

    def clone(self, source: str, target: str) -> None:
        """Copy one, roles and all. The source is stopped for it, and stays stopped."""
        with self._hold(source, target):
            if not self.exists(source) or self.exists(target):
                raise SbsyncError(f"There is no database {source} to copy, or {target} exists already.")
            self._stop(source)
            self._copy(source, target)

    @cached_property
    def _recipe(self) -> Recipe:
        """How servers are run; the base is made on the way where it is absent or out of date."""
        with self._hold(BASE):
            path = state_dir(self._root, "containers") / "recipe.json"
            known = Recipe.read(path, self.base_id)
            if known is not None and self.exists(BASE):
                return known
            volumes = self._docker.call("volume", "ls", "--quiet", "--filter", f"label={LABEL}={self._key}")
            copies = [volume.removeprefix(self._name("")) for volume in volumes.split()]
            for name in (*copies, BASE):  # the base itself, too: its marker may be all that is left of it
                self._discard(name)
            self._label(BASE)
            made = self._make_base()
            made.write(path)
            self._marker(BASE).write_text(self.base_id, encoding="utf-8")
            return made

    def _make_base(self) -> Recipe:
        """Make the base in its empty volume, and say how containers are run from it."""
        docker, volume = self._docker, self._name(BASE)
        with _scratch(self._stack, self._root, volume) as scratch:
            scratch.cli.start(database_alone=True)
            name = scratch.container_name
            container = docker.container(name)
            if container is None:
                raise SbsyncError(f"`supabase db start` has made no container {name}.")
            recipe = Recipe.of(container, self.base_id)
            if recipe.image != self._stack.image:
                raise SbsyncError(
                    f"The local stack runs another database image than CLI {self._stack.cli.binary.version} would "
                    "start: what the two bring along would come out as differences.",
                    "Restart the stack with this CLI: `supabase stop`, then `supabase start`.",
                )
            docker.call("update", "--restart=no", name)  # or it comes back after the shutdown
            _shut_down(docker, name)
            _copy_volume(docker, recipe.image, _data_volume(container), volume, COPY_BASE)
        return recipe

    def _copy(self, source: str, target: str) -> None:
        image = self._recipe.image
        self._discard(target)
        self._label(target)
        _copy_volume(self._docker, image, self._name(source), self._name(target))
        self._marker(target).write_text(self.base_id, encoding="utf-8")

    def _label(self, name: str) -> None:
        id_, owner = f"{LABEL}={self._key}", f"{OWNER}={platform.node()} {self._root}"
        self._docker.call("volume", "create", "--label", id_, "--label", owner, self._name(name))

    def _run(self, name: str) -> int:
        """Run the container, and wait until it takes connections; the port of this machine."""
        recipe, container = self._recipe, self._name(name)
        self._docker.remove_container(container)  # a stopped one, of a machine that was switched off
        program, *arguments = recipe.command
        variables = [word for key in recipe.environment for word in ("--env", key)]
        self._docker.call(
            "run", "--detach", "--name", container, "--label", f"{LABEL}={self._key}", "--no-healthcheck",
            "--volume", f"{container}:{DATA}", "--publish", f"{HOST}::5432", *variables,
            "--entrypoint", program, recipe.image, *arguments,
            env={key: value for key, value in recipe.environment.items() if key != "PATH"},
        )  # fmt: skip
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and (port := self._port(name)) is not None:
            with suppress(SbsyncError), connect(_endpoint(port), "a shadow database"):
                return port
            time.sleep(POLL_SECONDS)
        said = self._docker.attempt(["logs", "--tail", "3", container])
        self._docker.remove_container(container)
        raise SbsyncError(f"A shadow database did not start: {said.said}")

    def _port(self, name: str) -> int | None:
        found = self._docker.container(self._name(name))
        return published_port(found) if found else None

    def _stop(self, name: str) -> None:
        if self._port(name) is not None:
            _shut_down(self._docker, self._name(name))
        self._docker.remove_container(self._name(name))

    def _discard(self, name: str) -> None:
        self._marker(name).unlink(missing_ok=True)
        self._docker.remove_container(self._name(name))
        self._docker.remove_volume(self._name(name))

    def _hold(self, *names: str) -> AbstractContextManager[None]:
        return locked(*(self._marker(f".{name}.lock") for name in names))

    def _name(self, name: str) -> str:
        return f"sbsync_{self._key}_{name}"

    def _marker(self, name: str) -> Path:
        return state_dir(self._root, "containers") / name


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


def _endpoint(port: int) -> Endpoint:
    return Endpoint(HOST, port, "postgres", "postgres", "postgres", NO_TLS)


def _shut_down(docker: Docker, container: str) -> None:
    """Stop a running PostgreSQL cleanly, and its container with it."""
    if docker.attempt(["exec", "--user", "postgres", container, "sh", "-c", SHUT]).ok:
        docker.attempt(["wait", container])
    else:
        docker.attempt(["stop", "--time", "20", container])


def _copy_volume(docker: Docker, image: str, source: str, target: str, script: str = COPY) -> None:
    """Copy a stopped server's volume into an empty one, through a container of the same image."""
    docker.call(
        "run", "--rm", "--network", "none", "--volume", f"{source}:/from:ro", "--volume", f"{target}:/to",
        "--entrypoint", "sh", image, "-c", script,
    )  # fmt: skip


@contextmanager
def _scratch(stack: Stack, root: Path, name: str) -> Iterator[Stack]:
    """A private project whose database is to become the base; everything of it is removed afterwards."""
    with private_tempdir() as folder:
        supabase = folder / "supabase"
        (supabase / ".temp").mkdir(parents=True)
        ports = f"[db]\nport = {free_port()}\nshadow_port = {free_port()}\n"
        text = f'project_id = "{name}"\n{_settings(stack.config)}'.replace("[db]\n", ports, 1)
        (supabase / "config.toml").write_text(text, encoding="utf-8")
        for pin in _pins(root):
            shutil.copy(pin, supabase / ".temp" / pin.name)
        scratch = Stack(ConfigToml(folder), stack.docker, stack.cli.elsewhere)
        scratch.docker.remove_container(scratch.container_name)  # of a run that was cut off
        try:
            yield scratch
        finally:
            _remove(scratch)


def _remove(scratch: Stack) -> None:
    """Stop a scratch project's stack, with all its data.

    The CLI prunes for that, which an engine does for one program at a time: where another one is at it, the CLI fails,
    and what is left is removed by its label.
    """
    try:
        scratch.cli.stop()
    except SbsyncError:
        docker, label = scratch.docker, f"label=com.supabase.cli.project={scratch.project_id}"
        docker.remove_container(scratch.container_name)
        for volume in docker.call("volume", "ls", "--quiet", "--filter", label).split():
            docker.remove_volume(volume)


def _settings(config: ConfigToml) -> str:
    """The part of config.toml that decides what a new database holds."""
    major, settings = config.number("db", "major_version"), config.get("db", "settings") or {}
    lines = ["[db]", *([f"major_version = {major}"] if major else []), "[db.seed]", "enabled = false"]
    if settings:
        values = {key: config.get("db", "settings", key) for key in sorted(settings)}
        lines += ["[db.settings]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]
    if config.raw("api", EXPOSE) is not None:  # older CLIs do not know it
        lines += ["[api]", f"{EXPOSE} = {json.dumps(config.switch('api', EXPOSE))}"]
    for service in SERVICES:
        lines += [f"[{service}]", f"enabled = {json.dumps(config.switch(service, 'enabled'))}"]
    return "\n".join(lines) + "\n"


def _pins(root: Path) -> list[Path]:
    """Where `supabase link` notes a project's versions, which the CLI then takes locally, too."""
    place = root / "supabase" / ".temp"
    return sorted([*place.glob("*-version"), *place.glob("storage-migration")])


def _data_volume(container: Mapping[str, Any]) -> str:
    for mount in container["Mounts"]:
        if mount["Destination"] == DATA and mount["Type"] == "volume":
            return str(mount["Name"])
    raise SbsyncError(f"The container {container['Name']} keeps its data in no volume at {DATA}.")
