"""The Docker engine, through its own command-line program."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from .. import process
from ..errors import MissingToolError, SbsyncError

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
        """Why there is no engine, in one line; empty where one answers. Looked at once."""
        try:
            done = process.run(
                ["docker", "version", "--format", "{{.Server.Version}}"], sees=process.NETWORK, timeout=ANSWER
            )
        except MissingToolError:
            return "the program docker is not installed"
        except SbsyncError as error:
            return error.message
        return "" if done.ok and done.stdout.strip() else (_last_line(done.stderr) or "docker did not answer")

    def call(self, *argv: str, env: Mapping[str, str] | None = None) -> str:
        """Run one docker command and return what it prints.

        Args:
            argv: The command; secrets belong into `env`, and `--env NAME` takes them from there.
            env: Variables for the program.

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

    def names(self, *argv: str) -> list[str]:
        """What a listing prints, one name a line."""
        return self.call(*argv).split()

    def remove_container(self, name: str) -> None:
        """Kill and remove a container; nothing to do where there is none. Its named volumes stay."""
        self.attempt(["container", "rm", "--force", "--volumes", name])

    def remove_volume(self, name: str) -> None:
        """Remove a volume; nothing to do where there is none."""
        self.attempt(["volume", "rm", "--force", name])


def published_port(container: Mapping[str, Any], inside: str = "5432/tcp") -> int | None:
    """The port of this machine that leads to a running container's PostgreSQL."""
    if not container["State"]["Running"]:
        return None
    for binding in container["NetworkSettings"]["Ports"].get(inside) or ():
        return int(binding["HostPort"])
    return None


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1].strip() if lines else ""
