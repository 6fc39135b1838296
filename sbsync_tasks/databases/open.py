"""From settings to databases: which servers a run means, started where they are ours to start.

A hosted project's addresses, ports and the pooler's modes:
https://supabase.com/docs/guides/database/connecting-to-postgres
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..endpoint import DEFAULT_PORT, Endpoint, parse_url
from ..errors import ConfigError, MissingToolError
from ..settings import RemoteSpec, Settings, ref_of
from ..settings.keys import DB_PASSWORD, DB_URL, PROJECT_ID
from .database import Database, Side

if TYPE_CHECKING:
    from .embedded import Clusters
    from .stack import Stack

# The embedded databases of a project, by what they are for.
LOCAL, SANDBOX_LOCAL, SANDBOX_REMOTE = "local", "sandbox-local", "sandbox-remote"
RESTORED = "restored"  # the scratch database that holds a backup
DEFAULT_ENVIRONMENT = "development"


def open_remote(settings: Settings, install: Callable[[int], bool] = lambda _major: False) -> Database:
    """The remote database that the environment's settings name.

    Args:
        settings: The run's settings.
        install: As for `open_local`.

    Raises:
        ConfigError: nothing is named, a project without its password, or a place that cannot be worked with.
    """
    spec = settings.required_remote()
    if spec.kind == "sandbox":
        return _embedded(settings, "remote", SANDBOX_REMOTE, lambda: _projects_major(settings, install), install)
    endpoint = by_url(spec.endpoint, settings.root, spec.source) if spec.endpoint else by_ref(spec, settings.root)
    name = _remote_name(settings)
    where = f"project {spec.ref}, {endpoint.host}:{endpoint.port}" if spec.ref else endpoint.label
    return Database("remote", spec.kind, endpoint, name, f"{name} ({where})")


def _projects_major(settings: Settings, install: Callable[[int], bool]) -> int | None:
    """The major version that config.toml says the project has, where a server of it can be had."""
    from .embedded import find_or_install

    major = settings.config.number("db", "major_version")
    try:
        return major if major and find_or_install(major, settings.pg_bindir, install) else None
    except MissingToolError:
        return None


def any_major() -> None:
    """For an embedded database whose major version nothing prescribes."""


def install_nothing(_major: int) -> bool:
    """For whoever does not want a missing server to be installed."""
    return False


def open_local(
    settings: Settings,
    stack: Stack,
    major: Callable[[], int | None] = any_major,
    install: Callable[[int], bool] = install_nothing,
) -> Database:
    """The local database; an embedded one is started.

    Args:
        settings: The run's settings.
        stack: The CLI's local stack, which is asked where it is the local database.
        major: Asked for the major version that an embedded database is to have, where it is yet to be made.
        install: Asks the user, and installs an embedded server of a major version that is missing.

    Raises:
        MissingToolError: there is no Docker engine to run the stack.
        SbsyncError: the stack is not running.
    """
    spec = settings.local
    if spec.kind == "embedded":
        return _embedded(settings, "local", local_cluster(settings), major, install)
    endpoint = spec.endpoint or stack.endpoint()
    return Database("local", spec.kind, endpoint, "local", f"local ({spec.kind}, {endpoint.label})")


def local_cluster(settings: Settings) -> str:
    """The embedded database that is the local one; empty where it is none."""
    if settings.local.kind != "embedded":
        return ""
    sandbox = settings.remote is not None and settings.remote.kind == "sandbox"
    return SANDBOX_LOCAL if sandbox else LOCAL


def _remote_name(settings: Settings) -> str:
    return "remote" if settings.env == DEFAULT_ENVIRONMENT else settings.env


def clusters_of(
    settings: Settings, major: int | None = None, install: Callable[[int], bool] = install_nothing
) -> Clusters:
    """The embedded servers of the project."""
    from .embedded import Clusters, asked_for, find_or_install

    wanted = asked_for(settings.root)
    return Clusters(settings.root, find_or_install(major, settings.pg_bindir, install, wanted))


def _embedded(
    settings: Settings,
    side: Side,
    name: str,
    major: Callable[[], int | None] = any_major,
    install: Callable[[int], bool] = install_nothing,
) -> Database:
    endpoint = _clusters_for(settings, name, major, install).start(name)
    shown = "local" if side == "local" else _remote_name(settings)
    label = f"{shown} (embedded PostgreSQL, port {endpoint.port})"
    return Database(side, "embedded", endpoint, shown, label, name)


def _clusters_for(
    settings: Settings, name: str, major: Callable[[], int | None], install: Callable[[int], bool]
) -> Clusters:
    """The servers that can start an embedded database: of the major version that made it, where it exists."""
    from .embedded import made_by

    maker = made_by(settings.root, name)
    try:
        return clusters_of(settings, maker or major(), install)
    except MissingToolError as error:
        if maker is None:
            raise
        raise MissingToolError(
            f"The embedded database {name} was made by PostgreSQL {maker}. {error.message}", error.hint
        ) from None


# Written by `supabase link`: the session pooler's URL, without a password.
POOLER_URL = "supabase/.temp/pooler-url"
PLACEHOLDER = ":[YOUR-PASSWORD]@"
TRANSACTION_PORT = 6543
ENCRYPTED = {"sslmode": "require"}


def by_ref(spec: RemoteSpec, root: Path) -> Endpoint:
    """Where the database of a project listens that is named by its ref.

    That is the direct connection; where this machine has no way to it (it has an IPv6 address only) and the project
    was linked, it is the session pooler that `supabase link` noted.

    Raises:
        ConfigError: there is no password.
    """
    if not spec.password:
        raise _no_password(spec)
    direct = Endpoint(f"db.{spec.ref}.supabase.co", DEFAULT_PORT, "postgres", "postgres", spec.password, ENCRYPTED)
    if has_route(direct):
        return direct
    pooler = saved_pooler(root, spec.ref)
    return pooler.with_password(spec.password) if pooler else direct


def has_route(endpoint: Endpoint) -> bool:
    """Whether this machine knows a way to one of the host's addresses; nothing is sent to it."""
    try:
        found = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_DGRAM)
    except OSError:
        return False
    return any(_routed(family, address) for family, _, _, _, address in found)


