"""Where settings stand: an ordered list of places, the strongest first, each with what it sets.

python-dotenv has the grammar of dotenv files; its interpolation is left alone. Two things are stricter here: what it
skips with a warning is an error, and so is a reference to a name that nothing sets. No message quotes a line or a
value: it may be a secret.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import unquote

from ..errors import ConfigError
from . import keys
from .keys import BY_SHORT_NAME, IDENTITY, KEYS, PROCESS_ONLY, Key, Layer, Value

DEFAULT_ENV = "development"
SANDBOX = "sandbox"
PROCESS = "process environment"
_ENV_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*", re.ASCII)
_INVOKE_PREFIX = "INVOKE_SBSYNC_"
_QUOTED = re.compile(r"\s*(?:export\s+)?[^=#\s]+\s*=\s*(['\"])")
_NEWLINE = re.compile(r"\r\n|\n|\r")
# A quote left open takes in the lines after it, up to the next quote in the file.
_SWALLOWED = re.compile(r"[\r\n]\s*(?:export\s+)?(?:SBSYNC|SUPABASE)_\w+\s*=")
_REFERENCE = re.compile(r"\$\{([^}]*)\}")
_PLAIN_REFERENCE = re.compile(r"\$\{\w+\}")
_REFERENCED = re.compile(r"([A-Za-z_]\w*)(?::-(.*))?", re.ASCII | re.DOTALL)


@dataclass(frozen=True)
class Environment:
    """Which environment is meant, who said so, and whether as `--env`."""

    name: str
    source: str
    spelled_out: bool = False


@dataclass(frozen=True)
class Layers:
    """Every place that sets something.

    Attributes:
        places: What each place sets, by key, the strongest first; of files their foreign keys too, for references.
        process: The process environment, for references; it wins over the files there too.
        files: The dotenv files that were read, the strongest first, each with its layer.
    """

    places: tuple[Mapping[str, Value], ...]
    process: Mapping[str, str] = field(default_factory=dict, repr=False)
    files: tuple[tuple[Path, Layer], ...] = ()

    def of(self, key: str) -> Iterator[Value]:
        """Every value of a key as it is written, the strongest first."""
        return (place[key] for place in self.places if key in place)

    def value(self, written: Value) -> Value:
        """A value with its references put in and checked; ConfigError if it is bad."""
        return keys.checked(replace(written, text=self._expanded(written)))

    def first(self, key: str) -> Value:
        """The strongest value of a key, also when empty; else its default."""
        written = next(self.of(key), None)
        return self.value(written) if written else Value(key, KEYS[key].default, "default")

    def within(self, layer: Layer, wanted: Sequence[str]) -> dict[str, Value]:
        """What one layer sets of these keys, by the strongest of its places."""
        found = (next((v for v in self.of(key) if v.layer is layer), None) for key in wanted)
        return {written.key: self.value(written) for written in found if written}

    def variable(self, name: str) -> str:
        """What a name of any kind is set to: in the process, else in a file; empty where nothing sets it."""
        if name in self.process:
            return self.process[name]
        return next((self._expanded_if_possible(written) for written in self.of(name)), "")

    def secrets(self) -> tuple[str, ...]:
        """Every secret that any place holds, in force or not."""
        found: set[str] = set()
        for written in (value for place in self.places for value in place.values() if value.key in KEYS):
            found.update(secrets_as_written(written))
            found.update(keys.secrets(replace(written, text=self._expanded_if_possible(written))))
        return tuple(sorted(found))

    def _expanded(self, written: Value) -> str:
        return expand(written, lambda name: self._find(name, written.layer))

    def _expanded_if_possible(self, written: Value) -> str:
        try:
            return self._expanded(written)
        except ConfigError:
            return ""

    def _find(self, name: str, layer: Layer) -> Value | None:
        """What a reference in a layer leads to; a remote's parts are found in that layer only."""
        if name in self.process and name not in IDENTITY:
            return Value(name, self.process[name], PROCESS)
        return next((v for v in self.of(name) if name not in IDENTITY or v.layer is layer), None)


# --- the places ---


