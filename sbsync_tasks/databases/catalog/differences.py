"""Comparing two catalogs."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files

from .model import MANAGED_SCHEMAS, SERVICE_OBJECT, Catalog, CatalogObject

# Bodies, arguments and options may hold keys; definitions of these kinds are short and hold none.
SHOWN = frozenset((
    "acl", "default acl", "owner", "rls", "policy", "enum", "column", "constraint", "index",
    "sequence", "publication",
))  # fmt: skip
LINE_LIMIT = 100
ITSELF = "itself"


@dataclass(frozen=True)
class Difference:
    """A fact that two databases do not share.

    Attributes:
        object: What it is about.
        left: Its definition in the first database, None where it has none.
        right: The same in the second.
    """

    object: CatalogObject
    left: str | None
    right: str | None

    @property
    def shown(self) -> tuple[str | None, str | None]:
        """Both definitions; a digest stands for one that may hold a key."""
        if self.object.kind in SHOWN:
            return self.left, self.right
        return _digest(self.left), _digest(self.right)

    @property
    def summary(self) -> str:
        """One plain line; definitions that may hold a secret are not part of it."""
        if self.right is None:
            return f"{self.object}: only left"
        if self.left is None:
            return f"{self.object}: only right"
        if self.object.kind not in SHOWN:
            return f"{self.object}: differs"
        left, right = self.left.splitlines(), self.right.splitlines()
        return f"{self.object}: left {_rest(left, right)}, right {_rest(right, left)}"


def _digest(definition: str | None) -> str | None:
    return None if definition is None else f"sha256:{hashlib.sha256(definition.encode()).hexdigest()[:16]}"


def _rest(lines: list[str], others: list[str]) -> str:
    text = "; ".join(line for line in lines if line not in others) or "nothing more"
    return text if len(text) <= LINE_LIMIT else text[: LINE_LIMIT - 1] + "…"


@dataclass(frozen=True)
class PlatformDifference:
    """A difference between two bases that no user made, as platform_differences.toml lists them.

    Attributes:
        kind: The kind of fact.
        schema: The schema it stands in, a managed one.
        object: A pattern (`*`, `?`) for the fact's name.
        why: Why the bases differ.
        source: The public text that says so.
        where_missing: The entry holds only where exactly one of the two databases lacks this object
            of a service (`table storage.migrations`), or the one that the fact is about (`itself`);
            empty: always.
    """

    kind: str
    schema: str
    object: str
    why: str
    source: str
    where_missing: str = ""

    def covers(self, difference: Difference, left: Catalog, right: Catalog) -> bool:
        """Whether this entry explains the difference."""
        it = difference.object
        return (
            it.kind == self.kind
            and it.schema == self.schema
            and fnmatchcase(it.name, self.object)
            and (not self.where_missing or self._missing(it, left, right))
        )

    def _missing(self, it: CatalogObject, left: Catalog, right: Catalog) -> bool:
        name = it.service_object if self.where_missing == ITSELF else self.where_missing
        key = CatalogObject(SERVICE_OBJECT, name)
        return (key in left) != (key in right)


@cache
def platform_differences() -> tuple[PlatformDifference, ...]:
    """The entries of `platform_differences.toml`."""
    file = files("sbsync_tasks.databases").joinpath("platform_differences.toml")
    return tuple(PlatformDifference(**entry) for entry in tomllib.loads(file.read_text(encoding="utf-8"))["difference"])


def compare(left: Catalog, right: Catalog) -> tuple[Difference, ...]:
    """The facts in which two databases differ, sorted by kind and name.

    The platform's known differences are left out; a fact about a user's schema never is, whatever
    the list of platform differences says. `CR LF` against `LF` is no difference.
    """
    found = (d for d in _unlike(left, right) if not _in_line_ends_alone(d))
    return tuple(d for d in found if not _is_platforms(d, left, right))


def in_line_ends_alone(left: Catalog, right: Catalog) -> tuple[CatalogObject, ...]:
    """What one database has with `CR LF` and the other with `LF`, in a body or a text, and otherwise alike."""
    return tuple(d.object for d in _unlike(left, right) if _in_line_ends_alone(d))


def _unlike(left: Catalog, right: Catalog) -> Iterator[Difference]:
    for key in sorted(left.keys() | right.keys()):
        if key.kind != SERVICE_OBJECT and left.get(key) != right.get(key):
            yield Difference(key, left.get(key), right.get(key))


def _in_line_ends_alone(difference: Difference) -> bool:
    left, right = difference.left, difference.right
    return left is not None and right is not None and left.replace("\r\n", "\n") == right.replace("\r\n", "\n")


def _is_platforms(difference: Difference, left: Catalog, right: Catalog) -> bool:
    if not re.match(MANAGED_SCHEMAS, difference.object.schema):
        return False
    return any(entry.covers(difference, left, right) for entry in platform_differences())
