"""Looking: the files, both databases, and how each differs from its own history."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from ..checks import unseen
from ..databases.catalog import Catalog, Difference, exposed, read_catalog, told
from ..databases.database import Database, identity
from ..errors import ConfigError, NoConnectionError, RefusedError
from ..plan.model import Facts
from ..process import in_parallel
from ..state import Side, State, histories
from ..state.histories import Row, Status, as_migrations
from ..state.migrations import Folder, Migration
from ..supabase_cli import CliError
from .files import read_files, tell_skipped, way_out
from .session import Run

if TYPE_CHECKING:
    import psycopg

EXPOSED = "No age of the platform grants this, and it exposes data: take it back with REVOKE."
COLUMNS = ("version", "name", "file", "local", "remote", "state")
BOTH = ("local", "remote")


def look(run: Run, sides: Collection[str] = BOTH) -> State:
    """Read the files, and each database asked for at one moment; a ConfigError where both are one, or of two majors."""
    if set(sides) == set(BOTH):
        refuse_one_database(run)
        _refuse_two_majors(run)
    folder = read_files(run)
    each = [partial(_read, run, run.database(side)) for side in sides]
    found = in_parallel(*each) if len(each) > 1 else [read() for read in each]
    state = State.of(folder, dict(zip(sides, found, strict=True)))
    run.claims.add(m.sql for m in folder.migrations)
    run.claims.add(
        r.text for row in state.rows for r in (row.local, row.remote) if r and not (row.file and r.matches(row.file))
    )
    return state


def look_at_histories(run: Run, sides: Collection[str] = BOTH) -> State:
    """Read the files, and what each database has recorded; not what it holds."""
    return State.of(read_files(run), {side: Side(run.database(side).history()) for side in sides})


def who_answers(run: Run, sides: Collection[str]) -> State:
    """Ask each database who it is, and look neither at what it holds nor at the files."""
    return State.of(Folder((), ()), {side: Side({}, identity=run.database(side).identity()) for side in sides})


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
    """Local and remote have to be two databases, whatever they are called: a ConfigError where the servers say one."""
    remote, local = run.remote_identity, run.local_identity
    if remote == local:
        raise ConfigError(
            f"{run.local.label} and {run.remote.label} are the same database (system {remote.system}, "
            f"database {remote.database}).",
            "Local and remote have to differ: check SBSYNC_LOCAL and the remote of this environment.",
        )


def major_to_be(run: Run) -> int:
    """The major version that the local database is to have afterwards, once it is sure that it is not the remote.

    A remote that does not answer stops only where the local database is not one that is ours by its making.
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
    """Two major versions describe the same schema differently: what is proved on one says little of the other."""
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


LISTED = 12  # differences shown before "and N more"
GUESSED = 3  # how many unrecorded files a run that was cut off may have left, at most


@dataclass(frozen=True)
class Changes:
    """What a database has beyond its history.

    Attributes:
        base: The migrations that its history stands for.
        differences: What its catalogs have otherwise than a shadow of `base`.
        by_hand: Unrecorded files whose whole effect is there: applied by hand, or by a run that was cut off. Never
            one that also changes rows, or does something else that the schemas do not show.
        exposed: Rights of the database that expose data, whether or not anything differs.
    """

    base: tuple[Migration, ...]
    differences: tuple[Difference, ...] = ()
    by_hand: tuple[Migration, ...] = ()
    exposed: tuple[str, ...] = ()

    @property
    def none(self) -> bool:
        """Whether the database is what its history says, and nothing more."""
        return not self.differences and not self.by_hand


def changes(run: Run, state: State, side: str) -> Changes:
    """Compare a database, `local` or `remote`, as it was looked at, with a shadow of its own history.

    Like is compared with like: the shadow holds the versions that the database has recorded, never simply all
    files, so that what is merely pending cannot come out as something to drop. Refused where the database has the
    schema of an unrecorded file that also does what no schema shows.
    """
    database = run.database(side)
    history, found = state.sides[side].history, state.sides[side].catalog
    base = as_migrations(history, state.files)
    run.claims.add(m.sql for m in state.files)
    differences, by_hand = _beyond(run, base, database, found), tuple[Migration, ...]()
    if differences:
        unrecorded = [m for m in state.files if m.version not in history]
        plain = [m for m in unrecorded if not unseen(m.sql)]
        by_hand = _with_the_whole_effect(run, base, plain, database, found)
        if by_hand:
            _refuse_unseen_between(database, by_hand, unrecorded)
        elif plain != unrecorded and not (side == "remote" and run.options.ignore_drift):
            _refuse_unseen(database, _with_the_whole_effect(run, base, unrecorded, database, found))
    return Changes(base, () if by_hand else differences, by_hand, exposed(found))


def _beyond(run: Run, migrations: Sequence[Migration], database: Database, found: Catalog) -> tuple[Difference, ...]:
    """What was found otherwise than a shadow of these migrations is; what is pending claims nothing."""
    return run.differences(run.shadow(migrations, run.major(database), database), database, found=found)


def _with_the_whole_effect(
    run: Run, base: Sequence[Migration], unrecorded: Sequence[Migration], database: Database, found: Catalog
) -> tuple[Migration, ...]:
    """The unrecorded files with which a shadow of `base` is what was found; none where no guess fits."""

    def fits(guess: tuple[Migration, ...]) -> bool:
        try:
            return not _beyond(run, (*base, *guess), database, found)
        except CliError:
            return False

    return next(filter(fits, _guesses(unrecorded)), ())


