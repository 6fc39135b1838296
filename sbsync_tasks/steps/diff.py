"""Changes that a database has beyond its own history, and migrations made and proved from them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from .. import sqltext
from ..databases import Database
from ..databases.catalog import Catalog, CatalogObject, Difference, compare, in_line_ends_alone
from ..errors import RefusedError, SbsyncError
from ..histories import History, as_migrations
from ..migrations import Migration, next_version, write_sql
from ..paths import state_dir
from ..side_by_side import side_by_side
from ..supabase_cli import CliError
from .run import Run

LISTED = 12  # differences shown before "and N more"
GUESSED = 3  # how many unrecorded files a run that was cut off may have left, at most
ROUNDS = 3  # how often what is left over is added to a generated migration (CLI 2.115 needs two for some grants)
ENUM_VALUE_USED_TOO_EARLY = "55P04"


@dataclass(frozen=True)
class Changes:
    """What a database has beyond its history.

    Attributes:
        base: The migrations that its history stands for.
        differences: What its catalogs have otherwise than a shadow of `base`.
        by_hand: Unrecorded files whose whole effect is there: applied by hand, or by a run that was cut off.
    """

    base: tuple[Migration, ...]
    differences: tuple[Difference, ...] = ()
    by_hand: tuple[Migration, ...] = ()

    @property
    def none(self) -> bool:
        """Whether the database is what its history says, and nothing more."""
        return not self.differences and not self.by_hand


def changes(run: Run, database: Database, history: History, files: Iterable[Migration]) -> Changes:
    """Compare a database with a shadow of its own history, by their catalogs.

    Like is compared with like: the shadow holds the versions that the database has recorded, never simply all
    files, so that what is merely pending cannot come out as something to drop.
    """
    files = tuple(files)
    major = run.major(database)
    base = as_migrations(history, files)
    held, found = side_by_side(lambda: run.catalog(run.shadow(base, major)), lambda: run.catalog(database))
    differences = compare(held, found)
    if not differences:
        return Changes(base)
    for by_hand in _guesses([m for m in files if m.version not in history]):
        if not _differs(run, (*base, *by_hand), major, found):
            _refuse_traceless(run, database, base, by_hand, found)
            return Changes(base, by_hand=by_hand)
    return Changes(base, differences)


def _refuse_traceless(
    run: Run, database: Database, base: Sequence[Migration], by_hand: Sequence[Migration], found: Catalog
) -> None:
    """Stop where one of these files leaves no trace in the catalogs: whether its rows were written cannot be told.

    It would be recorded as applied, and never run.

    Raises:
        RefusedError: names the file.
    """
    major = run.major(database)
    for file in by_hand if len(by_hand) > 1 else ():
        rest = [m for m in by_hand if m != file]
        if not _differs(run, (*base, *rest), major, found):
            others = ", ".join(m.file_name for m in rest)
            raise RefusedError(
                f"{database.name} has {others} without having recorded it, and whether it has had {file.file_name} "
                "cannot be told: that file changes no schema.",
                f"Move {file.file_name} out of supabase/migrations, run `invoke remote-to-local` so that the rest is "
                "recorded, and bring it back.",
            )


def _guesses(unrecorded: Sequence[Migration]) -> Iterator[tuple[Migration, ...]]:
    """Which unrecorded files the database may have: the first few (pulled ones), the last few (new ones), all.

    The fewest first: a file that changes rows alone fits into every guess, and must not be taken for applied.
    """
    tried: set[tuple[Migration, ...]] = {()}
    some = [part for count in range(1, GUESSED + 1) for part in (unrecorded[:count], unrecorded[-count:])]
    for guess in map(tuple, (*some, unrecorded)):
        if guess not in tried:
            tried.add(guess)
            yield guess


def _differs(run: Run, migrations: Sequence[Migration], major: int, found: Catalog) -> bool:
    try:
        return bool(compare(run.catalog(run.shadow(migrations, major)), found))
    except CliError:
        return True


Applied = Callable[[tuple[Migration, ...]], None]


def ignored(_migrations: tuple[Migration, ...]) -> None:
    """What `generate` calls where nobody wants to know."""


@dataclass(frozen=True)
class Generated:
    """Migrations made from a difference, proved on a fresh shadow.

    Attributes:
        migrations: The new migrations, in order.
        unwritable: Differences that the engine writes no SQL for.
    """

    migrations: tuple[Migration, ...]
    unwritable: tuple[Difference, ...]


def generate(
    run: Run,
    database: Database,
    base: Sequence[Migration],
    name: str,
    versions: Sequence[str],
    before: str = "",
    applied: Applied = ignored,
) -> Generated:
    """Make migrations that take a shadow of `base` to the schema of `database`, and prove them.

    The engine's output is review SQL, not a promise: each migration is applied to a fresh shadow by the CLI's own
    push and the two are compared again. What is left over is added and proved again.

    Args:
        run: The run.
        database: Where the changes are.
        base: What the new migrations come after.
        name: The new migrations' name.
        versions: Known versions; the new ones are later than these.
        before: A version that the new ones have to be earlier than; empty for none.
        applied: Called with `base` and the new migrations once they are applied to a shadow, before the two are
            compared again.

    Raises:
        RefusedError: there is no room for the new versions.
        SbsyncError: the SQL cannot be applied; a draft of it is kept.
    """
    major = run.major(database)
    made: tuple[Migration, ...] = ()
    for left in range(ROUNDS, -1, -1):
        if made:
            applied((*base, *made))
        shadow = run.shadow((*base, *made), major)
        found = engine_and_catalogs(run, shadow, database)
        sql = found.sql
        if not sql:
            return Generated(made, found.differences)
        if left:
            taken = [*versions, *(m.version for m in made)]
            made = _joined(run, base, made, sql, major) or (
                *made, *_proved(run, (*base, *made), sql, name, taken, before, major)
            )  # fmt: skip
    raise _undone(run, made, "the difference does not come to an end when it is applied")


@dataclass(frozen=True)
class Compared:
    """How two databases differ.

    Attributes:
        sql: What the CLI's engine writes to make them equal.
        differences: What the catalogs say.
        line_ends: What differs in line ends alone, which counts for nothing.
    """

    sql: str
    differences: tuple[Difference, ...]
    line_ends: tuple[CatalogObject, ...] = ()


def engine_and_catalogs(run: Run, left: Database, right: Database) -> Compared:
    """Compare two databases, by the CLI's engine and by their catalogs.

    To the engine line ends are a difference, which its own SQL (LF alone) does not end: where nothing else differs,
    what it says does not count.
    """
    sql, (one, other) = side_by_side(
        lambda: run.cli.diff(left.endpoint, right.endpoint, run.settings.schemas),
        lambda: (run.catalog(left), run.catalog(right)),
    )
    differences, line_ends = compare(one, other), in_line_ends_alone(one, other)
    return Compared("" if line_ends and not differences else sql, differences, line_ends)


def _joined(
    run: Run, base: Sequence[Migration], made: tuple[Migration, ...], sql: str, major: int
) -> tuple[Migration, ...]:
    """The migrations with this SQL at the end of the last one; none where it cannot be applied so.

    One file is one transaction: nobody sees, say, a new table before the revoke that belongs to it.
    """
    if not made:
        return ()
    joined = (*made[:-1], replace(made[-1], sql=f"{made[-1].sql}\n{sql.strip()}\n"))
    try:
        run.shadow((*base, *joined), major)
    except CliError:
        return ()
    return joined


def _proved(
    run: Run,
    base: Sequence[Migration],
    sql: str,
    name: str,
    taken: Sequence[str],
    before: str,
    major: int,
) -> tuple[Migration, ...]:
    made = _numbered((sql,), name, taken, before)
    try:
        run.shadow((*base, *made), major)
    except CliError as error:
        if error.sqlstate != ENUM_VALUE_USED_TOO_EARLY:
            raise _undone(run, made, error.message) from None
    else:
        return made
    made = _numbered(sqltext.transaction_units(sql), name, taken, before)
    try:
        run.shadow((*base, *made), major)
    except CliError as error:
        raise _undone(run, made, error.message) from None
    return made


def _numbered(texts: Sequence[str], name: str, taken: Sequence[str], before: str) -> tuple[Migration, ...]:
    made: list[Migration] = []
    for number, text in enumerate(texts, 1):
        version = next_version([*taken, *(m.version for m in made)], before=before)
        if version is None:
            raise RefusedError(
                f"There is no room for a new version before {before}.",
                "Give the unapplied files later versions.",
            )
        made.append(Migration(version, f"{name}_{number}" if len(texts) > 1 else name, text.strip() + "\n"))
    return tuple(made)


def _undone(run: Run, made: Sequence[Migration], why: str) -> SbsyncError:
    what = f"The generated migration cannot be applied to a fresh database: {why}"
    if run.options.dry_run:
        return SbsyncError(what, "Without --dry-run its draft is kept, to be corrected.")
    folder = state_dir(run.settings.root, "drafts")
    for migration in made:
        write_sql(folder / migration.file_name, migration.sql)
    names = ", ".join(f".sbsync/drafts/{m.file_name}" for m in made)
    return SbsyncError(
        what,
        f"The draft is kept in {names}. Correct it, save it as a file in supabase/migrations, and run again.",
    )


def refuse_unwritable(whose: str, differences: Sequence[Difference], command: str) -> None:
    """Stop where changes are left over that the engine writes no SQL for: they must not be lost.

    Raises:
        RefusedError: names them.
    """
    if differences:
        raise RefusedError(
            f"{whose} has changes that the CLI's diff engine writes no SQL for:\n"
            + listed([d.summary for d in differences]),
            f"`{command} --name NAME` writes the rest as a migration: add these to it by hand, then run again. "
            "The whole is recognised by its effect.",
        )


def listed(lines: Sequence[str]) -> str:
    """An indented list for a message, cut where it becomes long."""
    more = len(lines) - LISTED
    shown = [f"  - {line}" for line in lines[:LISTED]]
    return "\n".join([*shown, *([f"  … and {more} more"] if more > 0 else [])])
