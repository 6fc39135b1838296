"""The pristine base of the stack's shadows: a database that the CLI itself has just made, in a volume.

The CLI makes it as it makes the user's own: `supabase db start` in a private project without migrations and
seeds, with the part of the user's config.toml that decides what a new database holds. So it has the same image,
the same service migrations (auth, storage, realtime) and the same settings.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import SbsyncError
from ..settings.project import ConfigToml
from .stack import Docker, Stack

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
        image: The image's id.
        entrypoint: The program and its first arguments.
        command: The further arguments.
        environment: Variables; among them what may be a secret.
    """

    image: str
    entrypoint: tuple[str, ...]
    command: tuple[str, ...]
    environment: Mapping[str, str]

    @classmethod
    def of(cls, container: Mapping[str, Any]) -> Recipe:
        """The recipe of an inspected container."""
        config = container["Config"]
        variables = dict(line.split("=", 1) for line in config.get("Env") or ())
        return cls(container["Image"], tuple(config.get("Entrypoint") or ()), tuple(config.get("Cmd") or ()), variables)


def base_id(stack: Stack, root: Path) -> str:
    """A hash of all that determines the base: the image that the stack runs, settings, the CLI's version.

    The folder as well: the base's label names it, and what is in a moved project is made anew.

    Raises:
        SbsyncError: the stack is not running.
    """
    container = stack.container()
    if container is None:
        stack.endpoint()  # says what is wrong
        raise SbsyncError(f"There is no container {stack.container_name}.")
    parts = [str(root), container["Image"], _settings(stack.config), str(stack.cli.binary.version)]
    parts += [f"{path.name}={path.read_text(encoding='utf-8')}" for path in _pins(root)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def make(stack: Stack, root: Path, volume: str) -> Recipe:
    """Make the base in the empty `volume`, and say how containers are run from it.

    Raises:
        SbsyncError: the CLI could not make it, or makes it from another image than the stack runs.
    """
    docker = stack.docker
    with _scratch(stack, root, volume) as scratch:
        scratch.cli.start(database_alone=True)
        container = docker.container(scratch.container_name)
        if container is None:
            raise SbsyncError(f"`supabase db start` has made no container {scratch.container_name}.")
        recipe = Recipe.of(container)
        _same_image(stack, recipe)
        docker.call("update", "--restart=no", scratch.container_name)  # or it comes back after the shutdown
        shut_down(docker, scratch.container_name)
        copy(docker, recipe.image, _data_volume(container), volume, COPY_BASE)
    return recipe


def shut_down(docker: Docker, container: str) -> None:
    """Stop a running PostgreSQL cleanly, and its container with it."""
    if docker.attempt(["exec", "--user", "postgres", container, "sh", "-c", SHUT]).ok:
        docker.attempt(["wait", container])
    else:
        docker.attempt(["stop", "--time", "20", container])


def copy(docker: Docker, image: str, source: str, target: str, script: str = COPY) -> None:
    """Copy a stopped server's volume into an empty one, through a container of the same image."""
    docker.call(
        "run", "--rm", "--network", "none", "--volume", f"{source}:/from:ro", "--volume", f"{target}:/to",
        "--entrypoint", "sh", image, "-c", script,
    )  # fmt: skip


def read(path: Path, key: str) -> Recipe | None:
    """The recipe as it was written for this base; None where the file is of another base, or absent."""
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        if known.pop("base") != key:
            return None
        return Recipe(known["image"], tuple(known["entrypoint"]), tuple(known["command"]), known["environment"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def write(path: Path, key: str, recipe: Recipe) -> None:
    """Write the recipe down, readable by the user alone."""
    path.touch(mode=0o600)
    path.write_text(json.dumps({"base": key, **asdict(recipe)}), encoding="utf-8")


@contextmanager
def _scratch(stack: Stack, root: Path, name: str) -> Iterator[Stack]:
    """A private project whose database is to become the base; everything of it is removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="sbsync-"))  # 0700
    try:
        supabase = folder / "supabase"
        (supabase / ".temp").mkdir(parents=True)
        text = f'project_id = "{name}"\n{_settings(stack.config)}'.replace("[db]\n", f"[db]\n{_ports()}", 1)
        (supabase / "config.toml").write_text(text, encoding="utf-8")
        for pin in _pins(root):
            shutil.copy(pin, supabase / ".temp" / pin.name)
        scratch = Stack(ConfigToml(folder), stack.docker, stack.cli.elsewhere)
        scratch.docker.remove_container(scratch.container_name)  # of a run that was cut off
        try:
            yield scratch
        finally:
            _remove(scratch)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


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
        for volume in docker.names("volume", "ls", "--quiet", "--filter", label):
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


def _ports() -> str:
    with socket.socket() as one, socket.socket() as two:
        one.bind(("127.0.0.1", 0))
        two.bind(("127.0.0.1", 0))
        return f"port = {one.getsockname()[1]}\nshadow_port = {two.getsockname()[1]}\n"


def _same_image(stack: Stack, recipe: Recipe) -> None:
    running = (stack.container() or {}).get("Image")
    if recipe.image != running:
        raise SbsyncError(
            f"The local stack runs another database image than CLI {stack.cli.binary.version} would start: what the "
            "two bring along would come out as differences.",
            "Restart the stack with this CLI: `supabase stop`, then `supabase start`.",
        )


def _data_volume(container: Mapping[str, Any]) -> str:
    for mount in container["Mounts"]:
        if mount["Destination"] == DATA and mount["Type"] == "volume":
            return str(mount["Name"])
    raise SbsyncError(f"The container {container['Name']} keeps its data in no volume at {DATA}.")
