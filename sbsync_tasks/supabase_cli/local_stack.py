"""The calls to the CLI that are about its local stack: they work on the project itself, and on Docker.

Measured on 2.115.0, 2.122.1 and 3.1.0: SUPABASE_PROJECT_ID overrides config.toml's `project_id` also where it
stands in `supabase/.env`, and these calls then look for another project's containers. A variable of the process
wins over a file, so each call is given the project's own id.

They need the user's `config.toml`. What the CLI refuses in it, it names one key at a time: so that key is taken out of
a copy, and the CLI is asked again until it takes the rest.
"""

from __future__ import annotations

import copy
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ..errors import MissingToolError
from ..paths import private_tempdir
from ..process import NETWORK, Completed, run
from ..settings.project import NAME, ConfigToml
from ..state.migrations import Migration
from .answers import At, CliError, answer, progress, seeded, unheard, warnings
from .binary import QUICK, Binary
from .client import below

# The user's own switch to the experimental stack; `[experimental] stack` in config.toml is the other one.
EXPERIMENTAL = "SUPABASE_EXPERIMENTAL_STACK"
NO_ENGINE = "unix:///nonexistent"
# Where the CLI gives the place apart from the sentence: `at ["db"]["port"]`.
_PLACE = re.compile(r'\n\s*at ((?:\["[^"\n]*"\])+)')
_KEY = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")
# `[old]: use [new] instead.`, a line for each.
_ONE_OF_MANY = re.compile(r"\n\s*(\[[^\]\n]+\]): u(se .+)")
_LEAD = re.compile(r"^failed (?:to read|reading) config: ", re.IGNORECASE)


class LocalStackCli:
    """The CLI for the local stack of one project folder.

    Args:
        binary: The program.
        config: The project's `config.toml`.
        warn: Told each warning of a call that changes something.
        at: Told the migration file that a reset is at, its number, and that of all of them.
    """

    def __init__(
        self,
        binary: Binary,
        config: ConfigToml,
        warn: Callable[[str], None] = unheard,
        at: At = unheard,
    ) -> None:
        self.version = str(binary.version)
        self._binary = binary
        self._config = config
        self._warn = warn
        self._at = at

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

    def reset(self, migrations: Sequence[Migration] = ()) -> tuple[str, ...]:
        """Recreate the database from nothing, apply all migrations of the project and run its seeds.

        Args:
            migrations: Those of the project, so that it can be told how far it is.

        Returns:
            The seed files that were run.
        """
        # 3.x warns that --local is its default: a target is named all the same.
        return seeded(self._call(["db", "reset", "--local", "--yes"], migrations))

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

    def _call(self, argv: Sequence[str], expected: Sequence[Migration] = ()) -> Completed:
        if not self._binary.may_write:
            raise MissingToolError(self._binary.notice, "Use a tested version, or update sbsync_tasks.")
        done = self._run(argv, hears=progress(self._at, expected))
        for warning in warnings(done):
            if not warning.startswith("--local"):
                self._warn(f"The Supabase CLI warns: {warning}")
        answer(done)
        return done

    def _run(
        self,
        argv: Sequence[str],
        more: Mapping[str, str] = MappingProxyType({}),
        hears: Callable[[str], None] = unheard,
    ) -> Completed:
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
            return run([str(self._binary.path), *argv, *common], sees=sees, env=env, cwd=empty, hears=hears)


@dataclass(frozen=True)
class Refusal:
    """One thing in the file that the CLI does not take.

    Attributes:
        line: Its line; 0 where the CLI does not say what it is about.
        what: What the CLI says of it.
        fix: What to do about it.
    """

    line: int
    what: str
    fix: str


