"""Settings: every value from its strongest place, checked, with where it came from.

Highest first: process environment, `--env-file` (a later one wins; it replaces the files
after it), `.env.<env>.local`, `.env.local` (not in `test`), `.env.<env>`, `.env` - these four in
`supabase/`, then in the project's root -, Invoke config, default. The first place that sets a key
wins, also when it sets it to nothing. Nothing here reads or writes `os.environ`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from ..endpoint import Endpoint, parse_url
from ..errors import ConfigError
from . import keys
from .config_toml import ConfigToml
from .remote import RemoteSpec, find_remote, protection
from .sources import (
    SANDBOX,
    Environment,
    Sources,
    Value,
    gather,
    pick_environment,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

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
        protected: The remote may not be written to by a mere `--yes`.
        protected_source: What says so.
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
        values: The values by key, for `doctor`.
        secrets: Every secret that was seen, percent-encoded too, the longest first.
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
    protected_source: str
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
    sources = gather(
        root,
        chosen.name,
        env_files=env_files,
        process=process,
        invoke_config=dict(invoke_config or {}),
    )
    return _settings(root, root_source, chosen, sources)


def _settings(root: Path, root_source: str, chosen: Environment, sources: Sources) -> Settings:
    remote, parts, no_remote = find_remote(sources, chosen, root)
    protected, protected_source = protection(sources, chosen, remote)
    plain = _plain_values(sources, chosen)
    expect = keys.parse_expect(plain[keys.EXPECT].text, plain[keys.EXPECT].source)
    _check_expectation(plain[keys.EXPECT], remote)
    protection_value = Value(keys.PROTECTED, str(protected).lower(), protected_source)
    named = [Value(keys.WORKDIR, str(root), root_source)] if root_source else []
    home = sources.process.get("HOME", "")
    return Settings(
        root=root,
        env=chosen.name,
        env_source=chosen.source,
        local=_local(plain[keys.LOCAL]),
        remote=remote,
        protected=protected,
        protected_source=protected_source,
        env_spelled_out=chosen.spelled_out,
        expect=expect,
        schemas=keys.parse_names(plain[keys.SCHEMAS].text),
        backup=keys.parse_choice(*_triple(plain[keys.BACKUP]), BACKUPS),
        backup_dir=_path(root, plain[keys.BACKUP_DIR].text, home),
        backup_keep=keys.parse_count(*_triple(plain[keys.BACKUP_KEEP])),
        lock_timeout=keys.parse_duration(*_triple(plain[keys.LOCK_TIMEOUT])),
        supabase_bin=_program(root, plain[keys.SUPABASE_BIN].text, home),
        pg_bindir=_folder(root, plain[keys.PG_BINDIR].text, home),
        values=_provenance(chosen, (*named, *parts), plain.values(), protected=protection_value),
        secrets=sources.secrets(),
        files_read=sources.files,
        config=ConfigToml(root, sources.variable),
        no_remote=no_remote,
    )


def _plain_values(sources: Sources, chosen: Environment) -> dict[str, Value]:
    """The keys that stand for themselves; the sandbox fixes what belongs to an environment."""
    names = (keys.SCHEMAS, keys.BACKUP, keys.BACKUP_DIR, keys.BACKUP_KEEP, keys.LOCK_TIMEOUT)
    values = {name: sources.first(name) for name in (*names, keys.SUPABASE_BIN, keys.PG_BINDIR)}
    if chosen.name == SANDBOX:
        built_in = f"the environment {SANDBOX}"
        values[keys.LOCAL] = Value(keys.LOCAL, "embedded", built_in)
        values[keys.EXPECT] = Value(keys.EXPECT, "", built_in)
    else:
        values[keys.LOCAL] = sources.first(keys.LOCAL)
        values[keys.EXPECT] = sources.first(keys.EXPECT)
    return values


def _local(value: Value) -> LocalSpec:
    if value.text == "stack":
        return LocalSpec("stack", None, value.source)
    if value.text == "embedded":
        return LocalSpec("embedded", None, value.source)
    if "://" not in value.text:
        raise ConfigError(
            f"{keys.LOCAL} ({value.source}) is neither stack, embedded nor a Postgres URL.",
            "stack is the Supabase CLI's, in Docker; embedded needs no Docker.",
        )
    endpoint = parse_url(value.text, f"{keys.LOCAL} ({value.source})")
    if not endpoint.is_loopback:
        raise ConfigError(
            f"{keys.LOCAL} ({value.source}) is not on this machine: {endpoint.host}.",
            f"A local database may be reset: it has to listen on localhost. A remote one is named by {keys.DB_URL}.",
        )
    return LocalSpec("url", endpoint, value.source)


def _triple(value: Value) -> tuple[str, str, str]:
    return value.key, value.text, value.source


def _path(root: Path, text: str, home: str) -> Path:
    """A path relative to the root; `~/` is the home folder, which no shell put in here."""
    if text.startswith("~/") and home:
        return Path(home, text[2:])
    return root / text


def _folder(root: Path, text: str, home: str) -> str:
    return str(_path(root, text, home)) if text else ""


def _program(root: Path, text: str, home: str) -> str:
    """A path, made absolute, or a bare name to be looked up in PATH."""
    return _folder(root, text, home) if "/" in text else text


def _provenance(
    chosen: Environment,
    parts: Iterable[Value],
    plain: Iterable[Value],
    *,
    protected: Value,
) -> Mapping[str, Value]:
    """The resolved values by key; what is neither set nor has a default is left out."""
    env = Value("SBSYNC_ENV", chosen.name, chosen.source)
    found = (env, *parts, *plain, protected)
    return MappingProxyType({value.key: value for value in found if value.text or value.source != "default"})


def _check_expectation(expect: Value, remote: RemoteSpec | None) -> None:
    """Refuse at once a remote that shows by its ref that it is another than the expected one."""
    if remote and remote.ref and expect.text.isalpha() and remote.ref != expect.text:
        raise ConfigError(
            f"The remote is {remote.ref} ({remote.source}), but {keys.EXPECT} ({expect.source}) expects {expect.text}.",
            "Fix the one that is wrong.",
        )
