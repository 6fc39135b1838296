"""Changes that a database has beyond its own history, and migrations made and proved from them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..checks.rows import unseen
from ..databases import Database
from ..databases.catalog import (
    MIGRATIONS,
    Catalog,
    Claims,
    Difference,
    compare,
    exposed,
    in_line_ends_alone,
    platform,
    stand_ins,
    without_platform,
)
from ..errors import RefusedError
from ..proof import Compared
from ..state import State
from ..state.histories import as_migrations
from ..state.migrations import Migration
from ..supabase_cli import CliError, EngineRefusedError
from .run import Run

LISTED = 12  # differences shown before "and N more"
# Not compared: roles belong to a server, whoever makes one becomes a member of it, and no migration can undo that. One
# that owns something, or has a right, is a difference of that object.
OF_ROLES = ("grant_role_stmt", "create_role_stmt", "alter_role_stmt", "alter_role_set_stmt", "drop_role_stmt")
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
    files, so that what is merely pending cannot come out as something to drop.

    Raises:
        RefusedError: the database has the schema of an unrecorded file that also does what no schema shows.
    """
    database, files = run.database(side), state.files
    history, found, major = state.sides[side].history, state.sides[side].catalog, run.major(database)
    base = as_migrations(history, files)
    run.claims.add(m.sql for m in files)
    held, claims = _held(run, base, major)
    differences = compare(held, found, claims, (MIGRATIONS, database.name))
    if not differences:
        return Changes(base, exposed=exposed(found))
    unrecorded = [m for m in files if m.version not in history]
    told = [m for m in unrecorded if not unseen(m.sql)]
    by_hand = _with_the_whole_effect(run, base, told, major, found)
    if by_hand:
        _refuse_unseen_between(database, by_hand, unrecorded)
        return Changes(base, by_hand=by_hand, exposed=exposed(found))
    if told != unrecorded and not (database.side == "remote" and run.options.ignore_drift):
        _refuse_unseen(database, _with_the_whole_effect(run, base, unrecorded, major, found))
    return Changes(base, differences, exposed=exposed(found))


def _held(run: Run, migrations: Sequence[Migration], major: int) -> tuple[Catalog, Claims]:
    """What a shadow of these migrations holds, and what they have statements about: what is pending claims nothing."""
    shadow = run.shadow(migrations, major)
    return run.catalog(shadow), run.claims_of(shadow)


def _with_the_whole_effect(
    run: Run, base: Sequence[Migration], unrecorded: Sequence[Migration], major: int, found: Catalog
) -> tuple[Migration, ...]:
    """The unrecorded files with which a shadow of `base` is what was found; none where no guess fits."""
    fitting = (guess for guess in _guesses(unrecorded) if not _differs(run, (*base, *guess), major, found))
    return next(fitting, ())


def _refuse_unseen_between(database: Database, by_hand: Sequence[Migration], unrecorded: Sequence[Migration]) -> None:
    """Stop where a file that may have been run stands before one that was: no push comes back to it.

    Raises:
        RefusedError: names both.
    """
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
    """Stop where the schemas say that files were run, and rows, which say nothing, may be missing.

    Raises:
        RefusedError: names the file, and what it does beside.
    """
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


def _differs(run: Run, migrations: Sequence[Migration], major: int, found: Catalog) -> bool:
    try:
        held, claims = _held(run, migrations, major)
        return bool(compare(held, found, claims))
    except CliError:
        return True


def engine_and_catalogs(run: Run, left: Database, right: Database, one: Catalog, other: Catalog) -> Compared:
    """Compare two databases, by the CLI's engine and by their catalogs.

    To the engine line ends are a difference, which its own SQL (LF alone) does not end: where nothing else differs,
    what it says does not count.
    """
    sql, refused = _engine(run, left, right)
    names, claims = (left.name, right.name), run.claims_of(left)
    named = tuple(zip(names, (one, other), strict=True))
    differences = compare(one, other, claims, names)
    line_ends = in_line_ends_alone(one, other, claims)
    return Compared(
        sql="" if line_ends and not differences else without_platform(sql, one, other, claims, OF_ROLES),
        differences=differences, line_ends=line_ends, platform=platform(one, other, claims, names),
        exposed=tuple((name, right) for name, found in named for right in exposed(found)),
        stand_ins=tuple((name, extension) for name, found in named for extension in stand_ins(found)),
        refused=refused,
    )  # fmt: skip


def _engine(run: Run, left: Database, right: Database) -> tuple[str, str]:
    """The engine's script, and why there is none where it refuses to write one."""
    try:
        return run.cli.diff(left.endpoint, right.endpoint, run.settings.schemas), ""
    except EngineRefusedError as error:
        return "", error.message


def listed(lines: Sequence[str]) -> str:
    """An indented list for a message, cut where it becomes long."""
    more = len(lines) - LISTED
    shown = [f"  - {line}" for line in lines[:LISTED]]
    return "\n".join([*shown, *([f"  … and {more} more"] if more > 0 else [])])
