"""From settings to databases: which servers a run means, started where they are ours to start."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..errors import MissingToolError
from ..settings import Settings
from .database import Database, Side
from .hosted import by_ref, by_url

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
