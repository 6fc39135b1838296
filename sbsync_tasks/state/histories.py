"""What databases have recorded, and the comparison of files with the histories of both databases."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from ..errors import SbsyncError
from ..sqltext import literal
from .migrations import Folder, Migration
from .same_sql import recorded_as_written, same

if TYPE_CHECKING:
    import psycopg

HISTORY_TABLE = "supabase_migrations.schema_migrations"


@dataclass(frozen=True)
class Recorded:
    """One row of a database's history.

    Attributes:
        version: The migration's version.
        name: Its name; empty where none was recorded.
        statements: The statements that were run; None where only the version was recorded. The CLI stores them without
            their semicolons, with the comments before them, and a comment at the end as a statement of its own.
    """

    version: str
    name: str
    statements: tuple[str, ...] | None

    def matches(self, migration: Migration) -> bool:
        """Whether a file has the recorded statements; a row without statements is taken at its word."""
        if self.statements is None:
            return True
        return recorded_as_written(migration.sql, self.statements) or same(migration.sql, self.text)

    def has_bytes_of(self, migration: Migration) -> bool:
        """Whether running a file that matches leaves the same bytes behind, in bodies and constants, too.

        Only line ends can make a difference: `CR LF` against `LF`, as a checkout by git may change them.
        """
        if self.statements is None or recorded_as_written(migration.sql, self.statements):
            return True
        return not any("\r\n" in text for text in (migration.sql, *self.statements))

    @property
    def text(self) -> str:
        """The recorded statements as one text; empty where there are none."""
        return "\n;\n".join(self.statements or ())

    def as_migration(self) -> Migration:
        """The migration as it was recorded.

        Version and name become a file's name: what would make a path of it is refused or replaced.

        Raises:
            SbsyncError: its statements were not recorded, or its version is not made of digits.
        """
        if not re.fullmatch("[0-9]+", self.version):
            raise SbsyncError(
                f"A history has recorded {self.version!r}, which is no version of a migration.",
                no_version(self.version),
            )
        if self.statements is None:
            raise SbsyncError(
                f"Version {self.version} is recorded without its statements, and no file holds them.",
                "`invoke resolve` looks for its file on git's branches, and says what to do where there is none.",
            )
        sql = "".join(f"{_ended(statement)}\n\n" for statement in self.statements)
        return Migration(self.version, re.sub(r"[/\\\x00-\x1f]", "_", self.name) or "recorded", sql)


def no_version(recorded: str) -> str:
    """The way out where what is recorded as a version is none."""
    statement = f"delete from {HISTORY_TABLE} where version = {literal(recorded)};"  # noqa: S608 - to be read and run by hand
    return (
        "Versions are digits, such as 20260105090000: look at that row, and at who made it. Where nobody needs it, "
        f"take it out there: `{statement}`"
    )


def _ended(statement: str) -> str:
    """A recorded statement with its semicolon, which must not become part of a comment on the last line."""
    text = statement.rstrip().rstrip(";")
    return f"{text}\n;" if "--" in text.rpartition("\n")[2] else f"{text};"


History = Mapping[str, Recorded]


def read(connection: psycopg.Connection[Any]) -> History:
    """The history of a database by version, oldest first; empty where it has no history table."""
    # Tables made by older CLIs lack the later columns.
    rows = ((row["version"], row.get("name") or "", row.get("statements")) for row in read_rows(connection))
    return {version: Recorded(version, name, None if had is None else tuple(had)) for version, name, had in rows}


def read_rows(connection: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    """The history's rows, oldest first, all columns; empty where there is no history table."""
    exists = connection.execute("select to_regclass(%s) is not null", (HISTORY_TABLE,)).fetchone()
    if not exists or not exists[0]:
        return []
    query = "select to_jsonb(m) from supabase_migrations.schema_migrations m order by version"
    return [row[0] for row in connection.execute(query)]