def _routed(family: int, address: tuple[str | int, ...] | tuple[int, bytes]) -> bool:
    """Whether a datagram could be sent; to connect a socket of datagrams sends none."""
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect(address)
    except OSError:
        return False
    return True


def saved_pooler(root: Path, ref: str) -> Endpoint | None:
    """The session pooler of this very project as `supabase link` noted it; None without such a note."""
    path = root / POOLER_URL
    if not path.is_file():
        return None
    text = path.read_text(encoding="utf-8", errors="replace").strip().replace(PLACEHOLDER, "@")
    try:
        noted = parse_url(text, POOLER_URL)
    except ConfigError:
        return None
    if ref_of(noted) != ref:
        return None
    return replace(noted, port=DEFAULT_PORT, options=ENCRYPTED)


def by_url(endpoint: Endpoint, root: Path, source: str) -> Endpoint:
    """The place that a URL names, made fit for programs that run in other folders; to a hosted one only encrypted.

    Args:
        endpoint: As the URL says.
        root: The project's root; the path in `sslrootcert` is relative to it.
        source: Where the URL stands.

    Raises:
        ConfigError: it is a pooler in transaction mode, or the file of `sslrootcert` is not there.
    """
    _refuse_transaction_mode(endpoint, source)
    options = dict(ENCRYPTED if ref_of(endpoint) else {}) | dict(endpoint.options)
    if "sslrootcert" in options:
        options["sslrootcert"] = _certificate(root, options["sslrootcert"], source)
    return replace(endpoint, options=options)


def _refuse_transaction_mode(endpoint: Endpoint, source: str) -> None:
    """Supabase's poolers listen on port 6543 for it; the user of a shared one is `postgres.` and the project."""
    pooled = "." in endpoint.user or ref_of(endpoint)
    if endpoint.port == TRANSACTION_PORT and pooled:
        raise ConfigError(
            f"{DB_URL} ({source}) leads to the pooler in transaction mode (port {TRANSACTION_PORT}): the lock that "
            "keeps two runs apart, and settings such as lock_timeout, do not hold there.",
            f"Use the session mode, the shared pooler's URL with port {DEFAULT_PORT}, or the direct connection.",
        )


def _certificate(root: Path, name: str, source: str) -> str:
    path = root / Path(name).expanduser()
    if not path.is_file():
        raise ConfigError(
            f"sslrootcert in {DB_URL} ({source}) names no file: {path}.",
            "Name the file with the authority's certificate, from the project's root on; the Supabase CLI reads "
            "nothing else (`system` neither).",
        )
    return str(path)


def migrations_page(ref: str) -> str:
    """The dashboard's page with a project's applied migrations."""
    return f"https://supabase.com/dashboard/project/{ref}/database/migrations"


def _no_password(spec: RemoteSpec) -> ConfigError:
    linked = spec.kind == "linked"
    where = "in .env.local or in the process environment" if linked else f"beside {PROJECT_ID}, in the same place"
    return ConfigError(
        f"The project {spec.ref} ({spec.source}) is named without its database password. Without it there is no "
        "backup, no comparison with what the database holds, and no lock against a second run: nothing was started.",
        f"Set {DB_PASSWORD} {where}; the dashboard's database settings can set a new one.",
    )
