"""A fact that two databases do not share, and how it is told."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from .model import CatalogObject

LINE_LIMIT = 100
LEAD = 20  # characters that are shown of what two long texts have in common
MIGRATIONS = "migrations"  # what a shadow is called: it is nothing but these
_SPOKEN = {
    "acl": "privileges of",
    "default acl": "default privileges of",
    "owner": "owner of",
    "rls": "row level security of",
}


@dataclass(frozen=True)
class Difference:
    """A fact that two databases do not share.

    Attributes:
        object: What it is about.
        left: Its definition in the first database, None where it has none.
        right: The same in the second.
        names: What the two databases are called.
    """

    object: CatalogObject
    left: str | None
    right: str | None
    names: tuple[str, str] = field(default=("the first", "the second"), compare=False)

    @property
    def only(self) -> str:
        """The one database that has it; empty where both have it."""
        return self.names[1] if self.left is None else self.names[0] if self.right is None else ""

    @property
    def in_line_ends_alone(self) -> bool:
        """Whether it is `CR LF` against `LF` in a body or a text, and nothing else."""
        left, right = self.left, self.right
        return left is not None and right is not None and left.replace("\r\n", "\n") == right.replace("\r\n", "\n")

    @property
    def spoken(self) -> str:
        """What differs, in words."""
        return f"{_SPOKEN.get(self.object.kind, self.object.kind)} {self.object.name}"

    @property
    def summary(self) -> str:
        """One plain line; it may hold what a definition holds, a credential too."""
        if self.left is not None and self.right is not None:
            return f"{self.spoken} differs: {_both(self.left, self.right, self.names)}"
        definition = self.left if self.right is None else self.right
        said = _shortened("; ".join((definition or "").splitlines()))
        return f"{self.spoken}: only {where(self.only)}" + (f" ({said})" if said else "")


def where(name: str) -> str:
    """Where something is, in words."""
    return f"in the {name}" if name == MIGRATIONS or " " in name else f"on {name}"


def _both(left: str, right: str, names: tuple[str, str]) -> str:
    """What of each definition is not in the other one, line by line."""
    if left.split() == right.split():
        return "in blanks and line breaks alone"
    ours, theirs = Counter(_lines(left)), Counter(_lines(right))
    if ours == theirs:
        texts = tuple(f"in the order {', '.join(_lines(text))}" for text in (left, right))
    else:
        texts = tuple("; ".join((one - two).elements()) for one, two in ((ours, theirs), (theirs, ours)))
    one, two = (_shortened(text) or "without" for text in _from_where_they_part(*texts))
    return f"{names[0]} {one}, {names[1]} {two}"


def _lines(definition: str) -> list[str]:
    return [line.strip() for line in definition.splitlines() if line.strip()]


def _from_where_they_part(one: str, two: str) -> tuple[str, str]:
    """Two texts without what both begin with, where that would leave no room for the rest."""
    if max(len(one), len(two)) <= LINE_LIMIT:
        return one, two
    common = next((i for i, (a, b) in enumerate(zip(one, two, strict=False)) if a != b), min(len(one), len(two)))
    start = one.rfind(" ", 0, max(common - LEAD, 0)) + 1
    return (f"…{one[start:]}", f"…{two[start:]}") if start else (one, two)


def _shortened(text: str) -> str:
    return text if len(text) <= LINE_LIMIT else text[: LINE_LIMIT - 1] + "…"