def _refuse_unseen_between(database: Database, by_hand: Sequence[Migration], unrecorded: Sequence[Migration]) -> None:
    """Stop where a file that may have been run stands before one that was: no push comes back to it."""
    newest = max(by_hand)
    for file in unrecorded:
        if file < newest and file not in by_hand:
            raise RefusedError(
                f"{database.name} has what {newest.file_name} does, without having recorded it. Whether it has had "
                f"{file.file_name}, which comes before, cannot be told: the file does more than change schemas "
                f"({unseen(file.sql)}).",
                f"Give {file.file_name} a version later than {newest.version} where it is still to be run, and delete "
                "it where it was.",
            )


def _refuse_unseen(database: Database, files: Sequence[Migration]) -> None:
    """Stop where the schemas say that files were run, and rows, which say nothing, may be missing."""
    for file in files:
        if what := unseen(file.sql):
            path = f"supabase/migrations/{file.file_name}"
            raise RefusedError(
                f"{database.name} has what {file.file_name} does to the schemas, without having recorded it. The file "
                f"does more than that ({what}), and whether that was done cannot be told.",
                f"Keep in {path} what changes the schemas alone, and move the rest into a new, later migration: the "
                "first is then recorded by its effect, the second is run.",
            )


def _guesses(unrecorded: Sequence[Migration]) -> Iterator[tuple[Migration, ...]]:
    """Which unrecorded files the database may have: the first few (pulled ones), the last few (new ones), all."""
    tried: set[tuple[Migration, ...]] = {()}
    some = [part for count in range(1, GUESSED + 1) for part in (unrecorded[:count], unrecorded[-count:])]
    for guess in map(tuple, (*some, unrecorded)):
        if guess not in tried:
            tried.add(guess)
            yield guess


def listed(lines: Sequence[str]) -> str:
    """An indented list for a message, cut where it becomes long."""
    more = len(lines) - LISTED
    shown = [f"  - {line}" for line in lines[:LISTED]]
    return "\n".join([*shown, *([f"  … and {more} more"] if more > 0 else [])])


@cache
def sql(name: str) -> str:
    """A file of this package's folder `sql`."""
    return files(__package__).joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")


def answers(connection: psycopg.Connection[Any], name: str, **parameters: object) -> list[list[tuple[Any, ...]]]:
    """The rows of each query in a file of the folder `sql`."""
    from psycopg import ClientCursor

    with ClientCursor(connection) as cursor:  # which takes several queries with parameters
        cursor.execute(sql(name).encode(), parameters or None)
        found = [cursor.fetchall()]
        while cursor.nextset():
            found.append(cursor.fetchall())
        return found


# --- invoke status ---


def status(run: Run) -> bool:
    """Show every version's state, and each database's drift; the remote's alone where there is no local database.

    Returns:
        Whether anything is pending or differs.
    """
    absent = run.why_no_local()
    state = look(run, ["remote"]) if absent else look(run)
    local = None if absent else changes(run, state, "local")
    remote = changes(run, state, "remote")
    rows = [_cells(row, local is not None) for row in state.rows]
    console = run.console
    with console.as_result():
        run.introduce()
        console.table([c for c in COLUMNS if local or c != "local"], [_shown(row) for row in rows])
        tell_skipped(run, state.folder)
        if absent:
            console.say(f"{absent} The files are compared with {run.remote.name} alone.", "note")
        if local:
            _tell_drift(run, run.local.name, local)
        _tell_drift(run, run.remote.name, remote)
    console.document(
        {
            "local": run.local_label or None, "remote": run.remote.label,
            "versions": rows,
            "local_changes": _drift_data(local) if local else None,
            "remote_changes": _drift_data(remote),
            "misnamed": [s.name for s in state.folder.misnamed], "duplicates": list(state.folder.duplicates),
        }
    )  # fmt: skip
    applied = all(row.status is Status.APPLIED for row in state.rows) and not (
        state.folder.misnamed or state.folder.duplicates
    )
    return not (applied and (local is None or local.none) and remote.none)


def _cells(row: Row, local: bool) -> dict[str, Any]:
    """A version's state as data; without a local database, nothing of that."""
    there = {"file": bool(row.file), "local": bool(row.local), "remote": bool(row.remote)}
    if not local:
        del there["local"]
    return {"version": row.version, "name": row.name, **there, "state": row.status.value}


def _shown(row: dict[str, Any]) -> list[str]:
    return [value if isinstance(value, str) else ("✓" if value else "-") for value in row.values()]


def _tell_drift(run: Run, label: str, found: Changes) -> None:
    if found.none:
        run.console.say(f"{label} is what its history says.", "ok")
    for migration in found.by_hand:
        run.console.say(f"{label} has {migration.file_name} without having recorded it.", "warning")
    if found.differences:
        run.console.say(
            f"{label} differs from its history:\n" + listed(told(found.differences)),
            "warning",
        )
    for right in found.exposed:
        run.console.say(f"{label}: {right}. {EXPOSED}", "warning")


def _drift_data(found: Changes) -> dict[str, Any]:
    return {
        "differences": told(found.differences),
        "exposed": list(found.exposed),
        "unrecorded_files": [m.file_name for m in found.by_hand],
    }
