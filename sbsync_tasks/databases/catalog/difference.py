"""A fact that two databases do not share, and many of them in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sbsync_tasks.checks.finding import mask

from .read import CatalogObject

LINE_LIMIT = 100
LEAD = 20  # characters that are shown of what two long texts have in common
MIGRATIONS = "migrations"  # what a shadow is called: it is nothing but these
_SPOKEN = {
    "acl": "privileges of",
    "default acl": "default privileges of",
    "owner": "owner of",
    "rls": "row level security of",
}
_PLURALS = {"index": "indexes", "policy": "policies", "publication member": "publications"}
_COUNTED = ("column", "constraint", "index", "policy", "trigger", "rule", "extended statistics", "publication member")
# Their definitions are long, or are told by their parts.
_LONG = ("table", "foreign table", "view", "materialized view", "function", "procedure", "aggregate", "schema")
_USUAL_OWNER = "postgres"


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


def told(differences: Iterable[Difference]) -> list[str]:
    """Plain lines, one for each object that only one database has, then one for each fact of the others.

    What looks like a credential is masked.
    """
    every = tuple(differences)
    # An index of a partition comes and goes with its parent's or with the partition, and that is said.
    found = tuple(d for d in every if not (d.only and d.object.kind == "partition index")) or every
    whole = {str(d.object): d for d in found if d.only and not d.object.about}
    with_facts = {d.object.about for d in found} - whole.keys()  # a new sequence of an old column has an owner, too
    whole |= {str(d.object): d for d in found if d.only and str(d.object) in with_facts and d.object.about not in whole}
    parts: dict[str, list[Difference]] = {}
    rest: list[Difference] = []
    for this in found:
        owner = _belongs_to(this, whole, {str(d.object): d for d in found})
        if owner:
            parts.setdefault(owner, []).append(this)
        elif str(this.object) not in whole:
            rest.append(this)
    lines = [_object(d, parts.get(name, ())) for name, d in whole.items()]
    rest.sort(key=lambda d: (d.object.object, d.object))
    return [mask(line) for line in (*lines, *_merged(rest))]


def _belongs_to(this: Difference, whole: dict[str, Difference], every: dict[str, Difference]) -> str:
    """The object that only the same database has, and that this is a part of; empty for none."""
    about = this.object.about
    if about in whole:
        return about if this.only == whole[about].only else ""
    parent = every.get(about)  # a sequence is a part of its column's table, and has an owner and privileges of its own
    return _belongs_to(parent, whole, every) if parent is not None and parent.object.about else ""


def _object(this: Difference, parts: Sequence[Difference]) -> str:
    counts = Counter(p.object.kind for p in parts)
    said = [f"{n} {_plural(kind, n)}" for kind in _COUNTED if (n := counts[kind])]
    said += [f"row level security {_definition(p)}" for p in parts if p.object.kind == "rls"]
    own = [p for p in parts if p.object.kind == "owner" and p.object.about == str(this.object)]
    said += [f"owner {_definition(p)}" for p in own if _definition(p) != _USUAL_OWNER]
    if this.object.kind not in _LONG:
        return f"{this.summary}" + (f"; {', '.join(said)}" if said else "")
    return f"{this.object}: only {where(this.only)}" + (f" ({', '.join(said)})" if said else "")


def _definition(this: Difference) -> str:
    return this.left if this.left is not None else this.right or ""


def _plural(kind: str, number: int) -> str:
    return kind if number == 1 else _PLURALS.get(kind, kind if kind.endswith("s") else f"{kind}s")


def _merged(rest: Iterable[Difference]) -> list[str]:
    """One line each; the same privileges of several roles on one object are one."""
    lines: dict[tuple[object, ...], tuple[Difference, list[str]]] = {}
    for this in rest:
        role, _, what = this.object.name.partition(" on ")
        same = (what, this.left, this.right) if this.object.kind == "acl" else (this.object,)
        lines.setdefault(same, (this, []))[1].append(role)
    return [
        this.summary.replace(f" {roles[0]} on ", f" {', '.join(roles)} on ", 1) if roles[1:] else this.summary
        for this, roles in lines.values()
    ]
