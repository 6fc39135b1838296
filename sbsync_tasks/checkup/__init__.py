"""`invoke doctor`: what it looks at, and what a check has to say; `examine` makes the checks."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, TypeVar

from ..console import Console
from ..databases.database import SANDBOX_REMOTE, Database, Identity, clusters_of, local_cluster, open_local
from ..errors import ConfigError, SbsyncError
from ..run.session import Run
from ..settings import Settings
from ..settings.keys import PG_BINDIR, SUPABASE_BIN
from ..supabase_cli import Binary, find

T = TypeVar("T")
# Who connects, and whether objects can be made as `postgres`, the owner of everything on the platform.
WHO = """
select current_user,
  exists (select from pg_roles where rolname = 'postgres' and pg_has_role(current_user, oid, 'member'))
"""


@dataclass(frozen=True)
class Check:
    """One line of the report: what was found, and what to do about it, if anything. Only an `error` is fatal."""

    level: Literal["ok", "warning", "error"]
    what: str
    fix: str = ""


@dataclass(frozen=True)
class Server:
    """A database that answered: as whom we are connected, whether that is `postgres` or a member of it, and by TLS."""

    database: Database
    identity: Identity
    user: str
    is_postgres: bool
    encrypted: bool


@dataclass
class Subject:
    """What is examined: tools are run and databases asked at most once, and nothing is installed or started.

    Attributes:
        root: The project's root.
        console: Shows the lines.
        resolved: The settings, or why they cannot be resolved.
        env_files: The paths of `--env-file`.
        no_project: Why `root` is only the working directory, where that is so.
    """

    root: Path
    console: Console
    resolved: Settings | SbsyncError
    env_files: Sequence[str] = ()
    no_project: ConfigError | None = None

    @property
    def settings(self) -> Settings | None:
        """The settings; None where they cannot be resolved."""
        return self.resolved if isinstance(self.resolved, Settings) else None

    @property
    def pg_bindir(self) -> str:
        """`SBSYNC_PG_BINDIR`; where the settings cannot be resolved, what the process environment says."""
        return self.settings.pg_bindir if self.settings else os.environ.get(PG_BINDIR, "")

    @cached_property
    def cli(self) -> Binary | SbsyncError:
        """The Supabase CLI, or why there is none; it is never installed for this."""
        setting = self.settings.supabase_bin if self.settings else os.environ.get(SUPABASE_BIN, "")
        return attempt(lambda: find(self.root, setting, lambda: False))

    @cached_property
    def run(self) -> Run:
        """A run with these settings."""
        return Run(required(self.resolved), self.console)

    @cached_property
    def remote(self) -> Server | SbsyncError | None:
        """The remote; None where there is none, or an embedded one is not running."""
        settings = self.run.settings
        return attempt(lambda: _look(self.run.remote) if _is_up(settings, remote_cluster(settings)) else None)

    @cached_property
    def local(self) -> Server | SbsyncError | None:
        """The local database; None where it is an embedded one and not running."""
        settings, stack = self.run.settings, self.run.stack
        return attempt(
            lambda: _look(open_local(settings, stack)) if _is_up(settings, local_cluster(settings)) else None
        )

    @property
    def servers(self) -> list[Server]:
        """The databases that answered."""
        found = (self.remote, self.local) if self.settings else ()
        return [server for server in found if isinstance(server, Server)]


def attempt(work: Callable[[], T]) -> T | SbsyncError:
    """The work's result, or as a value the error that a user would see."""
    import psycopg

    try:
        return work()
    except SbsyncError as error:
        return error
    except (OSError, psycopg.Error) as error:
        lines = str(error).strip().splitlines() or ["no details"]
        return SbsyncError(f"{type(error).__name__}: {lines[0]}")


def required(found: T | SbsyncError) -> T:
    """What was found; an error that stands for it is raised."""
    if isinstance(found, SbsyncError):
        raise found
    return found


def remote_cluster(settings: Settings) -> str:
    """The embedded database that is the remote; empty where it is none."""
    return SANDBOX_REMOTE if settings.remote and settings.remote.kind == "sandbox" else ""


def _is_up(settings: Settings, cluster: str) -> bool:
    """Whether a database may be connected to without starting a server of ours."""
    return not cluster or clusters_of(settings).running(cluster)


def _look(database: Database) -> Server:
    identity = database.identity()
    with database.connection() as connection:
        user, is_postgres = connection.execute(WHO).fetchone() or ("", False)
        # libpq's word: behind a pooler pg_stat_ssl tells of the pooler's own connection to the server.
        encrypted = bool(connection.pgconn.ssl_in_use)
    return Server(database, identity, str(user), bool(is_postgres), encrypted)
