"""Conflicts between the files and what the databases have recorded: what each is, and the ways out, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from ..git.earlier import Candidate
from ..state.histories import History
from ..state.migrations import Folder, Migration


class Kind(Enum):
    """What is in conflict; the value is the word in messages and JSON."""

    FIRST_PULL = "first pull"
    DUPLICATE = "duplicate version"
    MISNAMED = "misnamed file"
    MISSING = "missing file"
    LOCAL_ONLY = "recorded locally only"
    RENAMED = "renamed after it was applied"
    EDITED = "edited after it was applied"
    SQUASHED = "squashed"
    OUT_OF_ORDER = "out of order"
    DRIFT = "drift"


@dataclass(frozen=True)
class Put:
    """A migration file is written; what it replaces is kept in `.sbsync/replaced`.

    Attributes:
        migration: The file as it will be.
        replaces: The name of the file that it takes the place of, which may be its own; empty for a new file.
        source: Where its text comes from; empty where it is the replaced file's own.
    """

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
class Rerecord:
    """A row of the local database's history gets another version; its schema and the remote are left alone."""

    old: str
    new: str

    def __str__(self) -> str:
        return f"record {self.old} as {self.new} in the local database's history; the row is kept"


Remedy = Put | Rerecord


@dataclass(frozen=True)
class Way:
    """A way out.

    Attributes:
        title: What it is, as a sentence.
        actions: What is done for it; empty where it is the user's to go.
    """

    title: str
    actions: tuple[Remedy, ...] = ()


@dataclass(frozen=True)
class Conflict:
    """One conflict.

    Attributes:
        kind: What it is.
        version: The version concerned; empty for a misnamed file, drift and a first pull.
        name: The migration's or the file's name.
        what: Whose it is and what is wrong with it, in a sentence or two.
        details: Further lines, such as the statements that differ.
        ways: The ways out; the first one is done by default, if it has actions.
    """

    kind: Kind
    version: str
    name: str
    what: str
    ways: tuple[Way, ...]
    details: tuple[str, ...] = ()

    @property
    def actions(self) -> tuple[Remedy, ...]:
        """What is done by default; empty for a conflict that is only explained."""
        return self.ways[0].actions if self.ways else ()

    def document(self) -> dict[str, Any]:
        """The conflict as JSON data."""
        ways = [{"title": w.title, "actions": [str(a) for a in w.actions]} for w in self.ways]
        return {
            "kind": self.kind.value, "version": self.version, "name": self.name, "what": self.what,
            "details": list(self.details), "ways": ways,
        }  # fmt: skip


@dataclass(frozen=True)
class Drift:
    """How the remote differs from its own history.

    Attributes:
        lines: The differences, a line each.
        left: What of them a push that failed has left, in sentences; empty for nothing.
        way_on: The way on from that.
    """

    lines: tuple[str, ...] = ()
    left: str = ""
    way_on: str = ""


@dataclass(frozen=True)
class Facts:
    """All that a diagnosis is made from.

    Attributes:
        folder: The migration files.
        local: What the local database has recorded.
        remote: What the remote has recorded.
        remote_name: What the remote is called.
        branches: Files on git's branches, by version; only those that are asked for.
        drift: How the remote differs from its own history.
        ways: The way out for each file that the CLI would skip, by its name.
    """

    folder: Folder
    local: History
    remote: History
    remote_name: str = "remote"
    branches: Mapping[str, tuple[Candidate, ...]] = field(default_factory=dict)
    drift: Drift = field(default_factory=Drift)
    ways: Mapping[str, str] = field(default_factory=dict)
