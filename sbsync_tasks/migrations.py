"""Migration files: `supabase/migrations/<version>_<name>.sql`."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from .errors import ConfigError, SbsyncError

# The CLI skips a file of any other shape and exits 0 (measured, 2.122.1 and 3.1.0), so it has to be told. The version
# may have any length, the name be empty.
FILE_PATTERN = re.compile(r"([0-9]+)_(.*)\.sql")
# What a person takes for SQL all the same.
LIKE_SQL = re.compile(r"[^.].*\.sql\s*", re.IGNORECASE | re.DOTALL)
# A folder of this name with SQL in it is a migration as other tools have them.
FOLDER_PATTERN = re.compile(r"[0-9]+_.*|[0-9]{14}", re.DOTALL)
# What an old CLI dumped at first: a newer one skips the first file where it has that name and an older version.
OLD_INIT, NO_LONGER_OLD = "init", "20211209000000"
VERSION_FORMAT = "%Y%m%d%H%M%S"
NAME_LIMIT = 100


@dataclass(frozen=True, order=True)
class Migration:
    """One migration: a file, or what a database has recorded.

    Attributes:
        version: Digits, as a rule a UTC time as `YYYYMMDDHHMMSS`; the order of application.
        name: The part of the file's name after the version.
        sql: The text to run.
    """

    version: str
    name: str
    sql: str

    @property
    def file_name(self) -> str:
        """The file's name in `supabase/migrations`."""
        return f"{self.version}_{self.name}.sql"


@dataclass(frozen=True)
class Skipped:
    """SQL that looks like a migration, and that the CLI would not run.

    Attributes:
        name: Where it is below `supabase/migrations`.
        why: What is wrong with it: the end of a sentence that its path begins.
        there: It can be read.
    """

    name: str
    why: str
    there: bool = True


@dataclass(frozen=True)
class Folder:
    """What `supabase/migrations` holds.

    Attributes:
        migrations: The migrations, oldest first.
        misnamed: What the CLI would skip, and nobody means it to.
        beside: The names of sub-folders, and of hidden SQL files, that everybody leaves alone.
    """

    migrations: tuple[Migration, ...]
    misnamed: tuple[Skipped, ...]
    beside: tuple[str, ...] = ()

    @property
    def duplicates(self) -> tuple[str, ...]:
        """Versions that more than one file claims."""
        counts = Counter(m.version for m in self.migrations)
        return tuple(sorted(version for version, files in counts.items() if files > 1))


def migrations_dir(root: Path) -> Path:
    """The folder of the migrations below the project's root."""
    return root / "supabase" / "migrations"


def read_folder(root: Path) -> Folder:
    """Read all migration files; a folder that is not there is an empty one.

    Raises:
        ConfigError: there is something else in its place, such as a link that leads nowhere.
    """
    found: list[Migration] = []
    skipped: list[Skipped] = []
    beside: list[str] = []
    folder = migrations_dir(root)
    if not folder.is_dir() and (folder.is_symlink() or folder.exists()):
        what = f"a link to {folder.readlink()}, which is no folder" if folder.is_symlink() else "no folder"
        raise ConfigError(f"{folder} is {what}.", "Bring the folder with the migrations back.")
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        match = FILE_PATTERN.fullmatch(path.name)
        if path.is_dir():
            inside = _in_a_folder(path)
            skipped += inside
            beside += [] if inside else [f"{path.name}/"]
        elif path.is_symlink() and not path.exists():
            skipped += _leads_nowhere(path)
        elif match and not found and match[2] == OLD_INIT and len(match[1]) == 14 and match[1] < NO_LONGER_OLD:  # noqa: PLR2004
            skipped.append(Skipped(path.name, f"is a first `{OLD_INIT}` of 2021 or earlier"))
        elif match:
            found.append(Migration(match[1], match[2], read_sql(path)))
        elif LIKE_SQL.fullmatch(path.name):
            skipped.append(Skipped(path.name, "is not named <version>_<name>.sql"))
        elif path.name.endswith(".sql"):
            beside.append(path.name)
    return Folder(tuple(found), tuple(skipped), tuple(beside))


def _in_a_folder(path: Path) -> list[Skipped]:
    """The SQL of a folder that is named like a version; one that holds whole migrations is an archive."""
    inside = sorted(p.name for p in path.iterdir() if LIKE_SQL.fullmatch(p.name))
    if not FOLDER_PATTERN.fullmatch(path.name) or any(map(FILE_PATTERN.fullmatch, inside)):
        return []
    return [Skipped(f"{path.name}/{name}", "stands in a folder of its own") for name in inside]


def _leads_nowhere(path: Path) -> list[Skipped]:
    """A broken link; hidden ones are the locks of editors."""
    if not LIKE_SQL.fullmatch(path.name):
        return []
    return [Skipped(path.name, f"is a link to {path.readlink()}, which is not there", there=False)]


def read_sql(path: Path) -> str:
    """The text of a SQL file as it is: its line ends and a byte order mark are part of it.

    Raises:
        SbsyncError: it is not UTF-8.
    """
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise SbsyncError(f"{path.name} is not valid UTF-8 (byte {error.start}).", "Save the file as UTF-8.") from None


def checked_name(name: str, source: str = "--name") -> str:
    """Make a migration's name from what the user typed.

    Letters, digits and `_` are kept, spaces and dashes become `_`; anything else is refused, so that no
    path can be smuggled in.

    Raises:
        ConfigError: the name is empty, too long, or has another character in it.
    """
    made = re.sub(r"[\s-]+", "_", name.strip())
    if not re.fullmatch(rf"[A-Za-z0-9_]{{1,{NAME_LIMIT}}}", made):
        raise ConfigError(
            f"{source} {name!r} is no name for a migration.",
            f"Use 1 to {NAME_LIMIT} letters, digits and underscores, such as add_invoices.",
        )
    return made


def next_version(taken: list[str], *, now: datetime | None = None, before: str = "") -> str | None:
    """A new version, later than all `taken` ones.

    Args:
        taken: The versions that the new one has to be later than.
        now: The time to use; the current one as a rule.
        before: A version that the new one has to be earlier than; empty for none.

    Returns:
        The version, or None where there is no room before `before`.
    """
    # Files may be numbered by hand, as 0001, 0002; only versions of one length have an order that all agree on.
    length = len(before or "20260101000000")
    head = max((v for v in taken if len(v) == length), default="")
    version = (now or datetime.now(UTC)).strftime(VERSION_FORMAT)
    if version <= head or (before and version >= before):
        version = _after(head) if head else _shifted(before, -1)
    return None if before and version >= before else version


def _after(version: str) -> str:
    return _shifted(version, +1)


def _shifted(version: str, seconds: int) -> str:
    try:
        moment = datetime.strptime(version, VERSION_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        # Not every 14-digit version is a time: somebody may have counted up by hand.
        return str(max(int(version) + seconds, 0)).zfill(len(version))
    return (moment + timedelta(seconds=seconds)).strftime(VERSION_FORMAT)


def write(root: Path, migration: Migration) -> Path:
    """Write a new migration file; one that is already there is never overwritten."""
    path = migrations_dir(root) / migration.file_name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:
        file.write(migration.sql.encode())
    return path


def write_sql(path: Path, sql: str) -> None:
    """Write a SQL file as it is, byte by byte; one that is there is overwritten."""
    path.write_bytes(sql.encode())
