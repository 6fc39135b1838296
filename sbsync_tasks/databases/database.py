"""One type for every kind of database: how it is opened (settings say which, ours are started) and pushed to.

A hosted project's addresses, ports and the pooler's modes:
https://supabase.com/docs/guides/database/connecting-to-postgres
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, Unpack

from ..endpoint import DEFAULT_PORT, Endpoint, parse_url
from ..errors import ConfigError, MissingToolError
from ..settings import RemoteSpec, Settings, ref_of
from ..settings.keys import DB_PASSWORD, DB_URL, PROJECT_ID
from ..state import histories
from ..state.migrations import Migration
from ..supabase_cli import RECORDED, CliError, Pushed, PushOptions, SupabaseCli
from .connection import connection_to
from .failures import explained

if TYPE_CHECKING:
    import psycopg

    from .embedded import Clusters
    from .stack import Stack

Side = Literal["local", "remote", "shadow"]
Install: TypeAlias = Callable[[int], bool]
"""Asks the user, and installs an embedded server of a major version that is missing; False where it did not."""

# The embedded databases of a project, by what they are for.
LOCAL, SANDBOX_LOCAL, SANDBOX_REMOTE = "local", "sandbox-local", "sandbox-remote"
RESTORED = "restored"  # the scratch database that holds a backup
DEFAULT_ENVIRONMENT = "development"
# Written by `supabase link`: the session pooler's URL, without a password.
POOLER_URL = "supabase/.temp/pooler-url"
PLACEHOLDER = ":[YOUR-PASSWORD]@"
TRANSACTION_PORT = 6543
ENCRYPTED = {"sslmode": "require"}


@dataclass(frozen=True)
class Identity:
    """Who answers at the other end, as the server itself says; two are equal where they are one database.

    Attributes:
        system: The cluster's system identifier.
        started: When the server was started; tells copies of one cluster apart.
        database: The name of the database.
        major: PostgreSQL's major version.
        version: PostgreSQL's version as it is shown, such as 17.10.
    """

    system: str
    started: str
    database: str
    major: int = field(compare=False)
    version: str = field(compare=False)


@dataclass(frozen=True)
class Database:
    """A database of a run.

    Attributes:
        side: Which part it plays: local, remote or shadow.
        kind: embedded, url, stack, project or linked; how it is rebuilt depends on it.
        endpoint: Where it listens, with its password.
        name: What it is called on screen: local, remote, or the environment's name.
        label: The same with where it is; never holds a password.
        cluster: Its name among the embedded servers of the project, where it is one of them.
    """

    side: Side
    kind: str
    endpoint: Endpoint
    name: str
    label: str
    cluster: str = ""

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection[Any]]:
        """A connection of one's own for the length of the block, kept afterwards; see `connection_to`.

        Raises:
            NoConnectionError: the server cannot be reached; the message says why.
        """
        with connection_to(self.endpoint, self.label) as connection:
            yield connection

    def history(self) -> histories.History:
        """What it has recorded, at this moment."""
        with self.connection() as connection:
            return histories.read(connection)

    def identity(self) -> Identity:
        """Ask the server who it is."""
        with self.connection() as connection:
            return identity(connection)

    @contextmanager
    def at_one_moment(self) -> Iterator[psycopg.Connection[Any]]:
        """The same, to read from alone: what is asked within the block is told of one moment.

        Raises:
            NoConnectionError: as `connection`.
        """
        with self.connection() as connection, connection.transaction(force_rollback=True):
            connection.execute("set transaction isolation level repeatable read, read only")
            yield connection


def identity(connection: psycopg.Connection[Any]) -> Identity:
    """Ask the server at the other end who it is."""
    [row] = connection.execute(
        "select (select system_identifier::text from pg_control_system()),"
        " extract(epoch from pg_postmaster_start_time())::text, current_database()::text,"
        " current_setting('server_version_num')::int / 10000, split_part(current_setting('server_version'), ' ', 1)"
    ).fetchall()
    return Identity(*row)


def push(
    cli: SupabaseCli,
    endpoint: Endpoint,
    label: str,
    migrations: Sequence[Migration],
    expected: Sequence[Migration],
    *,
    fresh: bool = False,
    **options: Unpack[PushOptions],
) -> Pushed:
    """Push, and read the history back: the CLI also says that all is well where it has recorded nothing.

    Args:
        cli: The CLI.
        endpoint: The database.
        label: What the database is called on screen.
        migrations: All the migrations that the CLI is to know of.
        expected: Those of them that the database has not had; of the others the CLI gets the names alone.
        fresh: It holds nothing but what the files make: whatever fails there is the files' fault.
        options: What `SupabaseCli.push` takes besides.

    Raises:
        FileFailedError: a file failed: which, where in it, on what, and the way out.
        CliError: the push failed otherwise, or did not do what it says.
    """
    wanted = {m.version for m in expected}
    seen = [m if m.version in wanted else replace(m, sql=RECORDED) for m in migrations]
    with explained(migrations, label, fresh=fresh):
        done = cli.push(endpoint, seen, **options)
    done.refuse_left_out(expected)
    read_back(endpoint, label, expected, migrations)
    return done


def read_back(
    endpoint: Endpoint, label: str, expected: Sequence[Migration], migrations: Iterable[Migration] = ()
) -> None:
    """See that a database has recorded what was to be pushed to it.

    Of a file that ends inside of a transaction of its own, the CLI reports it and all later ones as applied
    (supabase/cli#5047, measured with 2.122.1 and 3.1.0), and none of them is.

    The migrations are what is to be recorded after that, in whatever words.

    Raises:
        CliError: a migration is not recorded, no longer, or with other statements than its file has.
        NoConnectionError: the database does not answer any more.
    """
    with connection_to(endpoint, label) as connection:
        history = histories.read(connection)
    lacking = [m for m in expected if m.version not in history or not history[m.version].matches(m)]
    if lacking:
        names = ", ".join(m.file_name for m in lacking)
        raise CliError(
            f"The CLI gave no error, and {label} has not recorded {names} as it was sent.",
            f"A statement in {lacking[0].file_name}, or in what it calls, opens or ends a transaction (BEGIN, COMMIT, "
            "ROLLBACK) or changes the history: take it out, then run again.",
        )
    gone = [m.file_name for m in migrations if m.version not in history]
    if gone:
        culprit = " or ".join(m.file_name for m in expected) or "a seed file"
        raise CliError(
            f"{label} no longer has {', '.join(gone)} in its history.",
            f"A statement in {culprit}, or in what it calls, changes the history: take it out, then run again.",
        )


def install_nothing(_major: int) -> bool:
    """For whoever does not want a missing server to be installed."""
    return False


def open_remote(settings: Settings, install: Install = install_nothing) -> Database:
    """The remote database that the environment's settings name.

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


def open_local(
    settings: Settings,
    stack: Stack,
    major: Callable[[], int | None] = lambda: None,
    install: Install = install_nothing,
) -> Database:
    """The local database; an embedded one is started.

    Args:
        settings: Of the run.
        stack: The CLI's local stack, which is asked where it is the local database.
        major: Asked for the major version that an embedded database is to have, where it is yet to be made.
        install: Asked for an embedded server that is missing.

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


def clusters_of(settings: Settings, major: int | None = None, install: Install = install_nothing) -> Clusters:
    """The embedded servers of the project."""
    from .embedded import Clusters
    from .embedded.base import asked_for
    from .embedded.binaries import find_or_install

    wanted = asked_for(settings.root)
    return Clusters(settings.root, find_or_install(major, settings.pg_bindir, install, wanted))


def _embedded(settings: Settings, side: Side, name: str, major: Callable[[], int | None], install: Install) -> Database:
    """An embedded database, by a server of the major version that made it, where it exists."""
    from .embedded import made_by

    maker = made_by(settings.root, name)
    try:
        clusters = clusters_of(settings, maker or major(), install)
    except MissingToolError as error:
        if maker is None:
            raise
        raise MissingToolError(
            f"The embedded database {name} was made by PostgreSQL {maker}. {error.message}", error.hint
        ) from None
    endpoint = clusters.start(name)
    shown = "local" if side == "local" else _remote_name(settings)
    return Database(side, "embedded", endpoint, shown, f"{shown} (embedded PostgreSQL, port {endpoint.port})", name)


def _projects_major(settings: Settings, install: Install) -> int | None:
    """The major version that config.toml says the project has, where a server of it can be had."""
    from .embedded.binaries import find_or_install

    major = settings.config.number("db", "major_version")
    try:
        return major if major and find_or_install(major, settings.pg_bindir, install) else None
    except MissingToolError:
        return None


def _remote_name(settings: Settings) -> str:
    return "remote" if settings.env == DEFAULT_ENVIRONMENT else settings.env


def by_ref(spec: RemoteSpec, root: Path) -> Endpoint:
    """Where the database of a project listens that is named by its ref.

    That is the direct connection; where this machine has no way to it (it has an IPv6 address only) and the project
    was linked, it is the session pooler that `supabase link` noted.

    Raises:
        ConfigError: there is no password.
    """
    if not spec.password:
        linked = spec.kind == "linked"
        where = "in .env.local or in the process environment" if linked else f"beside {PROJECT_ID}, in the same place"
        raise ConfigError(
            f"The project {spec.ref} ({spec.source}) is named without its database password. Without it there is no "
            "backup, no comparison with what the database holds, and no lock against a second run: nothing was "
            "started.",
            f"Set {DB_PASSWORD} {where}; the dashboard's database settings can set a new one.",
        )
    direct = Endpoint(f"db.{spec.ref}.supabase.co", DEFAULT_PORT, "postgres", "postgres", spec.password, ENCRYPTED)
    if has_route(direct):
        return direct
    pooler = saved_pooler(root, spec.ref)
    return replace(pooler, password=spec.password) if pooler else direct


def has_route(endpoint: Endpoint) -> bool:
    """Whether this machine knows a way to one of the host's addresses.

    Nothing is sent to it: a socket of datagrams is connected without.
    """
    with suppress(OSError):
        for family, kind, _, _, address in socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_DGRAM):
            with suppress(OSError), socket.socket(family, kind) as probe:
                probe.connect(address)
                return True
    return False


def saved_pooler(root: Path, ref: str) -> Endpoint | None:
    """The session pooler of this very project as `supabase link` noted it; None without such a note."""
    try:
        text = (root / POOLER_URL).read_text(encoding="utf-8", errors="replace").strip().replace(PLACEHOLDER, "@")
        noted = parse_url(text, POOLER_URL)
    except (OSError, ConfigError):
        return None
    return replace(noted, port=DEFAULT_PORT, options=ENCRYPTED) if ref_of(noted) == ref else None


def by_url(endpoint: Endpoint, root: Path, source: str) -> Endpoint:
    """The place that a URL names, made fit for programs that run in other folders; to a hosted one only encrypted.

    The path in `sslrootcert` is relative to the project's root; the source is where the URL stands.

    Raises:
        ConfigError: it is a pooler in transaction mode, or the file of `sslrootcert` is not there.
    """
    # Supabase's poolers listen on that port for it; the user of a shared one is `postgres.` and the project.
    if endpoint.port == TRANSACTION_PORT and ("." in endpoint.user or ref_of(endpoint)):
        raise ConfigError(
            f"{DB_URL} ({source}) leads to the pooler in transaction mode (port {TRANSACTION_PORT}): the lock that "
            "keeps two runs apart, and settings such as lock_timeout, do not hold there.",
            f"Use the session mode, the shared pooler's URL with port {DEFAULT_PORT}, or the direct connection.",
        )
    options = dict(ENCRYPTED if ref_of(endpoint) else {}) | dict(endpoint.options)
    if "sslrootcert" in options:
        path = root / Path(options["sslrootcert"]).expanduser()
        if not path.is_file():
            raise ConfigError(
                f"sslrootcert in {DB_URL} ({source}) names no file: {path}.",
                "Name the file with the authority's certificate, from the project's root on; the Supabase CLI reads "
                "nothing else (`system` neither).",
            )
        options["sslrootcert"] = str(path)
    return replace(endpoint, options=options)


def migrations_page(ref: str) -> str:
    """The dashboard's page with a project's applied migrations."""
    return f"https://supabase.com/dashboard/project/{ref}/database/migrations"
