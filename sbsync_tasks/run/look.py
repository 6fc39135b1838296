"""Looking: the files, both databases, and how each differs from its own history."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ..checks import unseen
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
    read_catalog,
    stand_ins,
    without_platform,
)
from ..databases.database import identity
from ..errors import ConfigError, NoConnectionError, RefusedError
from ..git import tracks
from ..plan.model import Facts
from ..process import in_parallel
from ..state import Side, State, histories
from ..state.histories import as_migrations
from ..state.migrations import DOWN, OLD_INIT, Folder, Migration, Skipped, migrations_dir, next_version, read_folder
from ..supabase_cli import CliError, EngineRefusedError
from .proof import Compared
from .session import Run

WHOLE = re.compile(r"(?P<version>[0-9]{14,}|[0-9]+(?=_))(?P<name>.*)", re.DOTALL)


def read_files(run: Run) -> Folder:
    """Read the folder; its sub-folders, and schemas declared beside it, are named once in a run."""
    folder = read_folder(run.settings.root)
    if folder.beside:
        run.say_once(f"left alone in supabase/migrations, as the CLI does: {', '.join(folder.beside)}")
    if run.settings.config.declares_schemas:
        run.say_once(
            "not looked at: the declared schemas in supabase/schemas. What they say counts once a migration says it, "
            "or the local database has it"
        )
    return folder


def problems(run: Run, folder: Folder) -> tuple[RefusedError, ...]:
    """What the CLI would skip, or fail at, each with its way out."""
    root = run.settings.root
    twice = (
        RefusedError(
            f"Version {version} stands on more than one file in supabase/migrations.",
            "The CLI would apply the first and fail at the second: `invoke resolve` explains and cures this.",
        )
        for version in folder.duplicates
    )
    ours = (RefusedError(f"supabase/migrations/{s.name} {s.why}.", way_out(root, folder, s)) for s in folder.misnamed)
    return (*twice, *ours)


def tell_skipped(run: Run, folder: Folder) -> None:
    """The same as warnings, where nothing is changed."""
    for problem in problems(run, folder):
        run.console.say(f"{problem.message} {problem.hint}", "warning")


def way_out(root: Path, folder: Folder, skipped: Skipped) -> str:
    """What happens to it as it is, and the command, to be run in the working directory."""
    path = migrations_dir(root) / skipped.name
    if not skipped.there:
        way = "bring that file back, or take the link out" if path.is_symlink() else "take it out"
        return f"The CLI would fail at it: {way}: {_command(path, None)}"
    if skipped.name.endswith(f"{DOWN}.sql"):
        return f"Put it elsewhere: {_command(path, migrations_dir(root).parent / path.name)}"
    if "/" not in skipped.name:
        target = path.with_name(_new_name(folder, path.name))
        return f"The CLI would skip it without a word: {_command(path, target)} (or move it elsewhere)."
    same = [s.name for s in folder.misnamed if s.name.startswith(f"{path.parent.name}/")]
    if len(same) == 1:
        target = path.parent.with_name(_new_name(folder, f"{path.parent.name}.sql"))
        return f"The CLI looks at no folder, and would skip it without a word: {_command(path, target)}"
    # What is run and what takes it back stand side by side: which is which is the user's to say.
    aside = _command(path.parent, migrations_dir(root).parent / path.parent.name)
    return (
        f"The CLI looks at no folder. Put what is to be run into {_new_name(folder, f'{path.parent.name}.sql')}, and "
        f"the folder elsewhere: {aside}"
    )


def _new_name(folder: Folder, name: str) -> str:
    """A well-formed name, with the version that stands in the old one where no other file has it."""
    stem = re.sub(r"\.sql$", "", name.strip(), flags=re.IGNORECASE)
    match = WHOLE.fullmatch(stem)
    taken = [m.version for m in folder.migrations]
    version = match["version"] if match and match["version"] not in taken else next_version(taken)
    rest = re.sub(r"[^A-Za-z0-9]+", "_", match["name"] if match else stem).strip("_") or "unnamed"
    return f"{version}_{'initial' if rest == OLD_INIT else rest}.sql"


def _command(path: Path, target: Path | None) -> str:
    """`git mv` where git has the file, else `mv`; without a target it is removed."""
    known = tracks(path)
    words = ["git"] if known else []
    words += ["mv" if target else "rm", "--", *(_from_here(p) for p in (path, target) if p)]
    return f"`{shlex.join(words)}`"


def _from_here(path: Path) -> str:
    """As it is reached from the working directory; git goes through no link."""
    return os.path.relpath(Path(os.path.realpath(path.parent)) / path.name, Path.cwd())


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
    history, found = state.sides[side].history, state.sides[side].catalog
    base = as_migrations(history, files)
    run.claims.add(m.sql for m in files)
    held, claims = _held(run, base, database)
    differences = compare(held, found, claims, (MIGRATIONS, database.name))
    if not differences:
        return Changes(base, exposed=exposed(found))
    unrecorded = [m for m in files if m.version not in history]
    told = [m for m in unrecorded if not unseen(m.sql)]
    by_hand = _with_the_whole_effect(run, base, told, database, found)
    if by_hand:
        _refuse_unseen_between(database, by_hand, unrecorded)
        return Changes(base, by_hand=by_hand, exposed=exposed(found))
    if told != unrecorded and not (database.side == "remote" and run.options.ignore_drift):
        _refuse_unseen(database, _with_the_whole_effect(run, base, unrecorded, database, found))
    return Changes(base, differences, exposed=exposed(found))


def _held(run: Run, migrations: Sequence[Migration], database: Database) -> tuple[Catalog, Claims]:
    """What a shadow of these migrations holds, and what they have statements about: what is pending claims nothing."""
    shadow = run.shadow(migrations, run.major(database), database)
    return run.catalog(shadow), run.claims_of(shadow)


def _with_the_whole_effect(
    run: Run, base: Sequence[Migration], unrecorded: Sequence[Migration], database: Database, found: Catalog
) -> tuple[Migration, ...]:
    """The unrecorded files with which a shadow of `base` is what was found; none where no guess fits."""
    fitting = (guess for guess in _guesses(unrecorded) if not _differs(run, (*base, *guess), database, found))
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


def _differs(run: Run, migrations: Sequence[Migration], database: Database, found: Catalog) -> bool:
    try:
        held, claims = _held(run, migrations, database)
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
