"""Which remote the settings name: its parts from one layer, never put together from several."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from ..endpoint import Endpoint, parse_url
from ..errors import ConfigError
from .keys import (
    DB_PASSWORD,
    DB_URL,
    EXPECT,
    IDENTITY,
    LOCAL,
    PROJECT_ID,
    PROTECTED,
    parse_bool,
    parse_ref,
)
from .sources import DEFAULT_ENV, SANDBOX, Environment, Layer, Sources, Value, looked_for

if TYPE_CHECKING:
    from pathlib import Path

_LINKED = "supabase/.temp/project-ref"
_DIRECT_HOST = re.compile(r"db\.([a-z]{20})\.supabase\.\w+")
_POOLER_HOST = re.compile(r"[\w.-]+\.pooler\.supabase\.\w+")
_POOLER_USER = re.compile(r"\w+\.([a-z]{20})")


@dataclass(frozen=True)
class RemoteSpec:
    """The remote as the settings name it.

    Attributes:
        kind: `sandbox` (embedded), `url`, `project` (by its ref) or `linked` (by `supabase link`).
        endpoint: Where it is, password included; None unless the kind is `url`.
        ref: The project's ref; for a URL the one that its host or user shows; else empty.
        password: The database's password; may be empty.
        source: Where the remote is named.
    """

    kind: Literal["sandbox", "url", "project", "linked"]
    endpoint: Endpoint | None
    ref: str
    password: str = field(repr=False)
    source: str

    @property
    def label(self) -> str:
        """What to call it on screen."""
        return self.endpoint.label if self.endpoint else self.ref or self.kind

    @property
    def is_here(self) -> bool:
        """Whether it is on this machine, as far as its name tells."""
        return self.kind == SANDBOX or bool(self.endpoint and self.endpoint.is_loopback)


@dataclass(frozen=True)
class Parts:
    """What one layer says of the remote; the values' texts may be empty."""

    layer: Layer
    values: tuple[Value, ...]

    def text(self, key: str) -> str:
        """The value of one key here; empty when it is not set."""
        return next((value.text for value in self.values if value.key == key), "")

    def source(self, key: str) -> str:
        """Where one key is set here."""
        return next((value.source for value in self.values if value.key == key), "")

    @property
    def given(self) -> tuple[Value, ...]:
        """The values that are not empty."""
        return tuple(value for value in self.values if value.text)


def find_remote(sources: Sources, env: Environment, root: Path) -> tuple[RemoteSpec | None, tuple[Value, ...], str]:
    """The remote that is named.

    Args:
        sources: Every definition.
        env: The chosen environment.
        root: The project's root, for the link and for the files that were looked for.

    Returns:
        The remote, the values that it is made of, and, without one, why there is none.

    Raises:
        ConfigError: a value is bad, layers disagree, or the environment has no files at all.
    """
    if env.name == SANDBOX:
        _refuse_with_sandbox(sources)
        return RemoteSpec("sandbox", None, "", "", env.source), (), ""
    parts = [_parts(sources, layer) for layer in _layers(env)]
    _refuse_blanking(sources, parts)
    given = [part for part in parts if part.given]
    specs = [_spec(part) for part in given]
    _refuse_mixture(given, specs)
    if specs and specs[0]:
        return specs[0], given[0].given, ""
    blank = [value for part in parts for value in part.values if value.key != DB_PASSWORD]
    passwords = given[0].given if given else ()
    if not blank and (linked := _linked(env, root, passwords)):
        return linked, passwords, ""
    _require_files(sources, env, root)
    return None, (), _why_none(blank, env)


def _layers(env: Environment) -> tuple[Layer, ...]:
    """The layers that may name this environment's remote."""
    named = (Layer.PROCESS, Layer.ENV_FILE, Layer.NAMED)
    return (*named, Layer.UNNAMED) if env.name == DEFAULT_ENV else named


def _parts(sources: Sources, layer: Layer) -> Parts:
    """A layer's own strongest definition of each part."""
    found = []
    for key in IDENTITY:
        definition = next((item for item in sources.of(key) if item.layer is layer), None)
        if definition:
            found.append(sources.value(definition))
    return Parts(layer, tuple(found))


def _refuse_with_sandbox(sources: Sources) -> None:
    """Refuse what was asked for on purpose and cannot be meant together with the sandbox.

    The usual files are no such wish: there a remote is simply left alone.
    """
    for key in (DB_URL, PROJECT_ID, EXPECT, LOCAL):
        for item in sources.of(key):
            on_purpose = item.layer in (Layer.PROCESS, Layer.ENV_FILE)
            text = sources.value(item).text if on_purpose else ""
            if text and (key, text) != (LOCAL, "embedded"):
                raise ConfigError(
                    f"The environment `sandbox` is embedded on both sides, but {key} is set as well ({item.source}).",
                    f"Leave out {key}, or choose another environment.",
                )


def _refuse_blanking(sources: Sources, parts: list[Parts]) -> None:
    """Refuse an empty part that hides another layer's: it would be a mixture of two layers."""
    layers = {part.layer for part in parts}
    for key in IDENTITY:
        found = [item for item in sources.of(key) if item.layer in layers]
        values = [(sources.value(item), item.layer) for item in found]
        for value, layer in values[1:]:
            if value.text and not values[0][0].text and layer is not values[0][1]:
                raise ConfigError(
                    f"{key} is set to nothing ({values[0][0].source}), which hides {value.source}.",
                    "Remove one of the two.",
                )


