"""The rights of the API's roles on new objects in `public`: whether there are any is a setting of each project.

The platform calls it "Default privileges for new entities", the local stack `[api] auto_expose_new_tables`. It was on
everywhere; since 2026-10-30 it is off in hosted projects, and what was there before keeps its rights. So neither the
default nor what came of it is anybody's change.
Source: supabase.com/changelog/45329; the statements are those of CLI 3.1.0.
"""

from __future__ import annotations

import re

from .claims import Claims
from .difference import Difference
from .model import Catalog, CatalogObject
from .subjects import key_of

ROLES = ("anon", "authenticated", "service_role")
GIVEN = {
    "table": frozenset(("DELETE", "INSERT", "SELECT", "UPDATE")),
    "sequence": frozenset(("SELECT", "USAGE")),
    "function": frozenset(("EXECUTE",)),
}
_NONE: frozenset[str] = frozenset()
_DEFAULTS = "postgres in schema public: "
_RIGHT = re.compile(rf"({'|'.join(ROLES)})( on (table|sequence|function) public\..*)", re.DOTALL)


class Setting:
    """What the setting explains of the differences of two databases.

    Args:
        left: The one database.
        right: The other.
        claims: What the migrations have statements about.
    """

    def __init__(self, left: Catalog, right: Catalog, claims: Claims) -> None:
        self._catalogs = (left, right)
        self._claims = claims
        self._off = tuple(map(_withheld, self._catalogs))

    def explains(self, found: Difference) -> bool:
        """Whether a difference is nothing but this: rights that the one database gives, and the other does not."""
        kind, name = found.object.kind, found.object.name
        if not any(self._off):
            return False
        if kind == "default acl" and name.startswith(_DEFAULTS):
            return self._is_default(found)
        match = _RIGHT.fullmatch(name) if kind == "acl" else None
        return match is not None and self._is_right(found, *match.groups())

    def _is_default(self, found: Difference) -> bool:
        """A statement about the default says all of what it is to be, so what is claimed counts for nothing here.

        The setting is for all roles at once: one that is treated apart was somebody's choice.
        """
        kind = found.object.name.removeprefix(_DEFAULTS).removesuffix("s")
        given = GIVEN.get(kind, _NONE)
        left, right = _by_role(found.left or ""), _by_role(found.right or "")
        pairs = ((left.get(role, _NONE), right.get(role, _NONE)) for role in left.keys() | right.keys())
        sides = {_less(given, *pair) for pair in pairs if pair[0] != pair[1]}
        less = sides.pop() if len(sides) == 1 else None
        return less is not None and all((role, kind) in self._off[less] for role in ROLES)

    def _is_right(self, found: Difference, role: str, on: str, kind: str) -> bool:
        """The side that has less gives none, and has none for any role; the other one has them for every role."""
        given = {each: self._unclaimed(GIVEN[kind], f"{each}{on}") for each in ROLES}
        less = _less(given[role], _rights(found.left or ""), _rights(found.right or ""))
        if not given[role] or less is None or (role, kind) not in self._off[less]:
            return False
        poor, rich = ([_rights(side.get(_acl(f"{each}{on}"), "")) for each in ROLES] for side in self._in_order(less))
        wanted = [given[each] for each in ROLES]
        return not any(map(frozenset.intersection, wanted, poor)) and all(map(frozenset.issubset, wanted, rich))

    def _in_order(self, less: int) -> tuple[Catalog, Catalog]:
        return self._catalogs[less], self._catalogs[1 - less]

    def _unclaimed(self, rights: frozenset[str], name: str) -> frozenset[str]:
        claimed = self._claims.privileges(key_of(_acl(name)))
        return rights if claimed is None else rights - claimed if claimed else _NONE


def _acl(name: str) -> CatalogObject:
    return CatalogObject("acl", name)


def _less(given: frozenset[str], left: frozenset[str], right: frozenset[str]) -> int | None:
    """Which side has all but these rights of what the other one has; None where that is not the difference."""
    return 0 if right - left == given and left <= right else 1 if left - right == given and right <= left else None


def _withheld(catalog: Catalog) -> frozenset[tuple[str, str]]:
    """The roles and the kinds of new objects that a database gives no such right on; none where it has no defaults."""
    defaults = {f.name.removeprefix(_DEFAULTS): text for f, text in catalog.items() if f.name.startswith(_DEFAULTS)}
    return frozenset(
        (role, kind) for kind, given in GIVEN.items() for role in ROLES
        if defaults and not given & _by_role(defaults.get(f"{kind}s", "")).get(role, _NONE)
    )  # fmt: skip


def _by_role(definition: str) -> dict[str, frozenset[str]]:
    lines = (line.partition(": ") for line in definition.splitlines())
    return {role: _rights(rights) for role, _, rights in lines}


def _rights(text: str) -> frozenset[str]:
    return frozenset(text.split(", ")) - {""}
