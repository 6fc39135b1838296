"""The rights of the API's roles on new objects in `public`: whether there are any is a setting of each project.

The platform calls it "Default privileges for new entities", the local stack `[api] auto_expose_new_tables`. It was on
everywhere; since 2026-10-30 it is off in hosted projects, and what was there before keeps its rights. So neither the
default nor what came of it is anybody's change.
Source: supabase.com/changelog/45329; the statements are those of CLI 3.1.0.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .difference import Difference
from .model import Catalog

ROLES = ("anon", "authenticated", "service_role")
GIVEN = {
    "table": frozenset(("DELETE", "INSERT", "SELECT", "UPDATE")),
    "sequence": frozenset(("SELECT", "USAGE")),
    "function": frozenset(("EXECUTE",)),
}
_DEFAULTS = "postgres in schema public: "
_RIGHT = re.compile(r"(\w+) on (table|sequence|function) public\.")


def withheld(catalog: Catalog) -> frozenset[tuple[str, str]]:
    """The roles and the kinds of new objects that a database does not give these rights on."""
    defaults = {f.name.removeprefix(_DEFAULTS): text for f, text in catalog.items() if f.name.startswith(_DEFAULTS)}
    if not defaults:
        return frozenset()
    return frozenset(
        (role, kind) for kind, given in GIVEN.items() for role in ROLES
        if not given & _by_role(defaults.get(f"{kind}s", "")).get(role, frozenset())
    )  # fmt: skip


def explains(off: frozenset[tuple[str, str]], found: Difference, claimed: frozenset[str] | None) -> bool:
    """Whether a difference is nothing but that setting, on in the one database and off in the other.

    Args:
        off: Where it is off, in either.
        found: The difference.
        claimed: The privileges that migrations have statements about, empty for all; None for none.
    """
    pairs = [*_pairs(found)]
    return bool(pairs) and all(
        key in off and claimed != frozenset() and _is_all_of(GIVEN[key[1]] - (claimed or frozenset()), left, right)
        for key, left, right in pairs
    )


def _pairs(found: Difference) -> Iterator[tuple[tuple[str, str], frozenset[str], frozenset[str]]]:
    """The roles and kinds whose rights differ, with the rights in both databases."""
    name, left, right = found.object.name, found.left or "", found.right or ""
    if found.object.kind == "default acl" and name.startswith(_DEFAULTS):
        kind = name.removeprefix(_DEFAULTS).removesuffix("s")
        here, there = _by_role(left), _by_role(right)
        for role in here.keys() | there.keys():
            rights = here.get(role, frozenset()), there.get(role, frozenset())
            if rights[0] != rights[1]:
                yield (role, kind), *rights
    elif found.object.kind == "acl" and (match := _RIGHT.match(name)):
        yield (match[1], match[2]), _rights(left), _rights(right)


def _is_all_of(given: frozenset[str], left: frozenset[str], right: frozenset[str]) -> bool:
    return left ^ right == given and (given <= left or given <= right)


def _by_role(definition: str) -> dict[str, frozenset[str]]:
    lines = (line.partition(": ") for line in definition.splitlines())
    return {role: _rights(rights) for role, _, rights in lines}


def _rights(text: str) -> frozenset[str]:
    return frozenset(text.split(", ")) - {""}
