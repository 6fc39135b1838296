"""Differences in words: object by object, a new one with all that belongs to it in one line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from sbsync_tasks.checks.finding import mask

from .difference import Difference, where

_PLURALS = {"index": "indexes", "policy": "policies", "publication member": "publications"}
_COUNTED = ("column", "constraint", "index", "policy", "trigger", "rule", "extended statistics", "publication member")
# Their definitions are long, or are told by their parts.
_LONG = ("table", "foreign table", "view", "materialized view", "function", "procedure", "aggregate", "schema")
_USUAL_OWNER = "postgres"


def told(differences: Iterable[Difference]) -> list[str]:
    """Plain lines, one for each object that only one database has, then one for each fact of the others.

    What looks like a credential is masked.
    """
    found = tuple(differences)
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
