"""The CLI's local stack: whether its database runs, where it listens, how it is started; and the Docker engine."""

from __future__ import annotations

import json
import os
import re
import socket
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .. import process
from ..endpoint import Endpoint
from ..errors import ConfigError, MissingToolError, SbsyncError
from ..supabase_cli import EXPERIMENTAL

if TYPE_CHECKING:
    from ..settings.project import ConfigToml
    from ..state.migrations import Migration
    from ..supabase_cli import LocalStackCli

ANSWER = 20.0  # seconds that an engine has to say that it is there
# What the stack can do where no Docker engine answers, but its database does.
WITHOUT = (
    "No Docker engine answers here. Reading, diffs, pushes and backups work all the same, where an embedded "
    "PostgreSQL has the stack's major version for the shadows; rebuilding the local database does not."
)


class Docker:
    """One engine: the one that `docker` on this machine talks to."""

    @cached_property
    def missing(self) -> str:
        """Why there is no engine, without a full stop; empty where one answers. Looked at once."""
        try:
            done = process.run(
                ["docker", "version", "--format", "{{.Server.Version}}"], sees=process.NETWORK, timeout=ANSWER
            )
        except MissingToolError:
            return "the program docker is not installed"
        except SbsyncError as error:
            return error.message.rstrip(".")
        if done.ok and done.stdout.strip():
            return ""
        return _last_line(done.stderr).partition(". ")[0].rstrip(".") or "docker did not answer"

    def call(self, *argv: str, env: Mapping[str, str] | None = None) -> str:
        """What one docker command prints; a secret is given in `env`, from where `--env NAME` takes it.

        Raises:
            SbsyncError: it failed.
        """
        done = self.attempt(argv, env)
        if not done.ok:
            raise SbsyncError(f"`docker {' '.join(argv[:2])}` failed: {_last_line(done.stderr)}")
        return done.stdout.strip()

    def attempt(self, argv: Sequence[str], env: Mapping[str, str] | None = None) -> process.Completed:
        """Run one docker command, whatever comes of it."""
        return process.run(["docker", *argv], sees=process.NETWORK, env=env)

    def container(self, name: str) -> dict[str, Any] | None:
        """What the engine knows of a container; None where there is none of that name.

        Raises:
            SbsyncError: it gave another answer than one of these two.
        """
        done = self.attempt(["container", "inspect", name])
        if not done.ok and "no such container" in done.stderr.lower():
            return None
        if not done.ok:
            raise SbsyncError(f"`docker container inspect` failed: {_last_line(done.stderr) or 'it said nothing'}")
        try:
            found = json.loads(done.stdout)[0]
            if found["Image"] and {"Running"} <= found["State"].keys() and {"Ports"} <= found["NetworkSettings"].keys():
                return dict(found)
        except (ValueError, LookupError, TypeError, AttributeError):
            pass
        raise SbsyncError(
            f"`docker container inspect {name}` ended without an error, and its answer cannot be read.",
            "Is `docker` on PATH the real one? Run the command by hand.",
        )

    def remove_container(self, name: str) -> None:
        """Kill and remove a container; nothing to do where there is none. Its named volumes stay."""
        self.attempt(["container", "rm", "--force", "--volumes", name])

    def remove_volume(self, name: str) -> None:
        """Remove a volume; nothing to do where there is none."""
        self.attempt(["volume", "rm", "--force", name])


def published_port(container: Mapping[str, Any]) -> int | None:
    """The port of this machine that leads to a running container's PostgreSQL."""
    bindings = container["State"]["Running"] and container["NetworkSettings"]["Ports"].get("5432/tcp")
    return int(bindings[0]["HostPort"]) if bindings else None


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1].strip() if lines else ""


DEFAULT_PORT = 54322  # the CLI's default for [db].port
HOST = "127.0.0.1"
# What `supabase start` starts besides the database; each is on unless config.toml says otherwise.
SERVICES = ("api", "auth", "realtime", "storage", "studio", "edge_runtime")
# What Docker names may hold, by which the CLI makes a container's name from the project's id.
_NOT_IN_A_NAME = re.compile(r"[^a-zA-Z0-9_.-]+")
LONGEST_ID = 40
OFF = ("0", "f", "false")  # what switches the experimental stack off, to the CLI


