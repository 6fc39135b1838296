"""The first look: both databases, their histories against the files, and what stops a run at once."""

from __future__ import annotations

from collections.abc import Callable

from .. import histories
from ..errors import ConfigError, RefusedError
from ..histories import Row, Verdict
from ..migrations import Folder, read_folder
from .run import Run, Work


def look(run: Run) -> Work:
    """Reach both databases, make sure that they are two, and read files and histories.

    Raises:
        ConfigError: both settings lead to one database.
    """
    remote, local = run.remote_identity, run.local_identity
    if remote.same_database(local):
        raise ConfigError(
            f"{run.local.label} and {run.remote.label} are the same database (system {remote.system}, "
            f"database {remote.database}).",
            "Local and remote have to differ: check SBSYNC_LOCAL and the remote of this environment.",
        )
    folder = read_folder(run.settings.root)
    with run.local.connection() as connection:
        local_history = histories.read(connection)
    with run.remote.connection() as connection:
        remote_history = histories.read(connection)
    rows = histories.compare(folder, local_history, remote_history)
    return Work(folder, local_history, remote_history, rows)


def stop_local_to_remote(run: Run, work: Work) -> None:
    """Refuse what a push must not run into, all of it at once."""
    head = max(work.remote_history, default="")
    late = [r for r in work.rows_of(Verdict.PENDING, Verdict.LOCAL_STALE) if not r.remote and r.version < head]
    _refuse(
        [
            *_folder_problems(work.folder),
            *_problems(work, Verdict.EDITED, _edited),
            *_problems(work, Verdict.MISSING, _missing),
            *_problems(work, Verdict.LOCAL_ONLY, _local_only),
            *([] if run.options.reset else _problems(work, Verdict.LOCAL_STALE, _stale)),
            *(_late(row, head) for row in late),
        ]
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
    _refuse(
        [
            *_folder_problems(work.folder),
            *_problems(work, Verdict.EDITED, _edited),
            *([] if options.discard_local else _problems(work, Verdict.LOCAL_ONLY, _local_only)),
            *([] if options.reset else _problems(work, Verdict.LOCAL_STALE, _stale)),
        ]
    )


def _refuse(problems: list[tuple[str, str]]) -> None:
    if not problems:
        return
    if len(problems) == 1:
        raise RefusedError(*problems[0])
    listed = "\n".join(f"  - {what}\n    {way_out}" for what, way_out in problems)
    raise RefusedError(f"{len(problems)} things have to be put in order first:\n{listed}")


def _folder_problems(folder: Folder) -> list[tuple[str, str]]:
    duplicates = [
        (
            f"Version {version} stands on more than one file in supabase/migrations.",
            "The CLI would apply the first and fail at the second: give one a later version.",
        )
        for version in folder.duplicates
    ]
    misnamed = [
        (
            f"supabase/migrations/{name} is not named <version>_<name>.sql.",
            "The CLI would skip it without a word: rename it, or move it elsewhere.",
        )
        for name in folder.misnamed
    ]
    return [*duplicates, *misnamed]


def _problems(work: Work, verdict: Verdict, tell: Callable[[Row], tuple[str, str]]) -> list[tuple[str, str]]:
    return [tell(row) for row in work.rows_of(verdict)]


def _edited(row: Row) -> tuple[str, str]:
    return (
        f"Migration {row.version} ({row.name}) was edited after the remote had it.",
        "A push would never bring the edit there: restore the file (git log -p shows how it was) and put "
        "the change into a new migration.",
    )


def _missing(row: Row) -> tuple[str, str]:
    return (
        f"The remote has recorded {row.version} ({row.name or 'without a name'}), and there is no file of it.",
        "`invoke remote-to-local` brings it here from the remote's history; or get the branch that has it.",
    )


def _local_only(row: Row) -> tuple[str, str]:
    return (
        f"The local database has recorded {row.version} ({row.name or 'without a name'}), and there is no file of it.",
        "Bring its file back (it may stand on another branch), or rebuild the local database from the "
        "files with `invoke reset` (it is backed up first).",
    )


def _stale(row: Row) -> tuple[str, str]:
    return (
        f"Migration {row.version} ({row.name}) was edited after it was applied locally.",
        "The local database has to be rebuilt for that: leave --no-reset out.",
    )


def _late(row: Row, head: str) -> tuple[str, str]:
    return (
        f"Migration {row.version} ({row.name}) is older than the newest one that the remote has had ({head}).",
        "The remote would have it out of order: rename the file to a later version "
        f"(git mv supabase/migrations/{row.version}_{row.name}.sql …), then run again.",
    )