def pick_environment(flag: str | None, process: Mapping[str, str]) -> Environment:
    """`--env`, else SBSYNC_ENV, else SUPABASE_ENV, else `development`.

    Raises:
        ConfigError: the name is empty, `local`, or cannot be part of a file's name.
    """
    if flag is not None:
        return Environment(_checked_env(flag, "--env"), "--env", spelled_out=True)
    for key in (keys.ENV, "SUPABASE_ENV"):
        if key in process:
            source = f"{PROCESS}, {key}"
            return Environment(_checked_env(process[key], source), source)
    return Environment(DEFAULT_ENV, "default")


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
    root: Path, env: str, *, env_files: Sequence[str], process: Mapping[str, str], invoke_config: Mapping[str, object]
) -> Layers:
    """Read every place; see `settings.resolve` for the arguments.

    Raises:
        ConfigError: a file that was asked for is missing or bad, a key is unknown or stands where it may not.
    """
    usual = candidates(root, env)
    files = _asked_for(env_files) if env_files else _usual(root, env, usual)
    own = {path.resolve() for path, layer in usual if layer is Layer.NAMED or env == DEFAULT_ENV}
    places = (
        _from_process(process),
        *(_from_file(path, name, layer, own=path.resolve() in own) for path, name, layer in files),
        # Invoke merges these into its configuration, but only for keys that a loaded collection declares, and it
        # takes the text `false` for true.
        _from_invoke(
            (name.removeprefix(_INVOKE_PREFIX).lower(), text, name)
            for name, text in process.items()
            if name.startswith(_INVOKE_PREFIX) and name != f"{_INVOKE_PREFIX}WORKDIR"
        ),
        _from_invoke(
            (short, content, f"invoke config sbsync.{short}")
            for short, content in invoke_config.items()
            if content is not None
        ),
    )
    return Layers(places, process, tuple((path, layer) for path, _, layer in files))


def candidates(root: Path, env: str) -> list[tuple[Path, Layer]]:
    """The usual files, there or not, the strongest first: the order that the Supabase CLI documents.

    `.env.local` is left out in `test`, as everywhere where these four names are used.
    """
    names = [(f".env.{env}.local", Layer.NAMED), (".env.local", Layer.UNNAMED)]
    names += [(f".env.{env}", Layer.NAMED), (".env", Layer.UNNAMED)]
    if env == "test":
        names.remove((".env.local", Layer.UNNAMED))
    return [(folder / name, layer) for folder in (root / "supabase", root) for name, layer in names]


def _usual(root: Path, env: str, usual: list[tuple[Path, Layer]]) -> list[tuple[Path, str, Layer]]:
    """The usual files that are there; a folder called `.env` is a virtual environment, no file."""
    found = [(path, str(path.relative_to(root)), layer) for path, layer in usual if path.is_file()]
    for _, name, layer in found:
        if env == SANDBOX and layer is Layer.NAMED:
            raise ConfigError(
                f"{name} would set up the environment `sandbox`, but that one is built in and takes no file.",
                "Give the file and the environment another name.",
            )
    return found


def _asked_for(env_files: Sequence[str]) -> list[tuple[Path, str, Layer]]:
    """The files of `--env-file`, a later one first: it wins."""
    for name in env_files:
        if not name or not Path(name).exists() or Path(name).is_dir():
            raise ConfigError(f"--env-file: there is no file {name!r}.", "Check the path.")
    return [(Path(name), name, Layer.ENV_FILE) for name in reversed(env_files)]


def _from_process(process: Mapping[str, str]) -> Mapping[str, Value]:
    for name in process:
        keys.check_name(name, PROCESS, in_file=False)
    return {name: Value(name, process[name], PROCESS, Layer.PROCESS) for name in KEYS if name in process}


def _from_file(path: Path, name: str, layer: Layer, *, own: bool) -> Mapping[str, Value]:
    """What a file sets; where it sets a key twice the later line counts."""
    found = {}
    for value in read(path, name):
        keys.check_name(value.key, value.source, in_file=True)
        found[value.key] = replace(value, layer=layer, own=own)
    return found


def _from_invoke(given: Iterator[tuple[str, object, str]]) -> Mapping[str, Value]:
    """What Invoke's configuration sets, from short names, contents and sources."""
    values = [_invoke_value(short, content, source) for short, content, source in given]
    return {value.key: value for value in values}


