"""New versions for migrations that cannot keep theirs, so that the order of what is pending stays. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ..state.migrations import Migration, next_version


@dataclass(frozen=True)
class Pending:
    """A migration that the remote has not had.

    Attributes:
        migration: It, with the version that says where it stands among the others.
        file: The name of its file; empty for one that is yet to be written.
        moves: It cannot keep its version.
    """

    migration: Migration
    file: str
    moves: bool = False


Moved = tuple[Pending, Migration]


def renumber(
    pending: Iterable[Pending], known: Iterable[str], *, now: datetime | None = None
) -> Mapping[Pending, Sequence[Moved]]:
    """Give new versions, later than all that is known, to what cannot keep its own, so that the order stays.

    A new version stands before the oldest one that stays. Where there is no room for that, those after it get new
    versions too: they may build on what moves.

    Args:
        pending: What the remote has not had.
        known: All versions that are taken, those that the remote has had among them.
        now: The time to use; the current one as a rule.

    Returns:
        For each migration that has to move: it, and those that move because of it.
    """
    ordered = sorted(pending, key=lambda p: (p.migration.version, p.moves, p.migration.name))
    taken, last = set(known), ""
    found: dict[Pending, list[Moved]] = {}
    group: list[Moved] = []
    for position, this in enumerate(ordered):
        if not this.moves and this.migration.version > last:
            last = this.migration.version
            continue
        staying = (p.migration.version for p in ordered[position + 1 :] if not p.moves)
        last = _free(taken, next((version for version in staying if version > last), ""), now)
        taken.add(last)
        if this.moves:
            group = found[this] = []
        group.append((this, replace(this.migration, version=last)))
    return found


def _free(taken: set[str], before: str, now: datetime | None) -> str:
    earlier = [v for v in taken if not before or v < before]
    version = next_version(earlier, now=now, before=before) or next_version([*taken], now=now)
    assert version is not None  # noqa: S101 - None only says that there is no room before `before`
    return version
