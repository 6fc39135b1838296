"""The calls to the CLI that are about its local stack: they work on the project itself, and on Docker.

Measured on 2.115.0, 2.122.1 and 3.1.0: SUPABASE_PROJECT_ID overrides config.toml's `project_id` also where it
stands in `supabase/.env`, and these calls then look for another project's containers. A variable of the process
wins over a file, so each call is given the project's own id.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from ..errors import MissingToolError
from ..paths import private_tempdir
from ..process import NETWORK, Completed, run
from ..settings.project import ConfigToml
from .binary import QUICK, Binary
from .client import CliError, answer, seeded, warnings

# The user's own switch to the experimental stack; `[experimental] stack` in config.toml is the other one.
EXPERIMENTAL = "SUPABASE_EXPERIMENTAL_STACK"
NO_ENGINE = "unix:///nonexistent"


def unheard(_warning: str) -> None:
    """For whoever does not want to hear warnings."""


class LocalStackCli:
    """The CLI for the local stack of one project folder.

    Args:
        binary: The program.
        config: The project's `config.toml`.
        warn: Told each warning of a call that changes something.
        hears: Told each line of its messages when it comes.
    """

    def __init__(
        self,
        binary: Binary,
        config: ConfigToml,
        warn: Callable[[str], None] = unheard,
        hears: Callable[[str], None] = unheard,
    ) -> None:
        self.version = str(binary.version)
        self._binary = binary
        self._config = config
        self._warn = warn
        self._hears = hears

    def elsewhere(self, config: ConfigToml) -> LocalStackCli:
        """The same program for another project folder."""
        return LocalStackCli(self._binary, config)

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

    def refusal(self) -> str:
        """What the CLI first refuses in `config.toml`; empty where it takes the file.

        Raises:
            CliError: its answer cannot be read.
        """
        try:  # `status` reads all of the file and then looks for an engine; it is told of one that is not there
            answer(self._run(["status"], {"DOCKER_HOST": NO_ENGINE}))
        except CliError as error:
            if not error.code:
                raise
            return error.said if "Config" in error.code else ""
        return ""

    def _call(self, argv: Sequence[str]) -> Completed:
        if not self._binary.may_write:
            raise MissingToolError(self._binary.notice, "Use a tested version, or update sbsync_tasks.")
        done = self._run(argv)
        for warning in warnings(done):
            if not warning.startswith("--local"):
                self._warn(f"The Supabase CLI warns: {warning}")
        answer(done)
        return done

    def _run(self, argv: Sequence[str], more: Mapping[str, str] = MappingProxyType({})) -> Completed:
        env = {
            "SUPABASE_PROJECT_ID": self._config.project_id,
            **QUICK,
            EXPERIMENTAL: "0",  # the variable wins over config.toml
            **more,
        }
        common = ["--workdir", str(self._config.root), "--agent", "no", "--output-format", "json"]
        sees = "|".join([NETWORK, *self._config.variables])  # its `env(…)`; what files set the CLI reads itself
        with private_tempdir() as empty:  # the CLI reads .env files where it runs
            env["TMPDIR"] = str(empty)
            return run([str(self._binary.path), *argv, *common], sees=sees, env=env, cwd=empty, hears=self._hears)
