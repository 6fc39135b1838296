"""The project: the folder that holds `supabase/`, and what its `config.toml` says, as the CLI would read it.

A value written `env(NAME)` is what NAME is set to in the process or in the dotenv files; where nothing sets it, the
CLI leaves the text as it is, and so does this. Nothing here minds what else stands in the file: that is the CLI's.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ..errors import ConfigError
from .keys import WORKDIR
from .layers import PROCESS

IN_INVOKE = "invoke config sbsync.workdir"
IN_INVOKES_PROCESS = "INVOKE_SBSYNC_WORKDIR"
# What makes `supabase/` a project's: the CLI makes the first, and without it the second will do.
MARKS = ("supabase/config.toml", "supabase/migrations")
DEPTH, SHOWN = 4, 10
PASSED_OVER = ("node_modules", "venv", "__pycache__", "dist", "build")
NAME = Path("supabase", "config.toml")
DEFAULT_SEEDS = ("./seed.sql",)
_VARIABLE = re.compile(r"env\((.*)\)")
_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)")
_TRUE, _FALSE = ("true", "t", "1"), ("false", "f", "0")
_WORD = r"""(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')"""
_DOTTED = rf"{_WORD}(?:\s*\.\s*{_WORD})*"
_HEADER = re.compile(rf"\s*\[\[?\s*({_DOTTED})\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(rf"\s*({_DOTTED})\s*=")


class NoProjectError(ConfigError):
    """Neither the working directory nor a setting leads to a project (exit code 3)."""


@dataclass(frozen=True)
class Root:
    """The project's root, without symbolic links, and the setting that names it, where one does."""

    path: Path
    source: str = ""


def find_root(start: Path, process: Mapping[str, str], workdir: str = "", tasks: Path | None = None) -> Root:
    """Find the project.

    It is what `SUPABASE_WORKDIR` names in the process environment, as for the CLI: that folder itself, from the
    working directory, and nothing above it. Else the nearest folder upwards with `supabase/config.toml`; where the
    folder of the tasks is nearer, and the Invoke config names a project, that one. Else the nearest with
    `supabase/migrations`.

    Args:
        start: The working directory.
        process: The process environment.
        workdir: `sbsync.workdir` of the Invoke config, relative to `tasks`.
        tasks: The folder of the tasks' file, where it is known.

    Raises:
        NoProjectError: there is none; it names those below.
        ConfigError: what a setting names is none.
    """
    start = start.resolve()
    upwards = (start, *start.parents)
    base = tasks.resolve() if tasks else next((f for f in upwards if (f / "tasks.py").is_file()), start)
    if process.get(WORKDIR):
        return _named(start, process[WORKDIR], f"{WORKDIR}, {PROCESS}")
    source = IN_INVOKES_PROCESS if process.get(IN_INVOKES_PROCESS) else IN_INVOKE
    wanted = process.get(IN_INVOKES_PROCESS) or workdir
    for folder in upwards:
        if wanted and folder == base:
            return _named(base, wanted, source)
        # Nearer than the configuration, migrations alone are a project: who stands there means that one.
        if (folder / MARKS[0]).is_file() or (wanted and _is_project(folder)):
            return Root(folder)
    if wanted:
        return _named(base, wanted, source)
    for folder in upwards:
        if (folder / MARKS[1]).is_dir():
            return Root(folder)
    raise _no_project(start, base)


def _named(base: Path, text: str, source: str) -> Root:
    path = (base / text).resolve()
    if _is_project(path):
        return Root(path, source)
    parent = f" It names the folder that holds supabase/: {path.parent}" if _is_project(path.parent) else ""
    raise ConfigError(
        f"There is no project in {path} ({source}): no {' and no '.join(MARKS)}.",
        f"Correct it.{parent}" if parent else "Correct it, or make a project there with `supabase init`.",
    )


def _is_project(folder: Path) -> bool:
    return (folder / MARKS[0]).is_file() or (folder / MARKS[1]).is_dir()


def _no_project(start: Path, base: Path) -> NoProjectError:
    top = base if start.is_relative_to(base) else start
    below = sorted(_below(top))
    what = f"There is no project in {start} or above: no {' and no '.join(MARKS)}."
    if not below:
        return NoProjectError(what, "Run the task in your project, or make one with `supabase init`.")
    here, there = (shlex.quote(os.path.relpath(below[0], place)) for place in (start, base))
    names = [os.path.relpath(folder, start) for folder in below]
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return NoProjectError(
        f"{what} Below are: {', '.join(names[:SHOWN])}{more}.",
        f"Run the task there (`cd {here}`), or name the project: `export {WORKDIR}={here}`, or `sbsync: {{workdir: "
        f"{there}}}` in {os.path.relpath(base / 'invoke.yaml', start)}.",
    )


def _below(top: Path) -> Iterator[Path]:
    """The projects in the folders below; links, hidden folders and what tools fill are passed over."""
    for folder, inside, _ in os.walk(top):
        path = Path(folder)
        if path != top and any(os.access(path / mark, os.F_OK) for mark in MARKS):
            yield path
        inside[:] = [
            name
            for name in inside
            if len(path.relative_to(top).parts) < DEPTH
            and not name.startswith(".")
            and name not in PASSED_OVER
            and not os.access(path / name / "pyvenv.cfg", os.F_OK)
        ]


class ConfigToml:
    """The `config.toml` of one project; all its values are the defaults where there is none.

    Attributes:
        root: The project's root.
        variable: What a name is set to; empty where nothing sets it.
    """

    def __init__(self, root: Path, variable: Callable[[str], str] = lambda _name: "") -> None:
        self.root = root
        self.variable = variable

    @cached_property
    def text(self) -> str:
        """The file, without a byte order mark; empty where there is none."""
        try:
            path = self.root / NAME
            return path.read_bytes().decode("utf-8-sig") if path.is_file() else ""
        except UnicodeDecodeError as error:
            raise ConfigError(f"{NAME} is not valid UTF-8 (byte {error.start}).", "Save the file as UTF-8.") from None

    @cached_property
    def data(self) -> Mapping[str, Any]:
        """What stands in it.

        Raises:
            ConfigError: it is no TOML; the message names the line.
        """
        import tomllib

        try:
            return tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            line = _PLACE.search(str(error))
            at = line[1] if line and line[1] else len(self.text.splitlines())
            what = _PLACE.sub("", str(error))
            raise ConfigError(
                f"{NAME}, line {at}: this is no TOML ({what[0].lower()}{what[1:]}).",
                "Correct that line; the Supabase CLI cannot read the file either.",
            ) from None

    def get(self, *path: str) -> Any:  # noqa: ANN401 - whatever type the file gives it
        """The value at a path of keys, `env(…)` replaced; None where it is not set, or set to something else."""
        return self._resolved(self.raw(*path))

    def raw(self, *path: str) -> Any:  # noqa: ANN401
        """The same as it stands in the file."""
        found: Any = self.data
        for key in path:
            found = found.get(key) if isinstance(found, dict) else None
        return found

    @property
    def variables(self) -> frozenset[str]:
        """The variables that the file names."""
        return frozenset(re.findall(r"env\((\w+)\)", self.text))

    def _resolved(self, value: Any) -> Any:  # noqa: ANN401
        if isinstance(value, list):
            return [self._resolved(item) for item in value]
        match = _VARIABLE.fullmatch(value) if isinstance(value, str) else None
        return (self.variable(match[1]) or value) if match else value

    @property
    def project_id(self) -> str:
        """The id by which the CLI names the stack's containers; never that of a remote."""
        return str(self.get("project_id") or self.root.name)

    def number(self, *path: str) -> int | None:
        """A whole number, also where it comes from a variable as text; None where it is none."""
        found = self.get(*path)
        if isinstance(found, str) and re.fullmatch(r"\d{1,9}", found):
            return int(found)
        return found if isinstance(found, int) and not isinstance(found, bool) else None

    def switch(self, *path: str) -> bool:
        """Whether something is on, as everything is by default.

        Raises:
            ConfigError: it is neither on nor off.
        """
        found = self.get(*path)
        if isinstance(found, bool) or found is None:
            return found is not False
        if str(found).lower() in (*_TRUE, *_FALSE):
            return str(found).lower() in _TRUE
        raise self.wrong(path, f"{found!r} is not true or false")

    def names(self, *path: str) -> tuple[str, ...] | None:
        """A list of texts; one text stands for a list that is separated by commas. None where it is not set.

        Raises:
            ConfigError: it is no list of texts.
        """
        found = self.get(*path)
        if found is None:
            return None
        if isinstance(found, str):
            return tuple(found.split(","))
        if isinstance(found, list) and all(isinstance(item, str) for item in found):
            return tuple(found)
        raise self.wrong(path, "it is not a list of texts")

    @property
    def seeds(self) -> tuple[str, ...]:
        """The patterns of the seed files, relative to `supabase/`; none where seeds are switched off.

        `supabase init` writes the default one, whether or not there is such a file: without it nothing was meant.
        """
        if not self.switch("db", "seed", "enabled"):
            return ()
        named = self.names("db", "seed", "sql_paths")
        patterns = DEFAULT_SEEDS if named is None else named
        return patterns if patterns != DEFAULT_SEEDS or (self.root / "supabase" / "seed.sql").exists() else ()

    @property
    def declares_schemas(self) -> bool:
        """Whether the project describes its schema in files beside the migrations, which no task reads."""
        named = self.get("db", "migrations", "schema_paths")
        return bool(named) or any((self.root / "supabase" / "schemas").glob("**/*.sql"))

    def wrong(self, path: tuple[str, ...], what: str) -> ConfigError:
        """The error about one value."""
        return ConfigError(
            f"{'.'.join(path)} ({NAME}, line {self.line(*path) or 1}): {what}.",
            "Correct the value; where it is env(…), set that variable in supabase/.env or in the environment.",
        )

    def line(self, *path: str) -> int:
        """The line that sets the value at a path, or opens the table; 0 where none is found."""
        table: tuple[str, ...] = ()
        for number, text in enumerate(self.text.splitlines(), 1):
            header = _HEADER.match(text)
            if header:
                table = _keys(header[1])
                if table[: len(path)] == path:
                    return number
                continue
            key = _KEY.match(text)
            if key and (*table, *_keys(key[1]))[: len(path)] == path:
                return number
        return 0


def _keys(dotted: str) -> tuple[str, ...]:
    return tuple(word.strip("\"'") for word in re.findall(_WORD, dotted))
