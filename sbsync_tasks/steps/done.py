"""What a run has done, for its end in words and as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import git
from ..backups import Backup
from ..plan.actions import Plan, writing
from ..state import State

if TYPE_CHECKING:
    from ..proof import Proof


@dataclass
class Done:
    """What a run has done so far.

    Attributes:
        state: The state that it was planned on.
        plan: What was planned.
        backups: The backups that were taken.
        seeds: The seed files that were run locally.
        pushed: Versions that this run brought to the remote.
        recorded: Versions that this run recorded in the remote's history without running them.
        proof: The proof, once it was made.
        committed: What was committed.
        kept: Where files and histories are kept that gave way.
        url: Of the scratch database that a backup was brought back into.
    """

    state: State
    plan: Plan = ()
    backups: tuple[Backup, ...] = ()
    seeds: tuple[str, ...] = ()
    pushed: tuple[str, ...] = ()
    recorded: tuple[str, ...] = ()
    proof: Proof | None = None
    committed: git.Committed | None = None
    kept: tuple[Path, ...] = ()
    url: str = ""

    def document(self) -> list[dict[str, Any]]:
        """The plan as JSON data: an object for each action that changes something."""
        return [action.document() for action in writing(self.plan)]

    @property
    def disproved(self) -> bool:
        """Whether the proof was made and failed: nothing is committed or recorded on the remote then."""
        return self.proof is not None and not self.proof.holds
