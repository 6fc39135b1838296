"""How files differ from what a database has recorded of them: an edit, another migration, a squash. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import zip_longest

from .. import sqltext
from ..databases.catalog.claims import subjects
from ..state.histories import Recorded, Row, Status
from ..state.migrations import Migration
from ..state.same_sql import key
from .model import Conflict, Kind, Way

EXCERPT = 160  # characters of a statement in a message


def compare(sql: str, statements: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Compare a file's text with the recorded statements; what the parser overlooks does not count.

    Returns:
        Pairs of (recorded, in the file) statements that differ; an empty text where one has no counterpart. Where
        PostgreSQL's parser refuses either text, both are taken as one statement each.
    """
    recorded = "\n;\n".join(statements)
    try:
        before, after = ([statement.text for statement in sqltext.split(text)] for text in (recorded, sql))
    except sqltext.UnparsableSql:
        return ((recorded.strip(), sql.strip()),)
    matcher = SequenceMatcher(None, [*map(key, before)], [*map(key, after)], autojunk=False)
    return tuple(
        pair
        for tag, a, b, c, d in matcher.get_opcodes()
        if tag != "equal"
        for pair in zip_longest(before[a:b], after[c:d], fillvalue="")
    )


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
    if {key(p.statement.text) for p in ours} & {key(p.statement.text) for p in theirs}:
        return False
    renamed = bool(recorded.name) and recorded.name != file.name
    about, others = ({s.key for p in parsed for s in subjects(p)} for parsed in (ours, theirs))
    return renamed or bool(about and others and not about & others)


def told(changes: Sequence[tuple[str, str]]) -> Iterator[str]:
    """The pairs that `compare` has found, each in a line or two."""
    for change in changes:
        words = ("recorded", "in the file") if all(change) else ("gone from the file", "added in the file")
        yield from (f"{word}: {_short(text)}" for word, text in zip(words, change, strict=True) if text)


def _short(statement: str) -> str:
    text = " ".join(statement.split())
    return text if len(text) <= EXCERPT else f"{text[:EXCERPT]}…"


def squash(rows: Sequence[Row]) -> Conflict | None:
    """A file that stands for recorded versions whose own files are gone; None where there is none."""
    first = next((position for position, row in enumerate(rows) if row.file), 0)
    before, this = [row for row in rows[:first] if row.status is Status.MISSING], rows[first] if rows else None
    if not before or this is None or this.file is None or this.status is not Status.EDITED:
        return None
    if is_another(this.file, this.remote) or any(_has_a_file(row, rows[first:]) for row in before):
        return None
    what = (
        f"{this.file.file_name} has other statements than were recorded, and the files of the {len(before)} recorded "
        "versions before it are gone, as after `supabase migration squash`."
    )
    repair = 'supabase migration repair --db-url "$(invoke url --remote)" --status'
    on = (
        f"If it is meant, tell the remote's history: `{repair} reverted {' '.join(row.version for row in before)}`, "
        f"then `{repair} applied {this.version}`, for each remote; then `invoke reset` and `invoke verify`, in each "
        "clone. See docs/conflicts.md."
    )
    back = "If not, bring the old files back, such as with `git checkout COMMIT -- supabase/migrations`."
    return Conflict(Kind.SQUASHED, this.version, this.file.name, what, (Way(on), Way(back)))


def _has_a_file(row: Row, others: Sequence[Row]) -> bool:
    """Whether what was recorded stands in the file of another version: renamed, not squashed."""
    had = row.remote
    return any(r.file and had.matches(r.file) for r in others) if had and had.statements else False
