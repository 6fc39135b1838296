"""History conflicts: what they are, what they come from, and the ways out. Pure."""

from .diagnosis import asks_branches, diagnose, renamed
from .model import Action, Candidate, Conflict, Facts, Kind, Put, Rerecord, Way

__all__ = [
    "Action",
    "Candidate",
    "Conflict",
    "Facts",
    "Kind",
    "Put",
    "Rerecord",
    "Way",
    "asks_branches",
    "diagnose",
    "renamed",
]
