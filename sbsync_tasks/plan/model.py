"""Conflicts between the files and what the databases have recorded: what each is, and the ways out, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from ..state.histories import History
from ..state.migrations import Folder, Migration
from . import Plan
from .partly import Leftovers


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
class Way:
    """A way out.

    Attributes:
        title: What it is, as a sentence.
        actions: What is done for it; empty where it is the user's to go.
    """

    title: str
    actions: Plan = ()


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
    def actions(self) -> Plan:
        """What is done by default; empty for a conflict that is only explained."""
        return self.ways[0].actions if self.ways else ()

    def document(self) -> dict[str, Any]:
        """The conflict as JSON data."""
        ways = [{"title": w.title, "actions": [*map(str, w.actions)]} for w in self.ways]
        return {
            "kind": self.kind.value, "version": self.version, "name": self.name, "what": self.what,
            "details": list(self.details), "ways": ways,
        }  # fmt: skip


@dataclass(frozen=True)
class Facts:
    """All that a diagnosis is made from.

    Attributes:
        folder: The migration files.
        local: What the local database has recorded.
        remote: What the remote has recorded.
        remote_name: What the remote is called.
        branches: Files on git's branches, by version, each with where it is; only those that are asked for.
        drift: How the remote differs from its own history, a line for each difference.
        left: What of that a push that failed has left.
        ways: The way out for each file that the CLI would skip, by its name.
    """

    folder: Folder
    local: History
    remote: History
    remote_name: str = "remote"
    branches: Mapping[str, Mapping[Migration, str]] = field(default_factory=dict)
    drift: tuple[str, ...] = ()
    left: Leftovers | None = None
    ways: Mapping[str, str] = field(default_factory=dict)
