"""History conflicts: what they are, what they come from, and the ways out. Pure."""

from ..earlier import Candidate
from .diagnosis import asks_branches, diagnose, renamed
from .edits import is_another
from .model import Action, Conflict, Drift, Facts, Kind, Put, Rerecord, Way
from .squash import squash

__all__ = [
    "Action",
    "Candidate",
    "Conflict",
    "Drift",
    "Facts",
    "Kind",
    "Put",
    "Rerecord",
    "Way",
    "asks_branches",
    "diagnose",
    "is_another",
    "renamed",
    "squash",
]
