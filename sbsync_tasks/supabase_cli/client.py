"""The calls to the Supabase CLI that the steps need, each hermetic and with an explicit target.

A call sees a private project folder that holds just the migrations it is meant to see, with a `config.toml` of ours
that has only what the call needs; a private empty working directory; and a replaced environment. So neither the user's
shell nor any `.env` file that the CLI would read on its own can change what it does.

Nothing in the folder leads to the user's tree. It lies below the call's private folder as the real project lies below
`/`, so that paths of seed files that lead above the project mean the same; of the files there it has copies of those
that the patterns may match, and which of them do match is left to the CLI.
"""

from __future__ import annotations

import glob
import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict, Unpack

from ..endpoint import Endpoint
from ..errors import MissingToolError, SbsyncError
from ..paths import private_tempdir
from ..process import NETWORK, Completed, run
from ..settings.project import ConfigToml
from ..state.migrations import Migration, read_sql, write_sql
from .answers import (
    At,
    CliError,
    EngineRefusedError,
    answer,
    engine_refusal,
    field,
    is_refusal,
    names,
    progress,
    seeded,
    unheard,
    warnings,
)
from .binary import QUICK, Binary

# What the CLI sees of a file that it is not to run: it compares versions alone (measured, 2.115.0 to 3.1.0). Should it
# come to run one all the same, the push fails.
RECORDED = "do $$ begin raise exception 'It was recorded as applied when the push began, and is no longer'; end $$;\n"
FOR_EVER = ("", "0")  # nothing is sent then: some poolers take no options
# The CLI takes any database that listens on this machine at the port of its config.toml for its own stack, and a
# reset then asks Docker for it. No database listens here.
NO_STACK = 1
MAJORS = (15, 17)  # others are refused by the CLI
# Within a pattern: an escaped character, or one out of a set. `?` stands for both.
ONE_OF = re.compile(r"\\.|\[[^\]]*\]")
NEVER_COPIED = ("config.toml", "migrations", ".temp", ".branches")


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


class SupabaseCli:
    """One CLI, for one project.

    Args:
        binary: The program.
        config: The user's configuration; roles and seeds stand beside it.
        warn: Told each warning of the CLI, once.
        at: Told the migration file that is applied now, its number among those that are expected, and their number.
    """

    def __init__(
        self,
        binary: Binary,
        config: ConfigToml,
        warn: Callable[[str], None] = unheard,
        at: At = unheard,
    ) -> None:
        self.binary = binary
        self.config = config
        self._warn = warn
        self._told: set[str] = set()
        self._at = at

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
            return str(field(done, "diff", str)).strip()
        except CliError as error:
            said = error.message.partition("failed: ")[2]
            if not is_refusal(error.code, said):
                raise
            raise EngineRefusedError(*engine_refusal(said, schemas)) from None

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
        return Pushed(names(done, "migrations"), names(done, "seeds"))

    def mark_applied(self, target: Endpoint, migrations: Sequence[Migration]) -> None:
        """Record these migrations, named one by one, in the target's history, without running them."""
        versions = [m.version for m in migrations]
        if not versions:  # without a version the CLI replaces the whole history
            raise SbsyncError("No version was named for the history to be changed.")
        argv = ["migration", "repair", "--status", "applied", "--yes", *self._target(target), *versions]
        answer(self._call(argv, (target,), migrations, writes=True))

    def reset(self, target: Endpoint, migrations: Iterable[Migration]) -> tuple[str, ...]:
        """Drop what `target` holds and build it again from these migrations and the seeds; for local databases only.

        Returns:
            The seed files that were run.
        """
        files = tuple(migrations)
        argv = ["db", "reset", "--yes", *self._target(target)]
        done = self._call(argv, (target,), files, writes=True, seed=True)
        answer(done)
        return seeded(done)

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
        if writes and not self.binary.may_write:
            raise MissingToolError(self.binary.notice, "Use a tested version, or update sbsync_tasks.")
        with private_tempdir() as place:
            (place / "empty").mkdir()
            passfile = place / "passfile"
            passfile.touch(mode=0o600)
            passfile.write_text("".join(e.passfile_line + "\n" for e in endpoints), encoding="utf-8")
            project = fill(place, self.config, migrations, seed=seed)
            env = {
                "PGPASSFILE": str(passfile),
                "TMPDIR": str(place),  # its runtime unpacks a library there, and leaves it
                **QUICK,
                **({} if lock_timeout in FOR_EVER else {"PGOPTIONS": f"-c lock_timeout={lock_timeout}"}),
            }
            common = ["--workdir", str(project), "--agent", "no", "--output-format", "json"]
            hears = progress(self._at, [m for m in migrations if m.sql != RECORDED])
            done = run([str(self.binary.path), *argv, *common], sees=NETWORK, env=env, cwd=place / "empty", hears=hears)
        self._tell(warnings(done))
        return done

    def _tell(self, found: Iterable[str]) -> None:
        for warning in found:
            if warning not in self._told:
                self._told.add(warning)
                self._warn(f"The Supabase CLI warns: {warning}")


