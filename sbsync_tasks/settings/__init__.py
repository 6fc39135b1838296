"""Settings: every value from its strongest place, checked, with where it came from.

Highest first: process environment, `--env-file` (a later one wins; it replaces the files
after it), `.env.<env>.local`, `.env.local` (not in `test`), `.env.<env>`, `.env` - these four in
`supabase/`, then in the project's root -, Invoke config, default. The first place that sets a key
wins, also when it sets it to nothing. Nothing here reads or writes `os.environ`.

One rule for the remote: the first layer that sets any part of it is the remote. What another layer says of it has to be
the same, or nothing: a remote is never put together from several places.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from ..endpoint import Endpoint, parse_url
from ..errors import ConfigError
from ..platform import DIRECT_HOST
from . import keys
from .keys import DB_PASSWORD, DB_URL, IDENTITY, LOCAL, PROJECT_ID, PROTECTED, Layer, Value, masked
from .layers import DEFAULT_ENV, SANDBOX, Environment, Layers, candidates, gather, pick_environment
from .project import ConfigToml, NoProjectError, Root, find_root

__all__ = [
    "ConfigToml", "LocalSpec", "NoProjectError", "RemoteSpec", "Root", "Settings", "Value", "find_root", "masked",
    "ref_of", "resolve",
]  # fmt: skip

_LINKED = "supabase/.temp/project-ref"
_POOLER_HOST = re.compile(r"[\w.-]+\.pooler\.supabase\.\w+")
_POOLER_USER = re.compile(r"\w+\.([a-z]{20})")


@dataclass(frozen=True)
class LocalSpec:
    """The local database: the CLI's in Docker, one without Docker, or where its URL says, password included."""

    kind: Literal["stack", "embedded", "url"]
    endpoint: Endpoint | None


