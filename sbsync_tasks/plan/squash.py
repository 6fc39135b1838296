"""A squash (`supabase migration squash`): one file in the place of all up to its version. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..state.histories import Row, Verdict
from ..state.migrations import Migration
from .edits import is_another


@dataclass(frozen=True)
class Squash:
    """A file that stands for recorded versions whose own files are gone.

    Attributes:
        file: The file; the remote has recorded its version with other statements.
        gone: The recorded versions before it.
    """

    file: Migration
    gone: tuple[str, ...]

    @property
    def what(self) -> str:
        """What was found, in a sentence."""
        return (
            f"{self.file.file_name} has other statements than were recorded, and the files of the {len(self.gone)} "
            "recorded versions before it are gone, as after `supabase migration squash`."
        )

    @property
    def way_on(self) -> str:
        """How each database's history learns of it."""
        repair = 'supabase migration repair --db-url "$(invoke url --remote)" --status'
        return (
            f"If it is meant, tell the remote's history: `{repair} reverted {' '.join(self.gone)}`, then `{repair} "
            f"applied {self.file.version}`, for each remote; then `invoke reset` and `invoke verify`, in each clone. "
            "See docs/conflicts.md."
        )


def squash(rows: Sequence[Row]) -> Squash | None:
    """The squash that files and the remote's history speak of; None where there is none."""
    first = next((position for position, row in enumerate(rows) if row.file), 0)
    before, this = [row for row in rows[:first] if row.verdict is Verdict.MISSING], rows[first] if rows else None
    if not before or this is None or this.file is None or this.verdict is not Verdict.EDITED:
        return None
    if is_another(this.file, this.remote) or any(_has_a_file(row, rows[first:]) for row in before):
        return None
    return Squash(this.file, tuple(row.version for row in before))


def _has_a_file(row: Row, others: Sequence[Row]) -> bool:
    """Whether what was recorded stands in the file of another version: renamed, not squashed."""
    recorded = row.remote
    if recorded is None or not recorded.statements:
        return False
    return any(r.file and recorded.matches(r.file) for r in others)