class Stack:
    """The local stack of one project, in one engine; `cli` is called for the CLI only where a call is needed."""

    def __init__(self, config: ConfigToml, docker: Docker, cli: Callable[[ConfigToml], LocalStackCli]) -> None:
        self.docker = docker
        self.config = config
        self._make_cli = cli

    @property
    def project_id(self) -> str:
        """The id by which the CLI names the stack's containers; never that of a remote."""
        return self.config.project_id

    @property
    def container_name(self) -> str:
        """The name of the database's container."""
        safe = _NOT_IN_A_NAME.sub("_", self.project_id).lstrip("_.-")[:LONGEST_ID]
        return f"supabase_db_{safe}"

    @property
    def start_command(self) -> str:
        """What starts it: the database alone where config.toml switches every service off."""
        wanted = any(self.config.switch(service, "enabled") for service in SERVICES)
        return "supabase start" if wanted else "supabase db start"

    @cached_property
    def cli(self) -> LocalStackCli:
        """The CLI's calls for this stack."""
        return self._make_cli(self.config)

    def container(self) -> dict[str, Any] | None:
        """What the engine knows of the database's container; None without it, or without an engine.

        Raises:
            ConfigError: the CLI's experimental stack is switched on.
        """
        variable = os.environ.get(EXPERIMENTAL, "")
        if variable.lower() not in OFF and (variable or self.config.get("experimental", "stack")):
            where = EXPERIMENTAL if variable else "[experimental].stack in supabase/config.toml"
            raise ConfigError(
                f"{where} switches the CLI to its experimental stack, which is not supported here.",
                f"Take that out, then `{self.start_command}` starts the stack in Docker; or set SBSYNC_LOCAL=embedded.",
            )
        return None if self.docker.missing else self.docker.container(self.container_name)

    def find(self) -> Endpoint | None:
        """Where the database listens; None where it does not run.

        The engine is asked first: a config.toml may leave the port to a variable, or be newer than the container.
        """
        found = self.container()
        blind = found is None and self.docker.missing and _listens(self._port())
        port = published_port(found) if found else self._port() if blind else None
        return Endpoint(HOST, port, "postgres", "postgres", "postgres") if port else None

    def endpoint(self) -> Endpoint:
        """Where the database listens.

        Raises:
            MissingToolError: there is no Docker engine to run it.
            SbsyncError: it does not run.
        """
        found = self.find()
        if found is None:
            raise self._not_running()
        return found

    @property
    def runs_in_docker(self) -> bool:
        """Whether the database runs, as a container of the engine that answers here."""
        found = self.container()
        return found is not None and published_port(found) is not None

    @property
    def image(self) -> str:
        """The id of the image that the database's container was made from; empty without a container."""
        return str((self.container() or {}).get("Image", ""))

    def refuse_to_start(self) -> None:
        """Raise what stands in the way of a start: there is no Docker engine, or something else listens on its port."""
        if self.docker.missing or self._port_is_taken():
            raise self._not_running()

    def start(self) -> None:
        """Start it."""
        self.cli.start(database_alone="db" in self.start_command.split())

    def reset(self, migrations: Sequence[Migration]) -> tuple[str, ...]:
        """Recreate the database, apply all migrations of the project and run its seeds; say which of them ran.

        By its URL it would be emptied only: roles, privileges, default privileges, what was made in `auth`, and
        settings of the database would stay (measured on 3.1.0).

        Raises:
            MissingToolError: there is no Docker engine to do it.
            CliError: it failed; the database may be gone then, and `supabase start` makes it anew.
        """
        if self.docker.missing:
            raise MissingToolError(
                f"Rebuilding the local stack's database needs Docker, and no engine answers: {self.docker.missing}.",
                "Start Docker; or keep the database's data, with `invoke local-to-remote --no-reset`.",
            )
        return self.cli.reset(migrations)

    def _not_running(self) -> SbsyncError:
        if self.docker.missing:
            return MissingToolError(
                f"The local stack needs Docker, and no engine answers: {self.docker.missing}.",
                f"Start Docker and then the stack with `{self.start_command}`; or set SBSYNC_LOCAL=embedded, which "
                "does without Docker.",
            )
        if self._port_is_taken():
            names = self.docker.call("ps", "--filter", f"publish={self._port()}", "--format", "{{.Names}}").split()
            who = f"the container {names[0]}" if names else "another program"
            return SbsyncError(
                f"The local stack of this project ({self.project_id}) is not running, and {who} listens on "
                f"its port {self._port()}.",
                "Stop that, or give this project another [db].port in supabase/config.toml; then "
                f"`{self.start_command}`. SBSYNC_LOCAL=embedded does without Docker, SBSYNC_LOCAL=<url> uses what "
                "listens there.",
            )
        return SbsyncError(
            f"The local stack of this project ({self.project_id}) is not running.",
            f"`{self.start_command}` starts it, and so does a task with --start; SBSYNC_LOCAL=embedded does without "
            "Docker.",
        )

    def _port_is_taken(self) -> bool:
        return not self.runs_in_docker and _listens(self._port())

    def _port(self) -> int:
        """`[db].port`; the CLI's default where it is not set, or set to something else than a number."""
        return self.config.number("db", "port") or DEFAULT_PORT


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0