def _invoke_value(short: str, content: object, source: str) -> Value:
    if f"SBSYNC_{short.upper()}" in PROCESS_ONLY:
        raise ConfigError(
            f"`{short}` may not stand in the Invoke config ({source}).",
            f"Set SBSYNC_{short.upper()} in the process environment.",
        )
    if short not in BY_SHORT_NAME:
        raise keys.unknown_key(short, source, BY_SHORT_NAME)
    key = BY_SHORT_NAME[short]
    value = Value(key.name, _plain(key, content, source), source, Layer.INVOKE)
    if not key.in_invoke or any(keys.secrets(value)):
        raise ConfigError(
            f"{key.name} may not stand in the Invoke config ({source}).",
            f"Secrets and what names a remote belong in a dotenv file, as {key.name}.",
        )
    return value


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


# --- one dotenv file ---


def read(path: Path, name: str) -> tuple[Value, ...]:
    """What stands in a dotenv file: UTF-8, with or without a byte order mark.

    Args:
        path: The file.
        name: What to call it; each value's source is `NAME:LINE`, counted from 1.

    Raises:
        ConfigError: it cannot be read, or a line in it is no assignment. The line is never quoted.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{name} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{name} is not UTF-8 text.", "Save it as UTF-8.") from None
    return parse(text, name)


def parse(text: str, name: str) -> tuple[Value, ...]:
    """Take the text of a dotenv file apart; see `read`."""
    from dotenv.parser import parse_stream

    values = []
    for key, value, (string, line), error in parse_stream(io.StringIO(text, newline="")):
        blank = string[: len(string) - len(string.lstrip())]
        source = f"{name}:{line + len(_NEWLINE.findall(blank))}"
        quoted = _QUOTED.match(string)
        if error or _SWALLOWED.search(value or ""):
            raise _bad_line(source, quoted=bool(quoted))
        if key is None:
            continue
        if value is None or "\0" in value:
            raise _bad_line(source, quoted=False)
        values.append(Value(key, value, source, literal=bool(quoted and quoted[1] == "'")))
    return tuple(values)


def _bad_line(where: str, *, quoted: bool) -> ConfigError:
    if quoted:
        return ConfigError(
            f"{where}: a quotation mark is not closed, or something follows the closing one.",
            "Inside double quotes write \\\" for a quotation mark, inside single quotes \\'.",
        )
    return ConfigError(f"{where} is no KEY=VALUE line.", "Comments start with #; an empty value is written KEY= .")


# --- references ---


def secrets_as_written(value: Value) -> Iterator[str]:
    """The secrets in a value with its references in it; a mere `${NAME}` is none, a `:-default` may be one."""
    return (s for s in keys.secrets(value) if value.literal or _PLAIN_REFERENCE.sub("", unquote(s)))


def expand(value: Value, find: Callable[[str], Value | None], trail: tuple[Value, ...] = ()) -> str:
    """A text with the values of `${NAME}` and `${NAME:-default}` put in.

    The default counts when the name is not set or empty, as in a shell. What was put in is not looked at again. A bare
    `$NAME` stays as it is.

    Args:
        value: What to expand.
        find: Looks a name up; None when nothing sets it.
        trail: The values that led here.

    Raises:
        ConfigError: a cycle, a name that nothing sets, or braces that hold no name. Neither the
            text nor what stands in the braces is quoted: it may be part of a password.
    """
    if value.literal:
        return value.text
    if value in trail:
        way = " -> ".join(str(seen) for seen in (*trail, value))
        raise ConfigError(f"References go round in a circle: {way}.", "Give one of them a value.")

    def put_in(match: re.Match[str]) -> str:
        named = _REFERENCED.fullmatch(match[1])
        if named is None:
            raise _bad_reference(value, "has a ${...} that holds no name")
        found = find(named[1])
        if found is None and named[2] is None:
            whole = match[0] == value.text  # then the name is no part of a password
            what = f"refers to {named[1]}, which nothing sets" if whole else "refers to a name that nothing sets"
            raise _bad_reference(value, what)
        return (expand(found, find, (*trail, value)) if found else "") or named[2] or ""

    return _REFERENCE.sub(put_in, value.text)


def _bad_reference(value: Value, what: str) -> ConfigError:
    return ConfigError(
        f"{value} {what}.", "Set that name, or write ${NAME:-default}; single quotes keep ${...} as it is."
    )
