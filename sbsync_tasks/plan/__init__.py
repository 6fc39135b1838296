"""What will be done, and why not, as data. A plan is a tuple of actions: shown, printed as JSON, carried out. Pure."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ..console import counted
from ..state import Risk
from ..state.migrations import Migration

NAMED = 3  # migrations named one by one in a line
TABLES = 5  # tables named in a line


def names(migrations: Sequence[Migration]) -> str:
    """Migrations in a line: each by its file, or, of many, how many and the first and the last."""
    if len(migrations) > NAMED:
        return f"{len(migrations)} migrations ({migrations[0].file_name} … {migrations[-1].file_name})"
    return ", ".join(m.file_name for m in migrations) or "nothing"


@dataclass(frozen=True)
class Action(ABC):
    """One thing that a run does; as a text, it says what it will do.

    Attributes:
        step: The guide's word for it.
        writes: It changes a database, files or git: it is asked about, and left out of a dry run.
        needs_proof: It is left out where a proof was made before it, and does not hold.
        whatever_is_there: It rests on which database it is, and not on what that or the migration files hold.
    """

    step: ClassVar[str]
    writes: ClassVar[bool] = True
    needs_proof: ClassVar[bool] = False
    whatever_is_there: ClassVar[bool] = False

    @abstractmethod
    def __str__(self) -> str: ...

    def document(self) -> dict[str, Any]:
        """The action as JSON data: the step, what it does in words, and its fields."""
        fields = {key: _as_data(value) for key, value in vars(self).items()}
        return {"action": self.step, "does": str(self), **fields}


def _as_data(value: object) -> object:
    if isinstance(value, Migration):
        return value.file_name
    if isinstance(value, Risk):
        return {"tables": None if value.tables is None else list(value.tables), "size": value.size}
    return [_as_data(each) for each in value] if isinstance(value, tuple) else value


@dataclass(frozen=True)
class Write(Action):
    """Migration files are written.

    Attributes:
        migrations: The files as they will be, oldest first.
        renamed: Those of them that only get a later version: (now, then).
    """

    step = "write"
    migrations: tuple[Migration, ...]
    renamed: tuple[tuple[Migration, Migration], ...] = ()

    def __str__(self) -> str:
        return f"write {names(self.migrations)} into supabase/migrations"


@dataclass(frozen=True)
class Put(Action):
    """A migration file is written; what it replaces is kept in `.sbsync/replaced`.

    Attributes:
        migration: The file as it will be.
        replaces: The name of the file that it takes the place of, which may be its own; empty for a new file.
        source: Where its text comes from; empty where it is the replaced file's own.
    """

    step = "resolve"
    migration: Migration
    replaces: str = ""
    source: str = ""

    def __str__(self) -> str:
        name, origin = self.migration.file_name, f" ({self.source})" if self.source else ""
        if not self.replaces:
            return f"write supabase/migrations/{name}{origin}"
        if self.replaces == name:
            return f"replace the text of supabase/migrations/{name}{origin}; the edited file is kept"
        return f"rename supabase/migrations/{self.replaces} to {name}; a copy is kept"


@dataclass(frozen=True)
class Rerecord(Action):
    """Rows of the local database's history get other versions; its schema and the remote are left alone.

    Attributes:
        versions: Of each row: (now, then).
    """

    step = "resolve"
    versions: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        rows = " and ".join(f"{old} as {new}" for old, new in self.versions)
        kept = "the rows are" if self.versions[1:] else "the row is"
        return f"record {rows} in the local database's history; {kept} kept"


@dataclass(frozen=True)
class Rebuild(Action):
    """The local database is backed up, then built again.

    Attributes:
        where: What it is called.
        migrations: What it is built from.
        seeds: The seeds are run as well.
        major: The major version that an embedded one has from then on; None for the one that it has.
    """

    step = "reset"
    where: str
    migrations: tuple[Migration, ...]
    seeds: bool
    major: int | None = None

    def __str__(self) -> str:
        seeds = " and run the seeds" if self.seeds else ""
        return f"back up {self.where}, rebuild it from {counted(len(self.migrations), 'migration')}{seeds}"


@dataclass(frozen=True)
class BringUp(Action):
    """The local database gets what it lacks, and keeps its data; it is backed up if anything is run there.

    Attributes:
        where: What it is called.
        record: What it has without having recorded it.
        apply: What it lacks.
    """

    step = "reset"
    where: str
    record: tuple[Migration, ...]
    apply: tuple[Migration, ...]

    def __str__(self) -> str:
        if not self.apply:
            return f"record {names(self.record)} in the history of {self.where}; its data stays"
        return f"back up {self.where}, then apply {names(self.apply)} to it without a rebuild"


@dataclass(frozen=True)
class BackUp(Action):
    """A database is backed up.

    Attributes:
        where: What it is called.
        risk: The rows that are kept as well.
        side: `remote` or `local`.
        reason: Why, as a word of the backup's name.
    """

    step = "backup"
    whatever_is_there = True
    where: str
    risk: Risk
    side: str = "remote"
    reason: str = "before-push"

    def __str__(self) -> str:
        tables, rows = self.risk.tables, ""
        if tables is None:
            rows = ", and every row" + (f" ({self.risk.size})" if self.risk.size else "")
        elif tables:
            more = f" and {len(tables) - TABLES} more" if tables[TABLES:] else ""
            rows = f", and the rows of {', '.join(tables[:TABLES])}{more} ({self.risk.size})"
        return f"back up {self.where}: schema, roles, history{rows}"


@dataclass(frozen=True)
class Push(Action):
    """Pending migrations are brought to the remote.

    Attributes:
        where: What it is called.
        record: What it has without having recorded it: recorded first.
        migrations: What is run there.
    """

    step = "push"
    where: str
    record: tuple[Migration, ...]
    migrations: tuple[Migration, ...]

    def __str__(self) -> str:
        recorded = f"record {names(self.record)} in its history, not run again: it has their effect"
        pushed = f"push {names(self.migrations)} to {self.where}"
        if not self.migrations:
            return f"{self.where}: {recorded}"
        return f"{recorded}, then {pushed}" if self.record else pushed


@dataclass(frozen=True)
class Restore(Action):
    """A backup is brought back.

    Attributes:
        backup: Its folder.
        where: What the database is called.
        holds: What of the backup, in words.
        tables: The tables whose rows alone come back; all of the backup where there are none.
        roles: The roles that are made, without passwords.
        scratch: It goes into a scratch database, not into the local one.
        replaces: An earlier scratch database is thrown away.
        loose: Foreign keys are left out.
    """

    step = "restore"
    whatever_is_there = True
    backup: str
    where: str
    holds: str
    tables: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    scratch: bool = False
    replaces: bool = False
    loose: bool = False

    def __str__(self) -> str:
        if self.scratch:
            what = f"make a scratch database that holds the backup: {self.holds}"
        elif self.tables:
            what = f"put the rows of the backup in the place of those in {self.where}: {self.holds}"
        else:
            what = f"make {self.where} what it was in the backup: {self.holds}"
        also = (
            (self.roles, f"make the roles that it lacks, without passwords: {', '.join(self.roles)}"),
            (self.replaces, "throw away the scratch database that an earlier restore made"),
            (self.loose, "leave out foreign keys, since rows that they point to may be missing"),
        )
        return "; ".join([what, *(words for there, words in also if there)])


@dataclass(frozen=True)
class Prove(Action):
    """Everything is read again and compared.

    Attributes:
        one: What is compared.
        other: What it is compared with.
        side: The database that is compared with the migration files, `remote` or `local`; empty for both with one
            another.
    """

    step = "verify"
    writes = False
    one: str
    other: str
    side: str = ""

    def __str__(self) -> str:
        return f"compare {self.one} with {self.other}"


@dataclass(frozen=True)
class Commit(Action):
    """Migration files are committed, and nothing else.

    Attributes:
        migrations: These files, as far as git does not have them.
        message: The commit's message.
        gone: The names that some of them had before.
    """

    step = "commit"
    needs_proof = True
    migrations: tuple[Migration, ...]
    message: str
    gone: tuple[str, ...] = ()

    def __str__(self) -> str:
        return ", ".join([f"commit {names(self.migrations)}", *(f"{name} (its old name)" for name in self.gone)])


@dataclass(frozen=True)
class Record(Action):
    """The remote's history learns of migrations whose effect the remote has.

    Attributes:
        where: What it is called.
        migrations: These.
    """

    step = "record"
    needs_proof = True
    where: str
    migrations: tuple[Migration, ...]

    def __str__(self) -> str:
        return f"record {names(self.migrations)} in the history of {self.where} (nothing else is written there)"


Plan = tuple[Action, ...]


def writing(plan: Plan) -> Plan:
    """The part of a plan that changes something."""
    return tuple(action for action in plan if action.writes)


def lines(plan: Plan) -> tuple[str, ...]:
    """The same in words: what is shown at the question and in a dry run."""
    return tuple(map(str, writing(plan)))


def writes_to_remote(plan: Plan) -> bool:
    """Whether the remote's schema or history is changed."""
    return any(isinstance(action, Push | Record) for action in plan)
