"""The calls to the CLI that are about its local stack: they work on the project itself, and on Docker.

Measured on 2.115.0, 2.122.1 and 3.1.0: SUPABASE_PROJECT_ID overrides config.toml's `project_id` also where it
stands in `supabase/.env`, and these calls then look for another project's containers. A variable of the process
wins over a file, so each call is given the project's own id.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from ..errors import MissingToolError
from ..process import NETWORK, Completed, run
from ..workplace import workplace
from .binary import QUICK, Binary
from .client import answer, seeded, warnings

# The user's own switch to the experimental stack; `[experimental] stack` in config.toml is the other one.
EXPERIMENTAL = "SUPABASE_EXPERIMENTAL_STACK"


def unheard(_warning: str) -> None:
    """For whoever does not want to hear warnings."""


class LocalStackCli:
    """The CLI for the local stack of one project folder.

    Args:
        binary: The program.
        project: The folder that holds `supabase/`.
        project_id: The id that the project's containers are named by.
        warn: Told each warning of a call that changes something.
    """

    def __init__(self, binary: Binary, project: Path, project_id: str, warn: Callable[[str], None] = unheard) -> None:
        self.version = str(binary.version)
        self._binary = binary
        self._project = project
        self._id = project_id
        self._warn = warn

    def elsewhere(self, project: Path, project_id: str) -> LocalStackCli:
        """The same program for another project folder."""
        return LocalStackCli(self._binary, project, project_id)

    def start(self, *, database_alone: bool = False) -> None:
        """Start the stack; a first start fetches images, applies all migrations and runs the seeds.

        Args:
            database_alone: Without its services, whose images are not needed then.
        """
        self._call(["db", "start"] if database_alone else ["start"])

    def stop(self) -> None:
        """Stop the stack and remove all its data."""
        self._call(["stop", "--no-backup"])

    def reset(self) -> tuple[str, ...]:
        """Recreate the database from nothing, apply all migrations of the project and run its seeds.

        Returns:
            The seed files that were run.
        """
        # 3.x warns that --local is its default: a target is named all the same.
        return seeded(self._call(["db", "reset", "--local", "--yes"]))

    def _call(self, argv: Sequence[str]) -> Completed:
        if not self._binary.may_write:
            raise MissingToolError(self._binary.notice, "Use a tested version, or update sbsync_tasks.")
        done = self._run(argv)
        for warning in warnings(done):
            if not warning.startswith("--local"):
                self._warn(f"The Supabase CLI warns: {warning}")
        answer(done)
        return done

    def _run(self, argv: Sequence[str]) -> Completed:
        env = {
            "SUPABASE_PROJECT_ID": self._id,
            **QUICK,
            EXPERIMENTAL: "0",  # the variable wins over config.toml
        }
        common = ["--workdir", str(self._project), "--agent", "no", "--output-format", "json"]
        with workplace() as empty:  # the CLI reads .env files where it runs
            env["TMPDIR"] = str(empty)
            return run([str(self._binary.path), *argv, *common], sees=NETWORK, env=env, cwd=empty)
