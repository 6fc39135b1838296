"""The Supabase CLI: the calls that the steps need, each hermetic and with an explicit target.

A call that names a database sees a private project folder that holds just the migrations it is meant to see, with a
`config.toml` of ours that has only what the call needs; a private empty working directory; and a replaced environment.
So neither the user's shell nor any `.env` file that the CLI would read on its own can change what it does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict, Unpack

from ..endpoint import Endpoint
from ..errors import MissingToolError, SbsyncError
from ..folders import private_tempdir
from ..process import NETWORK, Completed, run
from ..settings import ConfigToml
from ..state.migrations import Migration
from . import answers
from .answers import At, CliError, EngineRefusedError, unheard
from .binary import NEWEST_KNOWN, OLDEST_SUPPORTED, QUICK, Binary, Version, find
from .config import fill

__all__ = [
    "NEWEST_KNOWN", "OLDEST_SUPPORTED", "RECORDED", "Binary", "CliError", "EngineRefusedError", "LocalStackCli",
    "PushOptions", "Pushed", "SupabaseCli", "Version", "find",
]  # fmt: skip

# What the CLI sees of a file that it is not to run: it compares versions alone (measured, 2.115.0 to 3.1.0). Should it
# come to run one all the same, the push fails.
RECORDED = "do $$ begin raise exception 'It was recorded as applied when the push began, and is no longer'; end $$;\n"
FOR_EVER = ("", "0")  # nothing is sent then: some poolers take no options
# The user's own switch to the experimental stack; `[experimental] stack` in config.toml is the other one.
EXPERIMENTAL = "SUPABASE_EXPERIMENTAL_STACK"
NO_ENGINE = "unix:///nonexistent"


@dataclass(frozen=True)
class Pushed:
    """What a push did: the names of the migration files and of the seed files that were run."""

    migrations: tuple[str, ...]
    seeds: tuple[str, ...]

    def refuse_left_out(self, expected: Iterable[Migration]) -> None:
        """The CLI says that all is well also where it was told to leave migrations out.

        Raises:
            CliError: one of `expected` was not applied.
        """
        left_out = [m.file_name for m in expected if m.file_name not in self.migrations]
        if left_out:
            raise CliError(
                f"The CLI did not apply {', '.join(left_out)}, and gave no error.",
                "Does supabase/config.toml say `enabled = false` under [db.migrations]?",
            )


class PushOptions(TypedDict, total=False):
    """What a push does besides.

    Attributes:
        seed: Run the seed files of `config.toml` afterwards.
        roles: Run `supabase/roles.sql` first.
        include_all: Also apply those older than the newest applied one.
        lock_timeout: How long a statement may wait for a lock, as PostgreSQL writes it; empty for ever.
        throw_away: The target is a shadow: an untested version of the CLI may fill it, too.
    """

    seed: bool
    roles: bool
    include_all: bool
    lock_timeout: str
    throw_away: bool


class Calls:
    """The calls to one CLI, for one project.

    It tells `warn` each warning of the CLI, once, and `at` the migration file that is applied now, its number among
    those that are expected, and their number.
    """

    def __init__(
        self, binary: Binary, config: ConfigToml, warn: Callable[[str], None] = unheard, at: At = unheard
    ) -> None:  # fmt: skip
        self.binary = binary
        self.config = config
        self._warn = warn
        self._told: set[str] = set()
        self._at = at

    def _run(
        self,
        argv: Sequence[str],
        place: Path,
        project: Path,
        env: Mapping[str, str],
        *,
        sees: str = NETWORK,
        expected: Sequence[Migration] = (),
    ) -> Completed:
        """Make a call in a private folder, where its runtime unpacks a library that it leaves there."""
        common = ["--workdir", str(project), "--agent", "no", "--output-format", "json"]
        (place / "empty").mkdir()  # the CLI reads .env files where it runs
        return run(
            [str(self.binary.path), *argv, *common], sees=sees, env={"TMPDIR": str(place), **QUICK, **env},
            cwd=place / "empty", hears=answers.progress(self._at, expected),
        )  # fmt: skip

    def _may_write(self) -> None:
        if not self.binary.may_write:
            raise MissingToolError(self.binary.notice, "Use a tested version, or update sbsync_tasks.")

    def _tell(self, done: Completed) -> None:
        for warning in answers.warnings(done):
            if warning not in self._told and not warning.startswith("--local"):  # a target is named all the same
                self._told.add(warning)
                self._warn(f"The Supabase CLI warns: {warning}")


class SupabaseCli(Calls):
    """The calls that name their database by URL."""

    def diff(self, source: Endpoint, target: Endpoint, schemas: Sequence[str] = ()) -> str:
        """The SQL that takes `source` to the schema of `target`; empty where the engine calls them equal.

        Raises:
            EngineRefusedError: the engine could not write it; the message is the cause.
            CliError: the call failed otherwise.
        """
        flags = ["--schema", ",".join(schemas)] if schemas else []
        engine = [] if self.binary.version.names_remotes else ["--use-pg-delta"]  # the one that needs no Docker
        urls = ["--from", _cli_url(source), "--to", _cli_url(target)]
        argv = ["db", "diff", *engine, *urls, *flags]
        done = self._call(argv, (source, target), ())
        try:
            return answers.field(done, "diff", str).strip()
        except CliError as error:
            said = error.message.partition("failed: ")[2]
            if not answers.is_refusal(error.code, said):
                raise
            raise EngineRefusedError(*answers.engine_refusal(said, schemas)) from None

    def push(self, target: Endpoint, migrations: Iterable[Migration], **how: Unpack[PushOptions]) -> Pushed:
        """Apply what `target` has not had of these migrations, each in the transaction that the CLI gives it.

        Args:
            target: The database.
            migrations: All the migrations that the CLI is to see, those already applied included.
            how: What it does besides.
        """
        seed = how.get("seed", False)
        flags = [
            *(["--include-seed"] if seed else []),
            *(["--include-roles"] if how.get("roles") else []),
            *(["--include-all"] if how.get("include_all") else []),
        ]
        argv = ["db", "push", "--skip-vault", "--yes", *flags, *self._target(target)]
        done = self._call(
            argv, (target,), migrations, writes=not how.get("throw_away"), lock_timeout=how.get("lock_timeout", ""),
            seed=seed,
        )  # fmt: skip
        return Pushed(answers.names(done, "migrations"), answers.names(done, "seeds"))

    def mark_applied(self, target: Endpoint, migrations: Sequence[Migration]) -> None:
        """Record these migrations, named one by one, in the target's history, without running them."""
        versions = [m.version for m in migrations]
        if not versions:  # without a version the CLI replaces the whole history
            raise SbsyncError("No version was named for the history to be changed.")
        argv = ["migration", "repair", "--status", "applied", "--yes", *self._target(target), *versions]
        answers.answer(self._call(argv, (target,), migrations, writes=True))

    def reset(self, target: Endpoint, migrations: Iterable[Migration]) -> tuple[str, ...]:
        """Build a local database again from these migrations and the seeds, whose files it returns."""
        argv = ["db", "reset", "--yes", *self._target(target)]
        done = self._call(argv, (target,), tuple(migrations), writes=True, seed=True)
        answers.answer(done)
        return answers.seeded(done)

    def _target(self, endpoint: Endpoint) -> list[str]:
        url = _cli_url(endpoint)
        return [f"--remote={url}"] if self.binary.version.names_remotes else ["--db-url", url]

    def _call(
        self,
        argv: Sequence[str],
        endpoints: Sequence[Endpoint],
        migrations: Iterable[Migration],
        *,
        writes: bool = False,
        lock_timeout: str = "",
        seed: bool = False,
    ) -> Completed:
        if writes:
            self._may_write()
        with private_tempdir() as place:
            passfile = place / "passfile"
            passfile.touch(mode=0o600)
            passfile.write_text("".join(e.passfile_line + "\n" for e in endpoints), encoding="utf-8")
            project = fill(place, self.config, migrations, seed=seed)
            options = {} if lock_timeout in FOR_EVER else {"PGOPTIONS": f"-c lock_timeout={lock_timeout}"}
            expected = [m for m in migrations if m.sql != RECORDED]
            done = self._run(argv, place, project, {"PGPASSFILE": str(passfile), **options}, expected=expected)
        self._tell(done)
        return done


