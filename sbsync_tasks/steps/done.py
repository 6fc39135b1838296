"""What a run has done, for its end in words and as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .. import git
from ..backups import Backup
from ..state import State

if TYPE_CHECKING:
    from ..plan.actions import Plan
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
    """

    state: State
    plan: Plan = ()
    backups: tuple[Backup, ...] = ()
    seeds: tuple[str, ...] = ()
    pushed: tuple[str, ...] = ()
    recorded: tuple[str, ...] = ()
    proof: Proof | None = None
    committed: git.Committed | None = None

    @property
    def disproved(self) -> bool:
        """Whether the proof was made and failed: nothing is committed or recorded on the remote then."""
        return self.proof is not None and not self.proof.holds
