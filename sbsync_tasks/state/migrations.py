"""Migration files: `supabase/migrations/<version>_<name>.sql`."""

from __future__ import annotations

import os
import re
import shutil
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from ..errors import ConfigError, RefusedError, SbsyncError
from ..folders import state_dir

# The CLI skips a file of any other shape and exits 0 (measured, 2.122.1 and 3.1.0), so it has to be told. The version
# may have any length, the name be empty.
FILE_PATTERN = re.compile(r"([0-9]+)_(.*)\.sql")
# What a person takes for SQL all the same.
LIKE_SQL = re.compile(r"[^.].*\.sql\s*", re.IGNORECASE | re.DOTALL)
# A folder of this name with SQL in it is a migration as other tools have them.
FOLDER_PATTERN = re.compile(r"[0-9]+_.*|[0-9]{14}", re.DOTALL)
# Beside a file of the same version, what takes that one back.
DOWN = ".down"
LFS = "version https://git-lfs.github.com/spec/"
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
    """SQL that the CLI would not run although it looks like a migration, or would run although it is none.

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
        misnamed: What the CLI would skip, and nobody means it to; or would run, and nobody means it to.
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
        ConfigError: there is something else in its place, such as a link that leads nowhere; or a name is no UTF-8.
    """
    found: list[Migration] = []
    skipped: list[Skipped] = []
    beside: list[str] = []
    for path in _entries(migrations_dir(root)):
        match = FILE_PATTERN.fullmatch(path.name)
        if path.is_dir():
            inside = _in_a_folder(path)
            skipped += inside
            beside += [] if inside else [f"{path.name}/"]
        elif not path.is_file():
            broken = path.is_symlink() and not path.exists()
            why = f"is a link to {path.readlink()}, which is not there" if broken else "is no file"
            # Hidden links that lead nowhere are the locks of editors.
            skipped += [Skipped(path.name, why, there=False)] if LIKE_SQL.fullmatch(path.name) else []
        elif match and not found and match[2] == OLD_INIT and len(match[1]) == 14 and match[1] < NO_LONGER_OLD:  # noqa: PLR2004
            skipped.append(Skipped(path.name, f"is a first `{OLD_INIT}` of 2021 or earlier"))
        elif match:
            found.append(Migration(match[1], match[2], read_sql(path)))
        elif LIKE_SQL.fullmatch(path.name):
            skipped.append(Skipped(path.name, "is not named <version>_<name>.sql"))
        elif path.name.endswith(".sql"):
            beside.append(path.name)
    backwards = _backwards(found)
    skipped += [Skipped(m.file_name, "takes a migration back, and the CLI would run it as one") for m in backwards]
    return Folder(tuple(m for m in found if m not in backwards), tuple(skipped), tuple(beside))


def _backwards(found: list[Migration]) -> list[Migration]:
    """What other tools run to take the migration of the same version back."""
    forwards = {m.version for m in found if not m.name.endswith(DOWN)}
    return [m for m in found if m.name.endswith(DOWN) and m.version in forwards]


def _entries(folder: Path) -> list[Path]:
    if not folder.is_dir() and (folder.is_symlink() or folder.exists()):
        what = f"a link to {folder.readlink()}, which is no folder" if folder.is_symlink() else "no folder"
        raise ConfigError(f"{folder} is {what}.", "Bring the folder with the migrations back.")
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    for name in (path.name for path in found):
        if name.encode(errors="surrogateescape") != name.encode(errors="replace"):
            raise ConfigError(f"A name in supabase/migrations is no UTF-8: {os.fsencode(name)!r}.", "Rename it.")
    return found


def _in_a_folder(path: Path) -> list[Skipped]:
    """The SQL of a folder that is named like a version; one that holds whole migrations is an archive."""
    inside = sorted(p.name for p in path.iterdir() if LIKE_SQL.fullmatch(p.name))
    if not FOLDER_PATTERN.fullmatch(path.name) or any(map(FILE_PATTERN.fullmatch, inside)):
        return []
    return [Skipped(f"{path.name}/{name}", "stands in a folder of its own") for name in inside]


def read_sql(path: Path) -> str:
    """The text of a SQL file as it is: its line ends and a byte order mark are part of it.

    Raises:
        SbsyncError: it cannot be read, is not UTF-8, stands for a file that git-lfs has not fetched, or holds a zero
            byte, which PostgreSQL takes in no text.
    """
    try:
        text = path.read_bytes().decode()
    except OSError as error:
        reason = error.strerror or "no reason was given"
        raise SbsyncError(f"{path} cannot be read: {reason}.", "Make it a file that you may read.") from None
    except UnicodeDecodeError as error:
        raise SbsyncError(f"{path.name} is not valid UTF-8 (byte {error.start}).", "Save the file as UTF-8.") from None
    if text.startswith(LFS):
        raise SbsyncError(f"{path.name} is a pointer of git-lfs, not the file.", "`git lfs pull` fetches the file.")
    if (zero := text.find("\0")) >= 0:
        line = text.count("\n", 0, zero) + 1
        raise SbsyncError(f"{path.name} has a zero byte on line {line}.", "Take it out: PostgreSQL takes none.")
    return text


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
        version = _shifted(head, +1) if head else _shifted(before, -1)
    # The CLI orders versions as texts (measured, 3.1.0).
    other = max((v for v in taken if v.isdigit() and len(v) != len(version) and v > version), default="")
    if other and not before:
        version = other.ljust(length, "0") if len(other) < length else _shifted(other, +1)
    return None if before and version >= before else version


def _shifted(version: str, seconds: int) -> str:
    try:
        moment = datetime.strptime(version, VERSION_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        # Not every 14-digit version is a time: somebody may have counted up by hand.
        return str(max(int(version) + seconds, 0)).zfill(len(version))
    return (moment + timedelta(seconds=seconds)).strftime(VERSION_FORMAT)


def write_sql(path: Path, sql: str) -> None:
    """Write a SQL file as it is, byte by byte; one that is there is overwritten."""
    path.write_bytes(sql.encode())


def write_file(root: Path, migration: Migration, replaces: str = "") -> Path | None:
    """Write a migration file, in one move, in the place of another one or as a new one.

    A file that only gets another name keeps its bytes.

    Args:
        root: The project's root.
        migration: The file as it is to be.
        replaces: The name of the file whose place it takes, which may be its own; empty for none.

    Returns:
        Where the replaced file is kept; None for a new file.

    Raises:
        RefusedError: another file of that name is there.
    """
    target = migrations_dir(root) / migration.file_name
    if target.exists() and migration.file_name != replaces:
        raise RefusedError(
            f"supabase/migrations/{migration.file_name} is there already.", "Look at it, then run again."
        )
    if not replaces:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as file:
            file.write(migration.sql.encode())
        return None
    kept = _archived(root, replaces)
    if migration.file_name != replaces:
        (migrations_dir(root) / replaces).rename(target)
        return kept
    draft = state_dir(root, "drafts") / migration.file_name
    write_sql(draft, migration.sql)
    shutil.copymode(target, draft)
    draft.replace(target)
    return kept


def _archived(root: Path, file: str) -> Path:
    """A copy of a migration file in `.sbsync/replaced`; an earlier copy is never overwritten."""
    folder = state_dir(root, "replaced")
    names = (file if number == 1 else f"{file}.{number}" for number in count(1))
    target = next(folder / name for name in names if not (folder / name).exists())
    shutil.copy2(migrations_dir(root) / file, target)
    return target
