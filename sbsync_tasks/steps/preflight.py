"""The first look: both databases, and their histories against the files."""

from __future__ import annotations

from collections.abc import Collection

from ..databases import Database
from ..databases.catalog import compare, read_catalog, told
from ..databases.database import identity
from ..errors import ConfigError, NoConnectionError, RefusedError
from ..plan.model import Facts
from ..state import Side, State, histories
from ..state.histories import Status
from ..state.migrations import Migration, next_version
from ..supabase_cli import CliError
from .diff import listed
from .files import read_files, way_out
from .run import Run

BOTH = ("local", "remote")


def look(run: Run, sides: Collection[str] = BOTH) -> State:
    """Read the files, and each database that is asked for at one moment.

    Raises:
        ConfigError: both settings lead to one database, or to two major versions.
    """
    if set(sides) == set(BOTH):
        refuse_one_database(run)
        _refuse_two_majors(run)
    folder = read_files(run)
    state = State.of(folder, {side: _read(run, run.database(side)) for side in sides})
    run.claims.add(m.sql for m in folder.migrations)
    run.claims.add(
        r.text for row in state.rows for r in (row.local, row.remote) if r and not (row.file and r.matches(row.file))
    )
    return state


def _read(run: Run, database: Database) -> Side:
    with database.at_one_moment() as connection:
        return Side(
            histories.read(connection), read_catalog(connection, run.settings.schemas), identity(connection)
        )  # fmt: skip


def facts(run: Run, state: State) -> Facts:
    """What conflicts between files and histories are found from."""
    root, folder = run.settings.root, state.folder
    ways = {s.name: way_out(root, folder, s) for s in folder.misnamed}
    return Facts(folder, state.local_history, state.remote_history, run.remote.name, ways=ways)


def refuse_one_database(run: Run) -> None:
    """Local and remote have to be two databases, whatever they are called: the servers are asked.

    Raises:
        ConfigError: they are one.
    """
    remote, local = run.remote_identity, run.local_identity
    if remote.same_database(local):
        raise ConfigError(
            f"{run.local.label} and {run.remote.label} are the same database (system {remote.system}, "
            f"database {remote.database}).",
            "Local and remote have to differ: check SBSYNC_LOCAL and the remote of this environment.",
        )


def major_to_be(run: Run) -> int:
    """The major version that the local database is to have afterwards, once it is sure that it is not the remote.

    Raises:
        ConfigError: local and remote are one database.
        NoConnectionError: the remote does not answer, and the local database is not one that is ours by its making.
    """
    if run.settings.remote is None:
        return run.local_identity.major
    try:
        remote = run.remote_identity
    except NoConnectionError as error:
        if run.local.kind == "url":
            raise
        run.console.say(f"{error.message} {run.local.label} is rebuilt without it.", "warning")
        return run.local_identity.major
    refuse_one_database(run)
    return remote.major if run.local.kind == "embedded" else run.local_identity.major


def _refuse_two_majors(run: Run) -> None:
    """Two major versions describe the same schema differently: what is proved on one says little of the other.

    Raises:
        ConfigError: the databases are of two major versions.
    """
    remote, local = run.remote_identity, run.local_identity
    if remote.major != local.major:
        raise ConfigError(
            f"{run.local.name} is PostgreSQL {local.major}, and {run.remote.name} is PostgreSQL {remote.major}.",
            _TO_ANOTHER_MAJOR[run.local.kind].format(remote.major),
        )


_TO_ANOTHER_MAJOR = {
    "embedded": "`invoke reset` rebuilds the local database with PostgreSQL {0}, after a backup.",
    "stack": "Use {0} locally: `major_version = {0}` under [db] in supabase/config.toml, then restart the stack.",
    "url": "Let SBSYNC_LOCAL name a PostgreSQL {0}.",
}


def prove_order(run: Run, state: State) -> None:
    """Build both orders, and compare: the files' own, and the one in which the remote is going to have them.

    Raises:
        RefusedError: they lead to different schemas.
    """
    late = _late(state)
    if not late:
        return
    had = histories.as_migrations(state.remote_history, state.folder.migrations)
    taken, last = state.versions, list[Migration]()
    for migration in late:
        version = next_version([*taken, *(m.version for m in last)]) or ""
        last.append(Migration(version, migration.name, migration.sql))
    major = run.remote_identity.major
    try:
        here, there = (run.shadow((*had, *order), major) for order in (late, last))
    except CliError as error:
        raise RefusedError(
            f"The order matters: not every migration can be applied in both. {error.message}",
            "`invoke resolve` gives these files later versions.",
        ) from None
    left = compare(run.catalog(here), run.catalog(there), run.claims, ("files' order", "remote's order"))
    if not left:
        names = ", ".join(m.file_name for m in late)
        run.console.say(f"{names}: the schema is the same in both orders (rows are not compared)", "note")
    else:
        raise RefusedError(
            "The order matters: applied after the later ones, these files lead to another schema:\n"
            + listed(told(left)),
            "`invoke resolve` gives them later versions.",
        )


def _late(state: State) -> list[Migration]:
    """Files that the remote has not had, older than the newest version that it has."""
    head = max(filter(str.isdigit, state.remote_history), default="")
    rows = state.rows_of(Status.PENDING, Status.LOCAL_STALE)
    return [row.file for row in rows if row.file and not row.remote and row.version < head]
