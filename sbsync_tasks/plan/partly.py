"""What a push that failed has left behind: how much of a file, which invalid indexes, and the way on. Pure.

The CLI runs most files as one transaction. It does not where a statement refuses one (`create index concurrently`),
or where the file has transactions of its own: what stands before the fault stays then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..checks import mask, review, unseen
from ..databases.catalog import Catalog, Difference
from ..sqltext import Statement, UnparsableSql, split
from ..state.migrations import Migration

EXCERPT = 60  # characters of a statement in a message
_NOT_ATOMIC = {"not-alone", "explicit-transaction"}
_INVALID = "invalid"


def is_atomic(migration: Migration) -> bool:
    """Whether a file is applied all or nothing."""
    return not any(finding.rule in _NOT_ATOMIC for finding in review(migration.sql).findings)


def may_leave_parts(migration: Migration) -> bool:
    """Whether what stands before a statement that fails may stay; a procedure that is called may end transactions."""
    return not is_atomic(migration) or any(s.kind == "CALL" for s in statements(migration))


def statements(migration: Migration) -> tuple[Statement, ...]:
    """The statements of a file; none where the parser refuses it."""
    try:
        return split(migration.sql)
    except UnparsableSql:
        return ()


def cure(broken: Difference) -> str:
    """What ends an invalid index: one that the history has is built again, any other one is dropped."""
    word = "reindex index concurrently" if broken.left is not None else "drop index concurrently if exists"
    return f"{word} {broken.object.name};"


def invalid(differences: Iterable[Difference]) -> tuple[Difference, ...]:
    """The indexes that only the second database, a history's owner, has as invalid: they serve no query.

    A statement that failed has left such a one, or has not brought it to its end.
    """
    return tuple(d for d in differences if d.object.kind == "index" and _broken(d.right) and not _broken(d.left))


def _broken(definition: str | None) -> bool:
    return _INVALID in (definition or "").splitlines()


def mended(catalog: Catalog, broken: Iterable[Difference]) -> Catalog:
    """The catalog as it will be once the cures have been carried out."""
    ends = {this.object: this.left for this in broken}
    return {fact: made for fact, has in catalog.items() if (made := ends.get(fact, has)) is not None}


@dataclass(frozen=True)
class Partly:
    """A file of which a database has had the first statements.

    Attributes:
        file: The file.
        least: How many it has had at least.
        most: How many it has had at most: what stands between leaves no trace in the schemas.
    """

    file: Migration
    least: int
    most: int

    @property
    def first(self) -> str:
        """The statements that are there, in words."""
        known = statements(self.file)[: self.least]
        if len(known) == 1:
            return f"its first statement ({_place(known[0])})"
        return f"its first {len(known)} statements (to {_place(known[-1])})"

    @property
    def rest(self) -> tuple[Statement, ...]:
        """The statements that are certainly not there."""
        return statements(self.file)[self.most :]

    @property
    def said(self) -> Iterator[str]:
        """How much of it is there, and what may or may not have been run, as far as it shows: a sentence each."""
        known = statements(self.file)
        if self.least:
            yield f"{self.file.file_name} is there in part, {self.first} of {len(known)}."
        if between := known[self.least : self.most]:
            listed = ", ".join(map(_place, between))
            yield f"Whether {listed} was run, too, the schemas do not tell: look at the rows there."


@dataclass(frozen=True)
class Leftovers:
    """What a push that failed has left on a database.

    Attributes:
        where: What the database is called on screen.
        broken: The invalid indexes.
        partly: The file that is there in part, where that is known.
    """

    where: str
    broken: tuple[Difference, ...] = ()
    partly: Partly | None = None

    @property
    def said(self) -> str:
        """What is there, in sentences; the differences themselves are listed apart."""
        names = ", ".join(this.object.name for this in self.broken)
        index = [f"Invalid, and used by no query: {names}."] if names else []
        return " ".join([*(self.partly.said if self.partly else ()), *index])

    @property
    def way_on(self) -> str:
        """The way to a database that is what its history says, step by step."""
        steps = [f"Run on {self.where}: `{cure(this)}`" for this in self.broken]
        otherwise = ""
        if self.partly is None or not self.partly.least:
            steps.append("`invoke local-to-remote` again.")
        elif unseen(self.partly.file.sql):  # rows: it would not be known by its effect
            steps += _adopt(self.partly)
        else:
            if rest := self.partly.rest:
                path = f"supabase/migrations/{self.partly.file.file_name}"
                steps.append(f"Run on {self.where} what is left of {path}, {_place(rest[0])} and what follows.")
                otherwise = f"Or adopt what is there, instead of the last two: {' '.join(_adopt(self.partly))}"
            steps.append("`invoke local-to-remote` again: it knows the file by its effect, and records it.")
        listed = [f"  {number}. {step}" for number, step in enumerate(steps, 1)]
        by_hand = "`invoke psql --remote` opens that database." if "Run on" in listed[0] else ""
        return "\n".join(filter(None, (*listed, otherwise, by_hand)))


def _adopt(partly: Partly) -> list[str]:
    return [
        f"Take {partly.first} out of supabase/migrations/{partly.file.file_name}.",
        "`invoke remote-to-local`: it makes a migration of what that did.",
        "`invoke local-to-remote`: it brings the rest.",
    ]


def _place(statement: Statement) -> str:
    text = mask(" ".join(statement.text.split()))
    return f"line {statement.line}: `{text if len(text) <= EXCERPT else text[:EXCERPT] + '…'}`"
