"""What is true of the files and both databases at one moment: histories, and one list of migrations. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING

from .histories import At, History, Row, Status, compare, what_is_at
from .migrations import Folder, Migration

if TYPE_CHECKING:
    from ..databases.catalog import Catalog, Difference
    from ..databases.database import Identity


class Origin(Enum):
    """Where a migration comes from."""

    FILE = "a file in the folder"
    LOCAL = "changes of the local database"
    REMOTE = "changes of the remote"
    HISTORY = "the remote's history"


@dataclass(frozen=True)
class Entry:
    """One migration, as it will stand in the folder once the run has written its own.

    Attributes:
        migration: It.
        local: What the local database has of it.
        remote: What the remote has of it.
        origin: Where it comes from.
        was: The file as it stands in the folder now, under an earlier version; None for no other than `migration`.
    """

    migration: Migration
    local: At
    remote: At
    origin: Origin = Origin.FILE
    was: Migration | None = None

    @property
    def to_write(self) -> bool:
        """Whether the folder does not have it yet, or not under this version."""
        return self.origin is not Origin.FILE or self.was is not None


@dataclass(frozen=True)
class Risk:
    """Rows of the remote that a push can damage.

    Attributes:
        tables: Their tables; None for every one.
        size: What these take on disk, such as `12 MB`.
    """

    tables: tuple[str, ...] | None = ()
    size: str = ""


@dataclass(frozen=True)
class InGit:
    """What git has of the migration files.

    Attributes:
        lacks: The files, by name, that git does not have as they are.
        had: Files that will get a later version, by name, whose text git has under the name of now.
        secret: The files, by name, that seem to hold a credential.
        gone: Names that files which git lacks had before.
    """

    lacks: frozenset[str] = frozenset()
    had: frozenset[str] = frozenset()
    secret: frozenset[str] = frozenset()
    gone: tuple[str, ...] = ()


@dataclass(frozen=True)
class Side:
    """A database at one moment.

    Attributes:
        history: What it has recorded.
        catalog: What it holds.
        identity: Who answered; None where no server was asked.
    """

    history: History
    catalog: Catalog = field(default_factory=dict)
    identity: Identity | None = None


@dataclass(frozen=True)
class State:
    """The files and both databases at one moment, and what shadows have shown of them since.

    A database that nobody looked at counts as being where the other one is.

    Attributes:
        folder: The migration files.
        sides: The databases that were looked at: `local`, `remote`.
        entries: The migrations, as they will stand in the folder, in no order.
        local_changed: The local database has changes that are to be dropped.
        drift: How the remote differs from its own history, where that was ignored as asked.
        risk: The rows of the remote that the pending migrations can damage.
        left_out: What the local database has and the user's edit leaves out, in words.
        in_git: What git has of the files; None where that was not asked, or without a repository.
    """

    folder: Folder
    sides: Mapping[str, Side]
    entries: tuple[Entry, ...]
    local_changed: bool = False
    drift: tuple[Difference, ...] = ()
    risk: Risk = Risk()
    left_out: tuple[str, ...] = ()
    in_git: InGit | None = None

    @classmethod
    def of(cls, folder: Folder, sides: Mapping[str, Side]) -> State:
        """The state that a first look finds."""
        state = cls(folder, sides, ())
        here, there = state.local_history, state.remote_history
        return replace(state, entries=tuple(Entry(m, _at(here, m), _at(there, m)) for m in folder.migrations))

    # --- questions ---

    @property
    def local_history(self) -> History:
        """What the local database has recorded."""
        return self._history("local", "remote")

    @property
    def remote_history(self) -> History:
        """What the remote has recorded."""
        return self._history("remote", "local")

    def _history(self, *preferred: str) -> History:
        return next((self.sides[side].history for side in preferred if side in self.sides), {})

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """The three-way comparison of the files with both histories."""
        return compare(self.folder, self.local_history, self.remote_history)

    def rows_of(self, *statuses: Status) -> tuple[Row, ...]:
        """The rows with one of these statuses."""
        return tuple(row for row in self.rows if row.status in statuses)

    @cached_property
    def files(self) -> tuple[Migration, ...]:
        """All migrations as they stand once the run has written its own, oldest first."""
        return _sorted(self.entries)

    @property
    def to_write(self) -> tuple[Migration, ...]:
        """The files that this run adds to the folder, or gives a later version."""
        return _sorted(e for e in self.entries if e.to_write)

    @property
    def renamed(self) -> tuple[tuple[Migration, Migration], ...]:
        """The files that get a later version: (now, then), oldest first."""
        return tuple(sorted((e.was, e.migration) for e in self.entries if e.was))

    @property
    def pending(self) -> tuple[Migration, ...]:
        """The migrations that the remote has not had, and that a push would bring to it."""
        return _sorted(e for e in self.entries if e.remote is At.NOT)

    @property
    def to_record(self) -> tuple[Migration, ...]:
        """The migrations whose effect the remote has, and which its history does not know."""
        return _sorted(e for e in self.entries if e.remote is At.UNRECORDED)

    @property
    def unrecorded_locally(self) -> tuple[Migration, ...]:
        """The same of the local database."""
        return _sorted(e for e in self.entries if e.local is At.UNRECORDED)

    @property
    def to_apply(self) -> tuple[Migration, ...]:
        """What the local database lacks."""
        return _sorted(e for e in self.entries if e.local is At.NOT)

    def made(self, *origins: Origin) -> tuple[Migration, ...]:
        """The migrations that come from there."""
        return _sorted(e for e in self.entries if e.origin in origins)

    @property
    def behind(self) -> bool:
        """Whether the local database is not yet what the files say."""
        extra = self.local_history.keys() - {m.version for m in self.files}
        return bool(extra) or any(e.local is not At.SAME for e in self.entries)

    @property
    def versions(self) -> list[str]:
        """Every version that is known anywhere."""
        return [*(m.version for m in self.files), *self.local_history, *self.remote_history]

    # --- what is found out ---

    def with_unrecorded(self, side: str, unrecorded: Iterable[Migration]) -> State:
        """The same, once it is known which migrations a database, `local` or `remote`, has without recording them."""
        found, there = set(unrecorded), At.UNRECORDED
        entries = (
            e if e.migration not in found else replace(e, local=there) if side == "local" else replace(e, remote=there)
            for e in self.entries
        )
        return replace(self, entries=tuple(entries))

    def joined_by(self, origin: Origin, migrations: Iterable[Migration]) -> State:
        """The same with migrations that are yet to be written, in the place of those from there with the version."""
        made = {m.version: self._entry(origin, m) for m in migrations}
        kept = [e for e in self.entries if not (e.origin is origin and e.migration.version in made)]
        return replace(self, entries=(*kept, *made.values()))

    def _entry(self, origin: Origin, migration: Migration) -> Entry:
        local, remote = {
            Origin.LOCAL: (At.UNRECORDED, At.NOT),
            Origin.REMOTE: (At.NOT, At.UNRECORDED),
        }.get(origin, (_at(self.local_history, migration), _at(self.remote_history, migration)))
        return Entry(migration, local, remote, origin)

    def moved(self, later: Mapping[Migration, Migration]) -> State:
        """The same with later versions; what the local database has recorded of them is another version then.

        Args:
            later: From each migration to what it becomes.
        """
        return replace(self, entries=tuple(_moved(e, later.get(e.migration)) for e in self.entries))


def _at(history: History, migration: Migration) -> At:
    return what_is_at(history.get(migration.version), migration)


def _moved(entry: Entry, new: Migration | None) -> Entry:
    if new is None:
        return entry
    was = entry.was or (entry.migration if entry.origin is Origin.FILE else None)
    local = At.UNRECORDED if entry.local is At.UNRECORDED else At.NOT
    return replace(entry, migration=new, was=was, local=local)


def _sorted(entries: Iterable[Entry]) -> tuple[Migration, ...]:
    return tuple(sorted(e.migration for e in entries))
