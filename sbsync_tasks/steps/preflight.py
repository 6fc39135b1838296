"""The first look: both databases, their histories against the files, and what stops a run at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from .. import histories
from ..conflicts import Facts, is_another, renamed, squash
from ..databases.catalog import compare, told
from ..errors import ConfigError, RefusedError
from ..findings import own_transactions
from ..histories import Row, Verdict
from ..migrations import Folder, Migration, next_version
from ..supabase_cli import CliError
from .diff import listed
from .files import problems, read_files, refuse
from .run import Run, Work


def look(run: Run) -> Work:
    """Reach both databases, make sure that they are two, and read files and histories.

    Raises:
        ConfigError: both settings lead to one database.
    """
    refuse_one_database(run)
    _refuse_two_majors(run)
    folder = read_files(run)
    with run.local.connection() as connection:
        local_history = histories.read(connection)
    with run.remote.connection() as connection:
        remote_history = histories.read(connection)
    rows = histories.compare(folder, local_history, remote_history)
    run.claims.add(m.sql for m in folder.migrations)
    run.claims.add(
        r.text for row in rows for r in (row.local, row.remote) if r and not (row.file and r.matches(row.file))
    )
    return Work(folder, local_history, remote_history, rows)


def look_at_remote(run: Run) -> Work:
    """The same without the local database, which nobody asks: it counts as being where the remote is."""
    folder = read_files(run)
    with run.remote.connection() as connection:
        history = histories.read(connection)
    run.claims.add(m.sql for m in folder.migrations)
    run.claims.add(r.text for r in history.values())
    return Work(folder, history, history, histories.compare(folder, history, history))


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


def stop_local_to_remote(run: Run, work: Work) -> None:
    """Refuse what a push must not run into, all of it at once."""
    _refuse_squash(work)
    moved = _renamed(work)
    files = set(moved.values())
    late = [row for row in _late(work) if row.file not in files]
    refuse(
        [
            *_folder_problems(run, work.folder),
            *_transactions(row.file for row in work.rows if row.file and not row.remote),
            *_problems(work, Verdict.EDITED, _edited),
            *(_moved(version, file) for version, file in moved.items()),
            *(_missing(row) for row in work.rows_of(Verdict.MISSING) if row.version not in moved),
            *_problems(work, Verdict.LOCAL_ONLY, _local_only),
            *([] if run.options.reset else _problems(work, Verdict.LOCAL_STALE, _stale)),
            *([] if run.options.include_all else [_out_of_order(row, max(work.remote_history)) for row in late]),
        ]
    )
    if late:
        _prove_order(run, work, [row.file for row in late if row.file])


def _renamed(work: Work) -> dict[str, Migration]:
    """Versions that the remote has recorded, whose file has been given another version since."""
    found = renamed(Facts(work.folder, work.local_history, work.remote_history))
    return {version: file for version, file in found.items() if version in work.remote_history}


def _refuse_squash(work: Work) -> None:
    found = squash(work.rows)
    if found:
        raise RefusedError(found.what, "`invoke resolve` says what to do, and undoes nothing.")


def _late(work: Work) -> list[Row]:
    """Files that the remote has not had, older than the newest version that it has."""
    head = max(work.remote_history, default="")
    return [r for r in work.rows_of(Verdict.PENDING, Verdict.LOCAL_STALE) if not r.remote and r.version < head]


def _prove_order(run: Run, work: Work, late: list[Migration]) -> None:
    """Build both orders, and compare: the files' own, and the one in which the remote is going to have them.

    Raises:
        RefusedError: they lead to different schemas.
    """
    had = histories.as_migrations(work.remote_history, work.folder.migrations)
    taken, last = work.versions, list[Migration]()
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


def stop_remote_to_local(run: Run, work: Work) -> None:
    """Refuse what a pull must not build upon."""
    options = run.options
    if options.discard_local and not options.reset:
        raise ConfigError(
            "--discard-local and --no-reset contradict each other.",
            "Local changes are dropped by rebuilding the local database.",
        )
    if options.discard_local and options.keep_local:
        raise ConfigError("--keep-local and --discard-local contradict each other.", "Choose one.")
    _refuse_squash(work)
    refuse(
        [
            *_folder_problems(run, work.folder),
            *_transactions(row.file for row in work.rows if row.file and not row.remote),
            *_problems(work, Verdict.EDITED, _edited),
            *(_missing(row) for row in work.rows_of(Verdict.MISSING) if row.remote and row.remote.statements is None),
            *(_moved(version, file) for version, file in _renamed(work).items()),
            *([] if options.discard_local else _problems(work, Verdict.LOCAL_ONLY, _local_only)),
            *([] if options.reset else _problems(work, Verdict.LOCAL_STALE, _stale)),
        ]
    )


def _folder_problems(run: Run, folder: Folder) -> list[tuple[str, str]]:
    duplicates = [
        (
            f"Version {version} stands on more than one file in supabase/migrations.",
            "The CLI would apply the first and fail at the second: `invoke resolve` explains and cures this.",
        )
        for version in folder.duplicates
    ]
    return [*duplicates, *problems(run, folder)]


def _transactions(migrations: Iterable[Migration]) -> list[tuple[str, str]]:
    return [(problem, own_transactions.WAY_OUT) for m in migrations if (problem := own_transactions.problem(m))]


def refuse_transactions(migrations: Iterable[Migration]) -> None:
    """Stop before files are run that open or end transactions of their own.

    Raises:
        RefusedError: names the files and the lines.
    """
    refuse(_transactions(migrations))


def _problems(work: Work, verdict: Verdict, tell: Callable[[Row], tuple[str, str]]) -> list[tuple[str, str]]:
    return [tell(row) for row in work.rows_of(verdict)]


def _edited(row: Row) -> tuple[str, str]:
    if row.file and is_another(row.file, row.remote):
        return (
            f"The remote has had another migration as {row.version} than {row.file.file_name}.",
            "`invoke resolve` gives your file a later version, and brings the other one into the folder.",
        )
    return (
        f"Migration {row.version} ({row.name}) was edited after the remote had it.",
        "A push would never bring the edit there: `invoke resolve` shows what differs, and restores the file.",
    )


def _moved(version: str, file: Migration) -> tuple[str, str]:
    return (
        f"The remote has recorded {version}, and its file is called {file.file_name} now.",
        "It would be applied once more: `invoke resolve` gives it back the version that the remote has.",
    )


def _missing(row: Row) -> tuple[str, str]:
    what = f"The remote has recorded {row.version} ({row.name or 'without a name'}), and there is no file of it."
    if row.remote and row.remote.statements is None:
        return (what, "Its statements were not recorded: `invoke resolve` looks for its file, and says what to do.")
    return (
        what,
        "`invoke resolve` says whose it is and brings the file back; `invoke remote-to-local` also adopts it.",
    )


def _local_only(row: Row) -> tuple[str, str]:
    return (
        f"The local database has recorded {row.version} ({row.name or 'without a name'}), and there is no file of it.",
        "`invoke resolve` says where it comes from and brings the file back; `invoke reset` rebuilds the local "
        "database without it (it is backed up first).",
    )


def _stale(row: Row) -> tuple[str, str]:
    return (
        f"Migration {row.version} ({row.name}) was edited after it was applied locally.",
        "The local database has to be rebuilt for that: leave --no-reset out.",
    )


def _out_of_order(row: Row, head: str) -> tuple[str, str]:
    return (
        f"Migration {row.version} ({row.name}) is older than the newest one that the remote has had ({head}).",
        "The remote would have it out of order: `invoke resolve` gives it a later version; --include-all pushes it as "
        "it is, where the order does not matter.",
    )