def _spec(parts: Parts) -> RemoteSpec | None:
    """The remote that one layer names, if it names one."""
    url, ref = parts.text(DB_URL), parts.text(PROJECT_ID)
    if ref:
        parse_ref(PROJECT_ID, ref, parts.source(PROJECT_ID))
    if url:
        return _by_url(parts)
    if ref:
        password = parts.text(DB_PASSWORD)
        return RemoteSpec("project", None, ref, password, parts.source(PROJECT_ID))
    return None


def _by_url(parts: Parts) -> RemoteSpec:
    source, ref = parts.source(DB_URL), parts.text(PROJECT_ID)
    endpoint = parse_url(parts.text(DB_URL), f"{DB_URL} ({source})")
    password = parts.text(DB_PASSWORD)
    if password and endpoint.password and password != endpoint.password:
        raise ConfigError(
            f"The password in {DB_URL} ({source}) is another than {DB_PASSWORD} ({parts.source(DB_PASSWORD)}).",
            f"Leave it out of {DB_URL}.",
        )
    if ref and ref != ref_of(endpoint):
        raise ConfigError(
            f"{DB_URL} ({source}) and {PROJECT_ID} ({parts.source(PROJECT_ID)}) name different remotes.",
            "Keep one of them.",
        )
    endpoint = endpoint.with_password(password or endpoint.password)
    return RemoteSpec("url", endpoint, ref_of(endpoint), endpoint.password, source)


def ref_of(endpoint: Endpoint) -> str:
    """The project's ref that a hosted database's address shows; empty for any other address.

    It is in the host of a direct connection and in the user of a pooled one
    (https://supabase.com/docs/guides/database/connecting-to-postgres).
    """
    match = _DIRECT_HOST.fullmatch(endpoint.host)
    if not match and _POOLER_HOST.fullmatch(endpoint.host):
        match = _POOLER_USER.fullmatch(endpoint.user)
    return match[1] if match else ""


def _refuse_mixture(given: list[Parts], specs: list[RemoteSpec | None]) -> None:
    """Every layer that says something of the remote has to say the same."""
    for parts, spec in zip(given[1:], specs[1:], strict=True):
        if _same(spec, specs[0], parts, given[0]):
            continue
        if spec and specs[0] and spec.label != specs[0].label:
            raise ConfigError(
                f"Two remotes are named: {specs[0].label} ({specs[0].source}) and {spec.label} ({spec.source}).",
                "Name it in one place.",
            )
        raise _mixture((*given[0].given, *parts.given))


def _same(one: RemoteSpec | None, two: RemoteSpec | None, *parts: Parts) -> bool:
    """Whether two layers say the same; their sources differ."""
    if one is None or two is None:
        texts = {part.text(DB_PASSWORD) for part in parts}
        return one is two and len(texts) == 1
    return (one.kind, one.endpoint, one.ref, one.password) == (
        two.kind, two.endpoint, two.ref, two.password,
    )  # fmt: skip


def _mixture(values: tuple[Value, ...]) -> ConfigError:
    where = ", ".join(f"{value.key} ({value.source})" for value in values)
    return ConfigError(
        f"Parts of one remote stand in different layers: {where}.",
        f"Put them side by side. To keep the password out of a file, write "
        f"{DB_PASSWORD}=${{MY_PASSWORD}} beside the remote and set MY_PASSWORD in the process "
        "environment.",
    )


def _linked(env: Environment, root: Path, passwords: tuple[Value, ...]) -> RemoteSpec | None:
    """The project that `supabase link` chose; it stands for the default environment only."""
    path = root / _LINKED
    if env.name != DEFAULT_ENV or not path.is_file():
        return None
    ref = path.read_text(encoding="utf-8", errors="replace").strip()
    password = passwords[0].text if passwords else ""
    parse_ref("The link", ref, _LINKED)
    return RemoteSpec("linked", None, ref, password, _LINKED)


def _require_files(sources: Sources, env: Environment, root: Path) -> None:
    """An environment that was named has to exist: as a file of its own, or as --env-file."""
    own = looked_for(root, env.name)
    exists = sources.asked_for or any(path.is_file() for path in own)
    if env.name != DEFAULT_ENV and not exists:
        names = ", ".join(str(path.relative_to(root)) for path in own)
        raise ConfigError(
            f"The environment {env.name} ({env.source}) has no file: looked for {names}.",
            f"Make one that sets {PROJECT_ID} or {DB_URL}, give --env-file, or try --env sandbox first.",
        )


def _why_none(blank: list[Value], env: Environment) -> str:
    if blank:
        where = ", ".join(f"{value.key} ({value.source})" for value in blank)
        return f"No remote is named: set to nothing are {where}."
    return f"No remote is named for the environment {env.name} ({env.source})."


def protection(sources: Sources, env: Environment, remote: RemoteSpec | None) -> tuple[bool, str]:
    """Whether the remote is protected, and what says so.

    `true` protects wherever it stands; `false` counts in the environment's own files only, so that
    neither a shell nor a shared file can open every environment at once.
    """
    ignored = ""
    for item in sources.of(PROTECTED):
        if env.name == SANDBOX and item.layer is not Layer.PROCESS:
            continue
        value = sources.value(item)
        if parse_bool(PROTECTED, value.text, value.source):
            return True, value.source
        if item.own:
            return False, value.source
        ignored = ignored or f"; {PROTECTED}=false ({value.source}) counts in .env.{env.name} only"
    if remote and remote.is_here:
        return False, "default: the remote is on this machine"
    return True, f"default: the remote is not on this machine{ignored}"
