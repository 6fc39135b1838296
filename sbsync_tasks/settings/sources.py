"""Where settings stand: process, dotenv files, Invoke config, in their order."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from ..errors import ConfigError
from . import dotenv
from .keys import (
    BY_SHORT_NAME,
    IDENTITY,
    KEYS,
    PROCESS_ONLY,
    Key,
    check_name,
    check_text,
    masked_text,
    secret_forms,
    unknown_key,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

DEFAULT_ENV = "development"
SANDBOX = "sandbox"
PROCESS = "process environment"
_ENV_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*", re.ASCII)
_INVOKE_PREFIX = "INVOKE_SBSYNC_"


class Layer(Enum):
    """The layers, of which one has to name the whole of a remote."""

    PROCESS = "the process environment"
    ENV_FILE = "--env-file"
    NAMED = "the environment's own files"
    UNNAMED = ".env and .env.local"
    INVOKE = "the Invoke config"


@dataclass(frozen=True)
class Value:
    """A resolved value.

    Attributes:
        key: Such as `SBSYNC_LOCAL`.
        text: The value, references put in.
        source: Such as `process environment`, `.env.staging:3` or `default`.
    """

    key: str
    text: str
    source: str

    def __repr__(self) -> str:
        return f"Value(key={self.key!r}, text={masked(self)!r}, source={self.source!r})"


def masked(value: Value) -> str:
    """What may be shown of a value: no password, no token."""
    return masked_text(value.key, value.text)


@dataclass(frozen=True)
class Definition:
    """One place that sets one key.

    Attributes:
        key: The key.
        text: As it stands there.
        source: The place, for people.
        layer: The layer that the place belongs to.
        literal: References are not looked for.
        own: The place is a file of the chosen environment itself.
    """

    key: str
    text: str = field(repr=False)
    source: str
    layer: Layer
    literal: bool = True
    own: bool = False


@dataclass(frozen=True)
class Environment:
    """Which environment is meant, and who said so."""

    name: str
    source: str
    spelled_out: bool


@dataclass(frozen=True)
class Sources:
    """Every definition, the strongest first.

    Attributes:
        definitions: In order of precedence; files' foreign keys are among them, for references.
        process: The process environment, for references; it wins over the files there too.
        files: The dotenv files that were read.
        asked_for: They are those of `--env-file`.
    """

    definitions: tuple[Definition, ...]
    process: Mapping[str, str] = field(repr=False)
    files: tuple[Path, ...]
    asked_for: bool

    def of(self, key: str) -> Iterator[Definition]:
        """Every definition of a key, the strongest first."""
        return (item for item in self.definitions if item.key == key)

    def value(self, definition: Definition) -> Value:
        """A definition's value, its references put in and checked; ConfigError if it is bad."""
        text = self._expanded(definition)
        check_text(KEYS[definition.key], text, definition.source)
        return Value(definition.key, text, definition.source)

    def first(self, key: str) -> Value:
        """The strongest value of a key, also when empty; else its default."""
        definition = next(self.of(key), None)
        return self.value(definition) if definition else Value(key, KEYS[key].default, "default")

    def variable(self, name: str) -> str:
        """What a name of any kind is set to: in the process, else in a file; empty where nothing sets it."""
        if name in self.process:
            return self.process[name]
        return next((self._expanded_if_possible(item) for item in self.of(name)), "")

    def secrets(self) -> tuple[str, ...]:
        """Every secret that any place holds, in force or not, the longest first."""
        forms: set[str] = set()
        for item in self.definitions:
            if item.key in KEYS:
                forms.update(_as_written(item))
                forms.update(secret_forms(item.key, self._expanded_if_possible(item)))
        return tuple(sorted(forms, key=lambda form: (-len(form), form)))

    def _expanded(self, definition: Definition) -> str:
        start = dotenv.Found(definition.key, definition.text, definition.source, definition.literal)
        return dotenv.expand(start, lambda name: self._find(name, definition.layer))

    def _expanded_if_possible(self, definition: Definition) -> str:
        try:
            return self._expanded(definition)
        except ConfigError:
            return ""

    def _find(self, name: str, layer: Layer) -> dotenv.Found | None:
        """What a reference in a layer leads to; a remote's parts are found in that layer only."""
        if name in self.process and name not in IDENTITY:
            return dotenv.Found(name, self.process[name], PROCESS, literal=True)
        for item in self.of(name):
            if name not in IDENTITY or item.layer is layer:
                return dotenv.Found(name, item.text, item.source, item.literal)
        return None


def _as_written(item: Definition) -> Iterator[str]:
    """The secrets in a text before its references are put in; a mere reference is none."""
    return (
        form for form in secret_forms(item.key, item.text) if item.literal or dotenv.without_references(unquote(form))
    )


def pick_environment(flag: str | None, process: Mapping[str, str]) -> Environment:
    """`--env`, else SBSYNC_ENV, else SUPABASE_ENV, else `development`.

    Raises:
        ConfigError: the name is empty, `local`, or cannot be part of a file's name.
    """
    if flag is not None:
        return Environment(_checked_env(flag, "--env"), "--env", spelled_out=True)
    for key in ("SBSYNC_ENV", "SUPABASE_ENV"):
        if key in process:
            source = f"{PROCESS}, {key}"
            return Environment(_checked_env(process[key], source), source, spelled_out=False)
    return Environment(DEFAULT_ENV, "default", spelled_out=False)


def _checked_env(name: str, source: str) -> str:
    if name.lower() == "local" or (name.lower() == SANDBOX and name != SANDBOX):
        raise ConfigError(
            f"{name!r} cannot be the name of an environment ({source}).",
            "`.env.local` belongs to every environment; the built-in one is written `sandbox`.",
        )
    if not _ENV_NAME.fullmatch(name):
        raise ConfigError(
            f"{name!r} is no environment's name ({source}).",
            "Use letters, digits, - and _; `staging` reads .env.staging and .env.staging.local.",
        )
    return name