@dataclass(frozen=True)
class RemoteSpec:
    """The remote as the settings name it; equal to another one wherever that is named.

    Attributes:
        kind: `sandbox` (embedded), `url`, `project` (by its ref) or `linked` (by `supabase link`).
        endpoint: Where it is, password included; None unless the kind is `url`.
        ref: The project's ref; for a URL the one that its host or user shows; else empty.
        password: The database's password; may be empty.
        source: Where the remote is named.
        parts: The values that it is made of.
    """

    kind: Literal["sandbox", "url", "project", "linked"]
    endpoint: Endpoint | None
    ref: str
    password: str = field(repr=False)
    source: str = field(compare=False)
    parts: tuple[Value, ...] = field(default=(), compare=False)

    @property
    def label(self) -> str:
        """What to call it on screen."""
        return self.endpoint.label if self.endpoint else self.ref or self.kind

    @property
    def is_here(self) -> bool:
        """Whether it is on this machine, as far as its name tells."""
        return self.kind == SANDBOX or bool(self.endpoint and self.endpoint.is_loopback)


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
                f"Set {PROJECT_ID} (and {DB_PASSWORD}) or {DB_URL} in "
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
    named = _find_remote(layers, chosen, root)
    remote = named if isinstance(named, RemoteSpec) else None
    protected = _protection(layers, chosen, remote)
    values = _plain_values(layers, chosen)
    expect, program, bindir = (values[key] for key in (keys.EXPECT, keys.SUPABASE_BIN, keys.PG_BINDIR))
    who = [Value(keys.ENV, chosen.name, chosen.source)]
    who += [Value(keys.WORKDIR, str(root), root_source)] if root_source else []
    shown = (*who, *(remote.parts if remote else ()), *values.values(), protected)
    return Settings(
        root=root,
        env=chosen.name,
        env_source=chosen.source,
        local=_local(values[LOCAL]),
        remote=remote,
        protected=protected.text == "true",
        env_spelled_out=chosen.spelled_out,
        expect=_expectation(expect, remote),
        schemas=keys.names(values[keys.SCHEMAS]),
        backup=keys.one_of(values[keys.BACKUP], ("auto", "full")),
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
    not_plain = (*IDENTITY, PROTECTED)
    fixed = {LOCAL: "embedded", keys.EXPECT: ""} if chosen.name == SANDBOX else {}
    return {
        key: Value(key, fixed[key], f"the environment {SANDBOX}") if key in fixed else layers.first(key)
        for key in keys.KEYS
        if key not in not_plain
    }


def _local(value: Value) -> LocalSpec:
    if value.text == "stack":
        return LocalSpec("stack", None)
    if value.text == "embedded":
        return LocalSpec("embedded", None)
    if "://" not in value.text:
        raise ConfigError(
            f"{value} is neither stack, embedded nor a Postgres URL.",
            "stack is the Supabase CLI's, in Docker; embedded needs no Docker.",
        )
    endpoint = parse_url(value.text, str(value))
    if not endpoint.is_loopback:
        raise ConfigError(
            f"{value} is not on this machine: {endpoint.host}.",
            f"A local database may be reset: it has to listen on localhost. A remote one is named by {DB_URL}.",
        )
    return LocalSpec("url", endpoint)


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


# --- the remote ---


def _find_remote(layers: Layers, env: Environment, root: Path) -> RemoteSpec | str:
    """The remote that is named, or the sentence that says why there is none."""
    if env.name == SANDBOX:
        _refuse_with_sandbox(layers)
        return RemoteSpec("sandbox", None, "", "", env.source)
    counting = [Layer.PROCESS, Layer.ENV_FILE, Layer.NAMED, *([Layer.UNNAMED] if env.name == DEFAULT_ENV else [])]
    found = [layers.within(layer, IDENTITY) for layer in counting]
    _refuse_blanking(layers, counting)
    given = [parts for values in found if (parts := {key: v for key, v in values.items() if v.text})]
    for parts in given[1:]:
        _refuse_another(given[0], parts)
    if given and (spec := _spec(given[0])):
        return spec
    blank = [value for values in found for value in values.values() if not value.text and value.key != DB_PASSWORD]
    if not blank and (linked := _linked(env, root, given[0][DB_PASSWORD] if given else None)):
        return linked
    _require_files(layers, env, root)
    if blank:
        return f"No remote is named: set to nothing are {', '.join(map(str, blank))}."
    return f"No remote is named for the environment {env.name} ({env.source})."


def _refuse_with_sandbox(layers: Layers) -> None:
    """Refuse what was asked for on purpose and cannot be meant together with the sandbox.

    The usual files are no such wish: there a remote is simply left alone.
    """
    for layer in (Layer.PROCESS, Layer.ENV_FILE):
        for key, value in layers.within(layer, (DB_URL, PROJECT_ID, keys.EXPECT, LOCAL)).items():
            if value.text and (key, value.text) != (LOCAL, "embedded"):
                raise ConfigError(
                    f"The environment `sandbox` is embedded on both sides, but {key} is set as well ({value.source}).",
                    f"Leave out {key}, or choose another environment.",
                )


def _refuse_blanking(layers: Layers, counting: Collection[Layer]) -> None:
    """Refuse an empty part that hides another layer's: it would be a mixture of two layers."""
    for key in IDENTITY:
        values = [written for written in layers.of(key) if written.layer in counting]
        if values and not (first := layers.value(values[0])).text:
            others = (layers.value(written) for written in values if written.layer is not first.layer)
            if hidden := next((value for value in others if value.text), None):
                raise ConfigError(
                    f"{key} is set to nothing ({first.source}), which hides {hidden.source}.", "Remove one of the two."
                )


def _refuse_another(first: Mapping[str, Value], other: Mapping[str, Value]) -> None:
    """Refuse two layers that do not say the same: a remote each, or a part of one each."""
    one, two = (_spec(parts) or parts[DB_PASSWORD].text for parts in (first, other))
    if one == two:
        return
    if isinstance(one, RemoteSpec) and isinstance(two, RemoteSpec) and one.label != two.label:
        raise ConfigError(
            f"Two remotes are named: {one.label} ({one.source}) and {two.label} ({two.source}).",
            "Name it in one place.",
        )
    raise ConfigError(
        f"Parts of one remote stand in different layers: {', '.join(map(str, (*first.values(), *other.values())))}.",
        f"Put them side by side. To keep the password out of a file, write {DB_PASSWORD}=${{MY_PASSWORD}} beside the "
        "remote and set MY_PASSWORD in the process environment.",
    )


def _spec(parts: Mapping[str, Value]) -> RemoteSpec | None:
    """The remote that one layer names, if it names one."""
    url, ref, password = (parts.get(key) for key in IDENTITY)
    if ref:
        keys.project_ref(ref)
    if url:
        return _by_url(url, ref, password, tuple(parts.values()))
    if ref:
        return RemoteSpec("project", None, ref.text, _text(password), ref.source, tuple(parts.values()))
    return None


def _text(value: Value | None) -> str:
    return value.text if value else ""


def _by_url(url: Value, ref: Value | None, password: Value | None, parts: tuple[Value, ...]) -> RemoteSpec:
    endpoint = parse_url(url.text, str(url))
    if password and endpoint.password and password.text != endpoint.password:
        raise ConfigError(f"The password in {url} is another than {password}.", f"Leave it out of {DB_URL}.")
    if ref and ref.text != ref_of(endpoint):
        raise ConfigError(f"{url} and {ref} name different remotes.", "Keep one of them.")
    endpoint = replace(endpoint, password=_text(password) or endpoint.password)
    return RemoteSpec("url", endpoint, ref_of(endpoint), endpoint.password, url.source, parts)


def ref_of(endpoint: Endpoint) -> str:
    """The project's ref that a hosted database's address shows; empty for any other address.

    It is in the host of a direct connection and in the user of a pooled one
    (https://supabase.com/docs/guides/database/connecting-to-postgres).
    """
    match = DIRECT_HOST.fullmatch(endpoint.host)
    if not match and _POOLER_HOST.fullmatch(endpoint.host):
        match = _POOLER_USER.fullmatch(endpoint.user)
    return match[1] if match else ""


def _linked(env: Environment, root: Path, password: Value | None) -> RemoteSpec | None:
    """The project that `supabase link` chose; it stands for the default environment only."""
    path = root / _LINKED
    if env.name != DEFAULT_ENV or not path.is_file():
        return None
    ref = keys.project_ref(Value("The link", path.read_text(encoding="utf-8", errors="replace").strip(), _LINKED))
    return RemoteSpec("linked", None, ref, _text(password), _LINKED, (password,) if password else ())


def _require_files(layers: Layers, env: Environment, root: Path) -> None:
    """An environment that was named has to exist: as a file of its own, or as --env-file."""
    exists = any(layer is not Layer.UNNAMED for _, layer in layers.files)
    if env.name != DEFAULT_ENV and not exists:
        own = (path for path, layer in candidates(root, env.name) if layer is Layer.NAMED)
        names = ", ".join(str(path.relative_to(root)) for path in own)
        raise ConfigError(
            f"The environment {env.name} ({env.source}) has no file: looked for {names}.",
            f"Make one that sets {PROJECT_ID} or {DB_URL}, give --env-file, or try --env sandbox first.",
        )


def _protection(layers: Layers, env: Environment, remote: RemoteSpec | None) -> Value:
    """Whether the remote is protected (`true` or `false`), and what says so.

    `true` protects wherever it stands; `false` counts in the environment's own files only, so that
    neither a shell nor a shared file can open every environment at once.
    """
    ignored = ""
    for written in layers.of(PROTECTED):
        if env.name == SANDBOX and written.layer is not Layer.PROCESS:
            continue
        value = layers.value(written)
        if keys.boolean(value):
            return Value(PROTECTED, "true", value.source)
        if value.own:
            return Value(PROTECTED, "false", value.source)
        ignored = ignored or f"; {PROTECTED}=false ({value.source}) counts in .env.{env.name} only"
    if remote and remote.is_here:
        return Value(PROTECTED, "false", "default: the remote is on this machine")
    return Value(PROTECTED, "true", f"default: the remote is not on this machine{ignored}")