def refused_keys(cli: LocalStackCli, config: ConfigToml) -> tuple[Refusal, ...]:
    """Everything that stops the CLI from reading the file, in the order in which it comes upon it.

    Raises:
        CliError: its answer cannot be read.
    """
    said, found, data = cli.refusal(), [], copy.deepcopy(dict(config.data))
    with private_tempdir() as place:

        def ask(part: Mapping[str, Any]) -> str:
            return cli.elsewhere(ConfigToml(_written(place, config, part))).refusal()

        while said:
            text = _plain(said, config).replace(f"{place / 'tree'}/", "/")
            path = _path(text, data) or _searched(data, ask, said)
            found.append(_refusal(config, path, text))
            if not path:
                break
            _take_out(data, path)
            said = ask(data)
    return tuple(found)


def _plain(said: str, config: ConfigToml) -> str:
    """One refusal as one sentence, without the values of variables: they may be secrets."""
    for name in config.variables:
        if value := config.variable(name):
            said = said.replace(f'"{value}"', f'"env({name})"')
    first = _ONE_OF_MANY.search(said)
    return f"{first[1]} is no longer supported. U{first[2]}" if first else said


def _path(said: str, data: Mapping[str, Any]) -> tuple[str, ...]:
    """The key that an error is about, as far as it is in the file: of one that is missing, the table it belongs to."""
    place = _PLACE.search(said)
    named = [tuple(re.findall(r'\["([^"]*)"\]', place[1]))] if place else []
    named += [tuple(word.split(".")) for word in _KEY.findall(said)]
    return next(filter(None, (_there(path, data) for path in named)), ())


def _searched(data: Mapping[str, Any], ask: Callable[[dict[str, Any]], str], said: str) -> tuple[str, ...]:
    """The first key that is refused so where it stands alone: 2.115.0 does not say which one it means."""
    found = next((key for key, value in data.items() if ask({key: value}) == said), None)
    if found is None:
        return ()
    inner = data[found]
    return (found, *(_searched(inner, lambda part: ask({found: part}), said) if isinstance(inner, dict) else ()))


def _there(path: tuple[str, ...], data: Mapping[str, Any]) -> tuple[str, ...]:
    if not path or path[0] not in data:
        return ()
    below_it = data[path[0]]
    return (path[0], *(_there(path[1:], below_it) if isinstance(below_it, dict) else ()))


def _refusal(config: ConfigToml, path: tuple[str, ...], said: str) -> Refusal:
    text = _LEAD.sub("", _PLACE.sub("", said)).replace(f" in {NAME}", "").strip()
    what, use, instead = text.partition(" Use ")
    key = ".".join(path)
    what = what if key in what else f"{key}: {what}"
    value = config.raw(*path)
    variable = re.fullmatch(r"env\((.*)\)", value) if isinstance(value, str) else None
    if use:
        fix = f"Use {instead}"
    elif variable:
        fix = f"Set {variable[1]} in supabase/.env or in the environment, or write the value itself."
    elif key.endswith("_path"):
        fix = "Correct the path, or put the file there."
    else:
        fix = "Correct it, or take it out."
    return Refusal(config.line(*path), what, fix)


def _take_out(data: dict[str, Any], path: tuple[str, ...]) -> None:
    for key in path[:-1]:
        data = data[key]
    del data[path[-1]]


def _written(place: Path, config: ConfigToml, data: Mapping[str, Any]) -> Path:
    """A copy of the project as far as the file leads to it."""
    root = below(place, config.root)
    shutil.rmtree(place / "tree", ignore_errors=True)
    (root / "supabase").mkdir(parents=True)
    for base in (config.root, config.root / "supabase"):
        named = (Path(os.path.normpath(base / text)) for text in _texts(data) if _leads_on(text))
        for file in (*base.glob(".env*"), *named):
            if file.is_file() and not below(place, file).exists():
                below(place, file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, below(place, file))
    lines = [f"{json.dumps(key)} = {_toml(value)}" for key, value in data.items()]
    (root / NAME).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return root


def _leads_on(text: str) -> bool:
    return bool(text) and "\0" not in text and not Path(text).is_absolute()


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(part)


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {_toml(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str | bool | int | float) else str(value)