def _cli_url(endpoint: Endpoint) -> str:
    """The URL for the CLI: 2.x refuses a server without TLS unless it is told that none is wanted."""
    if "sslmode" in endpoint.options or not endpoint.is_loopback:
        return endpoint.url
    separator = "&" if endpoint.options else "?"
    return f"{endpoint.url}{separator}sslmode=disable"


def fill(place: Path, config: ConfigToml, migrations: Iterable[Migration], *, seed: bool = False) -> Path:
    """Make the folder for one call.

    Args:
        place: The private folder to make it in.
        config: The user's configuration.
        migrations: What stands in `supabase/migrations`: exactly these.
        seed: The call runs the seeds, so their files are there.

    Returns:
        The project folder.

    Raises:
        SbsyncError: `roles.sql` or a seed file cannot be read as UTF-8.
    """
    project = below(place, config.root)
    supabase = project / "supabase"
    (supabase / "migrations").mkdir(parents=True)
    (supabase / "config.toml").write_text(configuration(config), encoding="utf-8")
    roles = config.root / "supabase" / "roles.sql"
    if roles.is_file():
        _copy(roles, supabase / "roles.sql")
    for file in seed_files(config) if seed else ():
        _copy(file, below(place, file))
    _write(supabase / "migrations", migrations)
    return project


def _write(folder: Path, migrations: Iterable[Migration]) -> None:
    """One file for each text, with as many names as migrations have it: a thousand names cost less than ten files."""
    written: dict[str, Path] = {}
    for migration in migrations:
        file = folder / migration.file_name
        first = written.setdefault(migration.sql, file)
        if first is file:
            write_sql(file, migration.sql)
        else:
            file.hardlink_to(first)


def _copy(file: Path, copy: Path) -> None:
    if file.suffix.lower() == ".sql":
        read_sql(file)  # the CLI would take U+FFFD for what is no UTF-8, and run that
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, copy)


def configuration(config: ConfigToml) -> str:
    """The `config.toml` of a call that names its database by URL."""
    schemas, major = config.get("api", "schemas"), config.number("db", "major_version")
    lines = [f"project_id = {_text(re.sub(r'[^a-zA-Z0-9_.-]+', '_', config.project_id) or 'sbsync')}"]
    if isinstance(schemas, list) and all(isinstance(schema, str) for schema in schemas):
        lines += ["[api]", f"schemas = {_text(schemas)}"]
    lines += ["[db]", f"port = {NO_STACK}"]
    lines += [f"major_version = {major}"] if major in MAJORS else []
    lines += ["[db.migrations]", f"enabled = {_text(config.switch('db', 'migrations', 'enabled'))}"]
    seeds = _patterns(config)
    lines += ["[db.seed]", f"enabled = {_text(bool(seeds))}", f"sql_paths = {_text(seeds)}"]
    return "\n".join(lines) + "\n"


def _text(value: object) -> str:
    """A TOML value; for texts, lists of them and booleans it is written as in JSON."""
    return json.dumps(value, ensure_ascii=False)


def below(place: Path, path: Path) -> Path:
    """Where a path is in the copy of the tree of files that a private folder holds."""
    return place / "tree" / path.relative_to(path.anchor)


def _patterns(config: ConfigToml) -> list[str]:
    """The patterns of the seed files, none of them with more steps upwards than lead to `/`."""
    own = str(config.root / "supabase")
    return [
        pattern if Path(pattern).is_absolute() else os.path.relpath(os.path.normpath(f"{own}/{pattern}"), own)
        for pattern in config.seeds
    ]


def seed_files(config: ConfigToml, *, absolute: bool = False) -> Iterator[Path]:
    """The files that the patterns may match: the CLI's `**` is a `*`, and of a folder all files below it count.

    Args:
        config: The user's `config.toml`.
        absolute: With those that absolute patterns match, which the CLI reads where they are.
    """
    own = config.root / "supabase"
    for pattern in _patterns(config):
        if Path(pattern).is_absolute() and not absolute:
            continue
        wanted = Path(os.path.normpath(Path(glob.escape(str(own)), ONE_OF.sub("?", pattern).replace("**", "*"))))
        for found in Path(wanted.anchor).glob(str(wanted.relative_to(wanted.anchor))):
            yield from (file for file in _files(found) if _may_be_copied(file, own))


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    for folder, _, inside in os.walk(path):
        yield from (
            file for file in (Path(folder, name) for name in inside) if file.is_file() and not file.is_symlink()
        )


def _may_be_copied(file: Path, own: Path) -> bool:
    """Whether a seed file is no file that the CLI would take for settings or for a migration."""
    inside = file.relative_to(own).parts[0] if file.is_relative_to(own) else ""
    return inside not in NEVER_COPIED and not file.name.startswith(".env")