class LocalStackCli(Calls):
    """The calls that are about the CLI's local stack: they work on the project itself, and on Docker.

    Measured on 2.115.0, 2.122.1 and 3.1.0: SUPABASE_PROJECT_ID overrides config.toml's `project_id` also where it
    stands in `supabase/.env`, and these calls then look for another project's containers. A variable of the process
    wins over a file, so each call is given the project's own id.
    """

    def elsewhere(self, config: ConfigToml) -> LocalStackCli:
        """The same program for another project folder."""
        return LocalStackCli(self.binary, config)

    def start(self, *, database_alone: bool = False) -> None:
        """Start the stack, or its database alone; a first start fetches images, applies all migrations, runs seeds."""
        self._call(["db", "start"] if database_alone else ["start"])

    def stop(self) -> None:
        """Stop the stack and remove all its data."""
        self._call(["stop", "--no-backup"])

    def reset(self, migrations: Sequence[Migration] = ()) -> tuple[str, ...]:
        """Recreate the database from nothing with all migrations of the project, and the seeds; returns their files."""
        return answers.seeded(self._call(["db", "reset", "--local", "--yes"], migrations))

    def refusal(self) -> str:
        """What the CLI first refuses in `config.toml`; empty where it takes the file.

        Raises:
            CliError: its answer cannot be read.
        """
        try:  # `status` reads all of the file and then looks for an engine; it is told of one that is not there
            answers.answer(self._look(["status"], {"DOCKER_HOST": NO_ENGINE}))
        except CliError as error:
            if not error.code:
                raise
            return error.said if "Config" in error.code else ""
        return ""

    def _call(self, argv: Sequence[str], expected: Sequence[Migration] = ()) -> Completed:
        self._may_write()
        done = self._look(argv, {}, expected)
        self._tell(done)
        answers.answer(done)
        return done

    def _look(self, argv: Sequence[str], more: Mapping[str, str], expected: Sequence[Migration] = ()) -> Completed:
        # The variable of the experimental stack wins over config.toml.
        env = {"SUPABASE_PROJECT_ID": self.config.project_id, EXPERIMENTAL: "0", **more}
        sees = "|".join([NETWORK, *self.config.variables])  # its `env(…)`; what files set the CLI reads itself
        with private_tempdir() as place:
            return self._run(argv, place, self.config.root, env, sees=sees, expected=expected)


def _cli_url(endpoint: Endpoint) -> str:
    """The URL for the CLI: 2.x refuses a server without TLS unless it is told that none is wanted."""
    if "sslmode" in endpoint.options or not endpoint.is_loopback:
        return endpoint.url
    separator = "&" if endpoint.options else "?"
    return f"{endpoint.url}{separator}sslmode=disable"