def gather(
    root: Path,
    env: str,
    *,
    env_files: Sequence[str],
    process: Mapping[str, str],
    invoke_config: Mapping[str, object],
) -> Sources:
    """Read every place; see `settings.resolve` for the arguments.

    Raises:
        ConfigError: a file that was asked for is missing or bad, a key is unknown or stands where
            it may not.
    """
    files = _asked_for(env_files) if env_files else _usual(root, env)
    own = {path.resolve() for path, _ in _candidates(root, env, own_only=True)}
    definitions = [*_from_process(process)]
    for path, name, layer in files:
        definitions += _from_file(path, name, layer, own=path.resolve() in own)
    definitions += _from_invoke(invoke_config, process)
    paths = tuple(path for path, _, _ in files)
    return Sources(tuple(definitions), process, paths, asked_for=bool(env_files))


def looked_for(root: Path, env: str) -> list[Path]:
    """The files that make an environment exist: its own."""
    return [path for path, layer in _candidates(root, env) if layer is Layer.NAMED]


def _candidates(root: Path, env: str, *, own_only: bool = False) -> list[tuple[Path, Layer]]:
    """The usual files, the strongest first: the order that the Supabase CLI documents.

    `.env.local` is left out in `test`, as everywhere where these four names are used.
    """
    names = [(f".env.{env}.local", Layer.NAMED), (".env.local", Layer.UNNAMED)]
    names += [(f".env.{env}", Layer.NAMED), (".env", Layer.UNNAMED)]
    if env == "test":
        names.remove((".env.local", Layer.UNNAMED))
    if own_only and env != DEFAULT_ENV:
        names = [(name, layer) for name, layer in names if layer is Layer.NAMED]
    return [(folder / name, layer) for folder in (root / "supabase", root) for name, layer in names]


def _usual(root: Path, env: str) -> list[tuple[Path, str, Layer]]:
    """The usual files that are there; a folder called `.env` is a virtual environment, no file."""
    found = [(path, layer) for path, layer in _candidates(root, env) if path.is_file()]
    for path, layer in found:
        if env == SANDBOX and layer is Layer.NAMED:
            raise ConfigError(
                f"{path.relative_to(root)} would set up the environment `sandbox`, but that one is "
                "built in and takes no file.",
                "Give the file and the environment another name.",
            )
    return [(path, str(path.relative_to(root)), layer) for path, layer in found]


def _asked_for(env_files: Sequence[str]) -> list[tuple[Path, str, Layer]]:
    """The files of `--env-file`, a later one first: it wins."""
    for name in env_files:
        if not name or not Path(name).exists() or Path(name).is_dir():
            raise ConfigError(f"--env-file: there is no file {name!r}.", "Check the path.")
    return [(Path(name), name, Layer.ENV_FILE) for name in reversed(env_files)]


def _from_process(process: Mapping[str, str]) -> Iterator[Definition]:
    for name, text in process.items():
        check_name(name, PROCESS, in_file=False)
        if name in KEYS:
            yield Definition(name, text, PROCESS, Layer.PROCESS)


def _from_file(path: Path, name: str, layer: Layer, *, own: bool) -> list[Definition]:
    """A file's definitions; where it sets a key twice the later line counts."""
    found = {}
    for entry in dotenv.read(path, name):
        source = f"{name}:{entry.line}"
        check_name(entry.key, source, in_file=True)
        found[entry.key] = Definition(entry.key, entry.text, source, layer, entry.literal, own)
    return list(found.values())


def _from_invoke(config: Mapping[str, object], process: Mapping[str, str]) -> Iterator[Definition]:
    """`INVOKE_SBSYNC_*`, then `sbsync.*`.

    Invoke merges the former into the latter itself, but only for keys that a loaded collection
    declares, and it takes the text `false` for true.
    """
    for name, text in process.items():
        if name.startswith(_INVOKE_PREFIX) and name != f"{_INVOKE_PREFIX}WORKDIR":
            yield _invoke_definition(name.removeprefix(_INVOKE_PREFIX).lower(), text, name)
    for short, content in config.items():
        if content is not None:
            yield _invoke_definition(short, content, f"invoke config sbsync.{short}")


def _invoke_definition(short: str, content: object, source: str) -> Definition:
    if f"SBSYNC_{short.upper()}" in PROCESS_ONLY:
        raise ConfigError(
            f"`{short}` may not stand in the Invoke config ({source}).",
            f"Set SBSYNC_{short.upper()} in the process environment.",
        )
    key = _by_short_name(short, source)
    text = _plain(key, content, source)
    if not key.in_invoke or any(secret_forms(key.name, text)):
        raise ConfigError(
            f"{key.name} may not stand in the Invoke config ({source}).",
            f"Secrets and what names a remote belong in a dotenv file, as {key.name}.",
        )
    return Definition(key.name, text, source, Layer.INVOKE)


def _by_short_name(short: str, source: str) -> Key:
    if short not in BY_SHORT_NAME:
        raise unknown_key(short, source, [*BY_SHORT_NAME])
    return BY_SHORT_NAME[short]


def _plain(key: Key, content: object, source: str) -> str:
    """A value from YAML, TOML or Python as the text that a dotenv file would have."""
    if isinstance(content, bool):
        return str(content).lower()
    if isinstance(content, str | int):
        return str(content)
    if isinstance(content, list | tuple) and all(isinstance(item, str) for item in content):
        return ",".join(content)
    raise ConfigError(
        f"{key.name} ({source}) is no text, number or list of texts.",
        "Write it as it would stand in a dotenv file.",
    )
