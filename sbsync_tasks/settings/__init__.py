"""Settings: every value from its strongest place, checked, with where it came from.

Highest first: process environment, `--env-file` (a later one wins; it replaces the files
after it), `.env.<env>.local`, `.env.local` (not in `test`), `.env.<env>`, `.env` - these four in
`supabase/`, then in the project's root -, Invoke config, default. The first place that sets a key
wins, also when it sets it to nothing. Nothing here reads or writes `os.environ`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ..endpoint import Endpoint, parse_url
from ..errors import ConfigError
from . import keys
from .keys import Value, masked
from .layers import SANDBOX, Environment, Layers, gather, pick_environment
from .project import ConfigToml, NoProjectError, Root, find_root
from .remote import RemoteSpec, find_remote, protection

__all__ = [
    "ConfigToml", "LocalSpec", "NoProjectError", "RemoteSpec", "Root", "Settings", "Value", "find_root", "masked",
    "resolve",
]  # fmt: skip

BACKUPS = ("auto", "full")


@dataclass(frozen=True)
class LocalSpec:
    """The local database as the settings name it.

    Attributes:
        kind: `stack` (the CLI's, in Docker), `embedded` (without Docker) or `url`.
        endpoint: Where it is, password included; None unless the kind is `url`.
        source: Where it is named.
    """

    kind: Literal["stack", "embedded", "url"]
    endpoint: Endpoint | None
    source: str


@dataclass(frozen=True)
class Settings:
    """Everything that can be set, resolved.

    Attributes:
        root: The project's root.
        env: The environment's name.
        env_source: Who chose it.
        local: The local database.
        remote: The remote one, None where nothing names one; see `required_remote`.
        protected: The remote may not be written to by a mere `--yes`; `values` has what says so.
        env_spelled_out: The environment was given as `--env`.
        expect: A project's ref or a system identifier that the remote has to have; or empty.
        schemas: The schemas to compare; empty for all of the user's.
        backup: `auto` (schema, history, roles and the rows that a migration can damage) or `full`
            (everything). There is no way to go without.
        backup_dir: Where backups are kept.
        backup_keep: How many of them.
        lock_timeout: How long a migration may wait for a lock: a PostgreSQL duration; 0 for ever.
        supabase_bin: The Supabase CLI to use; empty to look for it.
        pg_bindir: The PostgreSQL programs to use; empty to look for them.
        values: The resolved values by key, for `doctor`; what is neither set nor has a default is left out.
        secrets: Every secret that was seen.
        files_read: The dotenv files that were read, the strongest first.
        config: The project's `config.toml`, its `env(…)` resolved by the process and the dotenv files.
        no_remote: Why `remote` is None.
    """

    root: Path
    env: str
    env_source: str
    local: LocalSpec
    remote: RemoteSpec | None
    protected: bool
    env_spelled_out: bool
    expect: str
    schemas: tuple[str, ...]
    backup: str
    backup_dir: Path
    backup_keep: int
    lock_timeout: str
    supabase_bin: str
    pg_bindir: str
    values: Mapping[str, Value]
    secrets: tuple[str, ...] = field(repr=False)
    files_read: tuple[Path, ...]
    config: ConfigToml
    no_remote: str = ""

    def required_remote(self) -> RemoteSpec:
        """The remote; ConfigError where none is named."""
        if self.remote is None:
            raise ConfigError(
                self.no_remote,
                f"Set {keys.PROJECT_ID} (and {keys.DB_PASSWORD}) or {keys.DB_URL} in "
                f".env.{self.env}.local; to try it first, without any remote: --env sandbox.",
            )
        return self.remote


def resolve(
    *,
    root: Path,
    root_source: str = "",
    env_files: Sequence[str] = (),
    env: str | None = None,
    process: Mapping[str, str],
    invoke_config: Mapping[str, object] | None = None,
) -> Settings:
    """Resolve every setting.

    Args:
        root: The project's root; paths in settings are relative to it.
        root_source: What names it, where anything does.
        env_files: The paths of `--env-file`, relative to the working directory.
        env: The value of `--env`.
        process: The process environment.
        invoke_config: `sbsync.*` of the Invoke config; None values count as not set.

    Raises:
        ConfigError: something is wrong; the message names the place and shows no secret.
    """
    chosen = pick_environment(env, process)
    layers = gather(root, chosen.name, env_files=env_files, process=process, invoke_config=invoke_config or {})
    return _settings(root, root_source, chosen, layers)


def _settings(root: Path, root_source: str, chosen: Environment, layers: Layers) -> Settings:
    named = find_remote(layers, chosen, root)
    remote = named if isinstance(named, RemoteSpec) else None
    protected = protection(layers, chosen, remote)
    values = _plain_values(layers, chosen)
    expect, program, bindir = (values[key] for key in (keys.EXPECT, keys.SUPABASE_BIN, keys.PG_BINDIR))
    who = [Value(keys.ENV, chosen.name, chosen.source)]
    who += [Value(keys.WORKDIR, str(root), root_source)] if root_source else []
    shown = (*who, *(remote.parts if remote else ()), *values.values(), protected)
    return Settings(
        root=root,
        env=chosen.name,
        env_source=chosen.source,
        local=_local(values[keys.LOCAL]),
        remote=remote,
        protected=protected.text == "true",
        env_spelled_out=chosen.spelled_out,
        expect=_expectation(expect, remote),
        schemas=keys.names(values[keys.SCHEMAS]),
        backup=keys.one_of(values[keys.BACKUP], BACKUPS),
        backup_dir=_path(root, values[keys.BACKUP_DIR], layers),
        backup_keep=keys.count(values[keys.BACKUP_KEEP]),
        lock_timeout=keys.duration(values[keys.LOCK_TIMEOUT]),
        supabase_bin=str(_path(root, program, layers)) if "/" in program.text else program.text,
        pg_bindir=str(_path(root, bindir, layers)) if bindir.text else "",
        values={value.key: value for value in shown if value.text or value.source != "default"},
        secrets=layers.secrets(),
        files_read=tuple(path for path, _ in layers.files),
        config=ConfigToml(root, layers.variable),
        no_remote="" if isinstance(named, RemoteSpec) else named,
    )


def _plain_values(layers: Layers, chosen: Environment) -> dict[str, Value]:
    """The keys that stand for themselves; the sandbox fixes what belongs to an environment."""
    not_plain = (*keys.IDENTITY, keys.PROTECTED)
    fixed = {keys.LOCAL: "embedded", keys.EXPECT: ""} if chosen.name == SANDBOX else {}
    return {
        key: Value(key, fixed[key], f"the environment {SANDBOX}") if key in fixed else layers.first(key)
        for key in keys.KEYS
        if key not in not_plain
    }


def _local(value: Value) -> LocalSpec:
    if value.text == "stack":
        return LocalSpec("stack", None, value.source)
    if value.text == "embedded":
        return LocalSpec("embedded", None, value.source)
    if "://" not in value.text:
        raise ConfigError(
            f"{value} is neither stack, embedded nor a Postgres URL.",
            "stack is the Supabase CLI's, in Docker; embedded needs no Docker.",
        )
    endpoint = parse_url(value.text, str(value))
    if not endpoint.is_loopback:
        raise ConfigError(
            f"{value} is not on this machine: {endpoint.host}.",
            f"A local database may be reset: it has to listen on localhost. A remote one is named by {keys.DB_URL}.",
        )
    return LocalSpec("url", endpoint, value.source)


def _path(root: Path, value: Value, layers: Layers) -> Path:
    """A path relative to the root; `~/` is the home folder, which no shell put in here."""
    home = layers.process.get("HOME", "")
    return Path(home, value.text[2:]) if value.text.startswith("~/") and home else root / value.text


def _expectation(expect: Value, remote: RemoteSpec | None) -> str:
    """Whom the remote has to be; one that shows by its ref that it is another is refused at once."""
    text = keys.expectation(expect)
    if remote and remote.ref and text.isalpha() and remote.ref != text:
        raise ConfigError(
            f"The remote is {remote.ref} ({remote.source}), but {expect} expects {text}.", "Fix the one that is wrong."
        )
    return text
