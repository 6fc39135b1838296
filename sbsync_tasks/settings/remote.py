"""Which remote the settings name. One rule: the first layer that sets any part of it is the remote.

What another layer says of it has to be the same, or nothing: a remote is never put together from several places.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ..endpoint import Endpoint, parse_url
from ..errors import ConfigError
from ..platform import DIRECT_HOST
from .keys import (
    DB_PASSWORD,
    DB_URL,
    EXPECT,
    IDENTITY,
    LOCAL,
    PROJECT_ID,
    PROTECTED,
    Layer,
    Value,
    boolean,
    project_ref,
)
from .layers import DEFAULT_ENV, SANDBOX, Environment, Layers, candidates

_LINKED = "supabase/.temp/project-ref"
_POOLER_HOST = re.compile(r"[\w.-]+\.pooler\.supabase\.\w+")
_POOLER_USER = re.compile(r"\w+\.([a-z]{20})")


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


def find_remote(layers: Layers, env: Environment, root: Path) -> RemoteSpec | str:
    """The remote that is named, or the sentence that says why there is none.

    Args:
        layers: Every place that sets something.
        env: The chosen environment.
        root: The project's root, for the link and for the files that were looked for.

    Raises:
        ConfigError: a value is bad, layers disagree, or the environment has no files at all.
    """
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
        for key, value in layers.within(layer, (DB_URL, PROJECT_ID, EXPECT, LOCAL)).items():
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
        project_ref(ref)
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
    endpoint = endpoint.with_password(_text(password) or endpoint.password)
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
    ref = project_ref(Value("The link", path.read_text(encoding="utf-8", errors="replace").strip(), _LINKED))
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


def protection(layers: Layers, env: Environment, remote: RemoteSpec | None) -> Value:
    """Whether the remote is protected (`true` or `false`), and what says so.

    `true` protects wherever it stands; `false` counts in the environment's own files only, so that
    neither a shell nor a shared file can open every environment at once.
    """
    ignored = ""
    for written in layers.of(PROTECTED):
        if env.name == SANDBOX and written.layer is not Layer.PROCESS:
            continue
        value = layers.value(written)
        if boolean(value):
            return Value(PROTECTED, "true", value.source)
        if value.own:
            return Value(PROTECTED, "false", value.source)
        ignored = ignored or f"; {PROTECTED}=false ({value.source}) counts in .env.{env.name} only"
    if remote and remote.is_here:
        return Value(PROTECTED, "false", "default: the remote is on this machine")
    return Value(PROTECTED, "true", f"default: the remote is not on this machine{ignored}")