class At(Enum):
    """What a database has of a migration."""

    NOT = "-"
    UNRECORDED = "there, and not recorded"
    SAME = "recorded"
    OTHER = "recorded otherwise"


class Status(Enum):
    """What a version means for a run; the value is the word that `status` shows."""

    APPLIED = "applied"
    PENDING = "pending"  # on the remote
    LOCAL_BEHIND = "not applied locally"
    LOCAL_STALE = "edited since it was applied locally"
    EDITED = "edited after the remote had it"
    LOCAL_ONLY = "recorded locally, no file"
    MISSING = "recorded on the remote, no file"


# The three-way comparison: (is there a file, local, remote) → what it means. For an absent file SAME says
# recorded, and OTHER that the two databases recorded different statements.
STATUS_OF: Mapping[tuple[bool, At, At], Status] = {
    (True, At.NOT, At.NOT): Status.PENDING,
    (True, At.SAME, At.NOT): Status.PENDING,
    (True, At.OTHER, At.NOT): Status.LOCAL_STALE,
    (True, At.NOT, At.SAME): Status.LOCAL_BEHIND,
    (True, At.SAME, At.SAME): Status.APPLIED,
    (True, At.OTHER, At.SAME): Status.LOCAL_STALE,
    (True, At.NOT, At.OTHER): Status.EDITED,
    (True, At.SAME, At.OTHER): Status.EDITED,
    (True, At.OTHER, At.OTHER): Status.EDITED,
    (False, At.SAME, At.NOT): Status.LOCAL_ONLY,
    (False, At.NOT, At.SAME): Status.MISSING,
    (False, At.SAME, At.SAME): Status.MISSING,
    (False, At.SAME, At.OTHER): Status.MISSING,
}


@dataclass(frozen=True)
class Row:
    """One version in the three-way comparison."""

    version: str
    name: str
    file: Migration | None
    local: Recorded | None
    remote: Recorded | None
    status: Status


def compare(folder: Folder, local: History, remote: History) -> tuple[Row, ...]:
    """Compare the files with both histories, version by version, oldest first."""
    files = {m.version: m for m in folder.migrations}
    return tuple(
        _row(version, files.get(version), local.get(version), remote.get(version))
        for version in sorted({*files, *local, *remote})
    )


def _row(version: str, file: Migration | None, local: Recorded | None, remote: Recorded | None) -> Row:
    if file is None and local and remote:
        states = (At.SAME, At.SAME if local.statements == remote.statements else At.OTHER)
    else:
        states = (what_is_at(local, file), what_is_at(remote, file))
    name = next((x.name for x in (file, remote, local) if x and x.name), "")
    return Row(version, name, file, local, remote, STATUS_OF[(file is not None, *states)])


def what_is_at(recorded: Recorded | None, file: Migration | None) -> At:
    """What a database has of a migration, by what it has recorded; without a file that counts as it is."""
    if recorded is None:
        return At.NOT
    return At.SAME if file is None or recorded.matches(file) else At.OTHER


def as_migrations(history: History, files: Iterable[Migration]) -> tuple[Migration, ...]:
    """The migrations that a history stands for, to build a shadow of it.

    The file is taken where it has the recorded statements, else what was recorded: a file edited later, lost, or
    checked out with other line ends must not change what the database is compared with.
    """
    by_version = {m.version: m for m in files}
    found = []
    for recorded in history.values():
        file = by_version.get(recorded.version)
        fits = file and recorded.matches(file) and recorded.has_bytes_of(file)
        found.append(file if file and fits else recorded.as_migration())
    return tuple(found)


def unlike(left: History, right: History, versions: Iterable[str]) -> tuple[str, ...]:
    """The versions, among those given, that the two histories do not record alike."""
    return tuple(version for version in versions if not _alike(left.get(version), right.get(version)))


def _alike(left: Recorded | None, right: Recorded | None) -> bool:
    if left is None or right is None:
        return False
    if left.statements is None or right.statements is None:
        return True
    return left.statements == right.statements or same(left.text, right.text)
