"""A fact that two databases do not share, and how it is told."""

from __future__ import annotations

from dataclasses import dataclass, field

from .model import CatalogObject

LINE_LIMIT = 100
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
    ours, theirs = left.splitlines(), right.splitlines()
    mine, other = [x for x in ours if x not in theirs], [x for x in theirs if x not in ours]
    if not mine and not other:  # the same lines
        mine, other = ["in the order " + ", ".join(ours)], ["in the order " + ", ".join(theirs)]
    one, two = (_shortened("; ".join(lines)) or "without" for lines in (mine, other))
    return f"{names[0]} {one}, {names[1]} {two}"


def _shortened(text: str) -> str:
    return text if len(text) <= LINE_LIMIT else text[: LINE_LIMIT - 1] + "…"
