"""Statements for what a migration claims of the platform's objects: the facts and the engine leave all of them out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..databases.catalog import Difference
from .script import Part, added

_GRANTABLE = " with grant option"
WHY = "a migration has a statement about this, and the engine leaves the platform's objects out"


def claimed(differences: Iterable[Difference]) -> Iterator[Part]:
    """What makes the first database have the privileges and the row level security of the second.

    Args:
        differences: In what is the user's; those of the user's own objects are left to others.
    """
    for this in differences:
        if this.object.whose and this.left != this.right:
            for text in _statements(this):
                yield added(text, WHY)


def _statements(this: Difference) -> Iterator[str]:
    if this.object.kind == "acl":
        yield from _rights(this)
    elif this.object.kind == "rls" and this.left and this.right:
        old, new = _switches(this.left), _switches(this.right)
        yield from (f"ALTER TABLE {this.object.name} {word} ROW LEVEL SECURITY" for word in new if word not in old)


def _rights(this: Difference) -> Iterator[str]:
    role, _, on = this.object.name.partition(" on ")
    if on.startswith("column "):  # it would have to stand inside the list of privileges
        return
    had, has = _privileges(this.left), _privileges(this.right)
    for privilege in sorted(had - has):
        if privilege.endswith(_GRANTABLE) and privilege.removesuffix(_GRANTABLE) in has:
            yield f"REVOKE GRANT OPTION FOR {privilege.removesuffix(_GRANTABLE)} ON {on} FROM {role}"
        elif privilege + _GRANTABLE not in has:
            yield f"REVOKE {privilege.removesuffix(_GRANTABLE)} ON {on} FROM {role}"
    for privilege in sorted(has - had):
        if privilege + _GRANTABLE not in had:
            option = " WITH GRANT OPTION" if privilege.endswith(_GRANTABLE) else ""
            yield f"GRANT {privilege.removesuffix(_GRANTABLE)} ON {on} TO {role}{option}"


def _privileges(definition: str | None) -> set[str]:
    return set(definition.split(", ")) if definition else set()


def _switches(definition: str) -> tuple[str, str]:
    """`on, forced` as the words of ALTER TABLE."""
    state, _, forced = definition.partition(", ")
    return "ENABLE" if state == "on" else "DISABLE", "FORCE" if forced else "NO FORCE"
