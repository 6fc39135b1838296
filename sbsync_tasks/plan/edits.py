"""How files differ from what a database has recorded of them: an edit, another migration, a squash. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest

from .. import sqltext
from ..databases.catalog.subjects import subjects
from ..state.histories import Recorded, Row, Status
from ..state.migrations import Migration
from ..state.same_sql import essence

EXCERPT = 160  # characters of a statement in a message


def compare(sql: str, statements: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Compare a file's text with the recorded statements; what the parser overlooks does not count.

    Returns:
        Pairs of (recorded, in the file) statements that differ; an empty text where one has no counterpart. Where
        PostgreSQL's parser refuses either text, both are taken as one statement each.
    """
    recorded = "\n;\n".join(statements)
    try:
        before, after = _statements(recorded), _statements(sql)
    except sqltext.UnparsableSql:
        return ((recorded.strip(), sql.strip()),)
    return _changes(before, after)


def _statements(sql: str) -> list[str]:
    return [statement.text for statement in sqltext.split(sql)]


def _changes(before: Sequence[str], after: Sequence[str]) -> tuple[tuple[str, str], ...]:
    matcher = SequenceMatcher(a=_keys(before), b=_keys(after), autojunk=False)
    return tuple(
        pair
        for tag, a, b, c, d in matcher.get_opcodes()
        if tag != "equal"
        for pair in zip_longest(before[a:b], after[c:d], fillvalue="")
    )


def _keys(statements: Sequence[str]) -> list[object]:
    return [essence(statement) for statement in statements]


def is_another(file: Migration, recorded: Recorded | None) -> bool:
    """Whether a file is another migration than the one that was recorded with its version, and no edit of that.

    Two clones that write in one second give one version to both. Then no statement is the same, and they are about
    other things, or the names differ.
    """
    if recorded is None or recorded.statements is None or recorded.matches(file):
        return False
    try:
        ours, theirs = sqltext.parse(file.sql), sqltext.parse(recorded.text)
    except sqltext.UnparsableSql:
        return False
    if {essence(p.statement.text) for p in ours} & {essence(p.statement.text) for p in theirs}:
        return False
    renamed = bool(recorded.name) and recorded.name != file.name
    about, others = ({s.key for p in parsed for s in subjects(p)} for parsed in (ours, theirs))
    return renamed or bool(about and others and not about & others)


def told(changes: Sequence[tuple[str, str]]) -> Iterator[str]:
    """The pairs that `compare` has found, each in a line or two."""
    for recorded, file in changes:
        if not file:
            yield f"gone from the file: {_short(recorded)}"
        elif not recorded:
            yield f"added in the file: {_short(file)}"
        else:
            yield f"recorded: {_short(recorded)}"
            yield f"in the file: {_short(file)}"


def _short(statement: str) -> str:
    text = " ".join(statement.split())
    return text if len(text) <= EXCERPT else f"{text[:EXCERPT]}…"


def differ(number: int) -> str:
    """How many do."""
    return "1 statement differs" if number == 1 else f"{number} statements differ"


# --- a squash ---


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
    before, this = [row for row in rows[:first] if row.status is Status.MISSING], rows[first] if rows else None
    if not before or this is None or this.file is None or this.status is not Status.EDITED:
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
