"""Comparing two catalogs: what the user made is a difference, what the platform brings is told apart."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property

from sbsync_tasks import sqltext
from sbsync_tasks.checks.names import quoted
from sbsync_tasks.sqltext import UnparsableSql

from ...platform import PLATFORM_EXTENSIONS, SERVICE_ROLES, is_managed
from .claims import Claims, Key, Subject, key_of, subjects
from .facts import Catalog, CatalogObject, Difference, identity

# Facts about an object that belong to its owner; what users make on it (policies, triggers, members of publications)
# says for itself whose it is.
_OF_THE_OBJECT = frozenset(
    ["acl", "owner", "rls", "column", "constraint", "index", "rule", "comment", "body", "partition index"]
)
_PARTS = _OF_THE_OBJECT | {"policy", "trigger", "publication member", "exposed", "stand-in"}
_TOLD_APART = ("exposed", "stand-in")
# The access methods of `vector`, which its stand-in lacks.
_VECTOR_INDEX = re.compile(r"\busing (hnsw|ivfflat)\b", re.IGNORECASE)
_ONLY_WHERE_CLAIMED = frozenset(["body", "exposed"])
# Made by the platform, set up by users: it is theirs where both databases have it.
_FILLED_BY_USERS = "publication supabase_realtime"
NAMES = ("the first", "the second")
_API_ROLES = ("anon", "authenticated", "service_role")
_GIVEN = {
    "table": frozenset(("DELETE", "INSERT", "SELECT", "UPDATE")),
    "sequence": frozenset(("SELECT", "USAGE")),
    "function": frozenset(("EXECUTE",)),
}
_NONE: frozenset[str] = frozenset()
_DEFAULTS = "postgres in schema public: "
_RIGHT = re.compile(rf"({'|'.join(_API_ROLES)})( on (table|sequence|function) public\..*)", re.DOTALL)


def compare(
    left: Catalog, right: Catalog, claims: Claims | None = None, names: tuple[str, str] = NAMES
) -> tuple[Difference, ...]:
    """The facts of the user's in which two databases differ, sorted by kind and name.

    A fact about an object of the platform's is the user's only where a migration claims it, and both databases have
    the object: ages of the platform differ in all else. `CR LF` against `LF` is no difference. The claims are those of
    the migrations; the names are what the two databases are called.
    """
    return tuple(d for d, users in _Pair(left, right, claims, names).differences() if users)


def platform(
    left: Catalog, right: Catalog, claims: Claims | None = None, names: tuple[str, str] = NAMES
) -> tuple[Difference, ...]:
    """The facts of the platform's in which two databases differ; nobody's doing, and no reason to stop."""
    return tuple(d for d, users in _Pair(left, right, claims, names).differences() if not users)


def in_line_ends_alone(left: Catalog, right: Catalog, claims: Claims | None = None) -> tuple[CatalogObject, ...]:
    """What of the user's one database has with `CR LF` and the other with `LF`, and otherwise alike."""
    found = _Pair(left, right, claims, NAMES).differences(line_ends=True)
    return tuple(d.object for d, users in found if users)


def exposed(catalog: Catalog) -> tuple[str, ...]:
    """The rights of the API's roles on tables of `auth` and `vault`, which no age of the platform grants."""
    return tuple(f"{fact.name}: {catalog[fact]}" for fact in sorted(catalog) if fact.kind == "exposed")


def stand_ins(catalog: Catalog) -> tuple[str, ...]:
    """The extensions that are stand-ins in a database, but for those that the platform installs by itself."""
    return tuple(sorted(f.name for f in catalog if f.kind == "stand-in" and f.name not in PLATFORM_EXTENSIONS))


def without_platform(
    sql: str, left: Catalog, right: Catalog, claims: Claims | None = None, leave_out: Collection[str] = ()
) -> str:
    """A script of the CLI's engine without the statements about the platform's objects and what no stand-in has.

    What cannot be attributed stays. Of a script that only sets something up nothing stays. Statements of the kinds in
    `leave_out`, by the parser's names, go as well.
    """
    try:
        parsed = sqltext.parse(sql)
    except UnparsableSql:
        return sql
    pair = _Pair(left, right, claims, NAMES)
    dropped = {
        i for i, this in enumerate(parsed)
        if this.name in leave_out or (this.node is not None and pair.is_platforms(subjects(this)))
    }  # fmt: skip
    rest = [this for i, this in enumerate(parsed) if i not in dropped]
    if parsed and all(this.name == "variable_set_stmt" for this in rest):
        return ""
    return sqltext.without(sql, dropped) if dropped else sql


def nobodys(statements: Iterable[str], left: Catalog, right: Catalog, claims: Claims | None = None) -> frozenset[str]:
    """Those of some statements that are about nothing but the platform's objects, and rights that a setting gives."""
    pair = _Pair(left, right, claims, NAMES)
    return frozenset(text for text in statements if pair.is_nobodys(text))


class _Pair:
    """Two catalogs, and what tells the user's from the platform's in them."""

    def __init__(self, left: Catalog, right: Catalog, claims: Claims | None, names: tuple[str, str]) -> None:
        self._left, self._right, self._names = left, right, names
        self._claims = claims or Claims()
        self._sides = tuple({fact: fact for fact in catalog} for catalog in (left, right))
        self._there = tuple(map(_objects, (left, right)))
        roles = [{f.name for f in catalog if f.kind == "role"} for catalog in (left, right)]
        self._roles_of_one = roles[0] ^ roles[1] if all(roles) else set[str]()
        self._setting = _Setting(left, right, self._claims)
        no_vector = any(CatalogObject("stand-in", "vector") in catalog for catalog in (left, right))
        # Indexes that the one database cannot have, as `vector` is a stand-in there.
        self._left_out = {
            fact for catalog in (left, right) for fact, text in catalog.items()
            if no_vector and fact.kind == "index" and _VECTOR_INDEX.search(text)
        }  # fmt: skip
        self._left_out_keys = set(map(key_of, self._left_out))

    def differences(self, *, line_ends: bool = False) -> Iterator[tuple[Difference, bool]]:
        """Each difference, and whether it is the user's; of those that are in line ends alone, or of all others."""
        for found in self._found(line_ends=line_ends):
            if self._setting.explains(found):
                yield found, False
            elif not self._is_platforms(found):
                yield found, True
            elif (claimed := self._claimed(found)) is not None:
                yield claimed, True
            elif found.object.kind not in _ONLY_WHERE_CLAIMED:
                yield found, False

    def _found(self, *, line_ends: bool = False) -> Iterator[Difference]:
        """All of them, whoever's they are."""
        for key in sorted(self._left.keys() | self._right.keys()):
            if key.kind in _TOLD_APART or key in self._left_out:
                continue
            found = Difference(self._fact(key), self._left.get(key), self._right.get(key), self._names)
            if found.left != found.right and found.in_line_ends_alone is line_ends:
                yield found

    def is_platforms(self, about: Sequence[Subject]) -> bool:
        """Whether a statement is about nothing but the platform's objects, and what no stand-in has."""
        return bool(about) and all(
            s.key in self._left_out_keys or s.key in self._of_the_setting
            or (self._is_about_platform(s) and self._claims.privileges(s.key) is None)
            for s in about
        )  # fmt: skip

    def is_nobodys(self, text: str) -> bool:
        """The same of a text; what `public` is beside its rights is carried along, though no difference of its own."""
        try:
            about = [s for this in sqltext.parse(text) if this.node is not None for s in subjects(this)]
        except UnparsableSql:
            return False
        return self.is_platforms(about) and all(s.object != ("schema", "public") for s in about)

    @cached_property
    def _of_the_setting(self) -> frozenset[Key]:
        return frozenset(key_of(d.object) for d in self._found() if self._setting.explains(d))

    def _is_about_platform(self, subject: Subject) -> bool:
        kind, name = subject.object
        if subject.key.aspect == "acl" and subject.key.grantee in self._roles_of_one:
            return True
        if subject.object == ("schema", "public"):
            return subject.key.aspect != "acl"
        if name.startswith("role "):
            return bool(re.match(SERVICE_ROLES, name.removeprefix("role ").strip('"')))
        if subject.key.aspect in ("policy", "trigger", "publication member"):
            return kind == "relation" and self._brings(subject.object) and self._is_new_schema(subject.schema)
        there = any(subject.object in there for there in self._there)
        return self._brings(subject.object) or (not there and self._is_new_schema(subject.schema))

    def _brings(self, named: tuple[str, str]) -> bool:
        """Whether the platform brings an object, in either database."""
        return any(str(fact) != "schema public" and self._whose(fact) for fact in self._facts(named))

    def _facts(self, named: tuple[str, str]) -> list[CatalogObject]:
        return [fact for there in self._there for fact in there.get(named, ())]

    def _is_new_schema(self, schema: str) -> bool:
        """Whether it is one of the platform's that no list has, as its owner says."""
        return not is_managed(schema) and self._brings(("schema", schema))

    def _fact(self, key: CatalogObject) -> CatalogObject:
        """The fact as the one side has it that calls it the platform's, else as either has it."""
        found = [side[key] for side in self._sides if key in side]
        return next((f for f in found if f.whose), found[0])

    def _is_users(self, schema: str) -> bool:
        """Whether no list calls a schema managed, and the user has it on one side, or claims it."""
        found = [] if is_managed(schema) else self._facts(("schema", quoted(schema)))
        # Claims come last: to ask them has every migration parsed.
        return any(f.whose != "service" for f in found) or any(map(self._claims.hold, found))

    def _whose(self, fact: CatalogObject) -> str:
        return "" if fact.whose == "service" and self._is_users(fact.schema) else fact.whose

    def _is_platforms(self, found: Difference) -> bool:
        fact = found.object
        if str(fact) == _FILLED_BY_USERS:
            return found.left is None or found.right is None
        if fact.kind in ("acl", "default acl") and self._roles_of_one and self._same_without_those_roles(found):
            return True
        return bool(self._whose(fact)) or (fact.kind in _OF_THE_OBJECT and self._brings(identity(fact.object)))

    def _same_without_those_roles(self, found: Difference) -> bool:
        if found.object.kind == "acl":
            return key_of(found.object).grantee in self._roles_of_one
        left, right = (
            [line for line in (text or "").splitlines() if line.partition(": ")[0] not in self._roles_of_one]
            for text in (found.left, found.right)
        )
        return left == right and None not in (found.left, found.right)

    def _claimed(self, found: Difference) -> Difference | None:
        """What of a difference is claimed; None where nothing is."""
        fact = found.object
        privileges = self._claims.privileges(key_of(fact))
        if privileges is None or (fact.about and not all(identity(fact.about) in there for there in self._there)):
            return None
        if not privileges or fact.kind != "acl":
            return found
        left, right = (_only(text, privileges) for text in (found.left, found.right))
        return None if left == right else replace(found, left=left, right=right)


def _objects(catalog: Catalog) -> dict[tuple[str, str], list[CatalogObject]]:
    """The objects that are there, by what they are called in statements."""
    found = defaultdict[tuple[str, str], list[CatalogObject]](list)
    for fact in catalog:
        if fact.kind not in _PARTS:
            found[identity(str(fact))].append(fact)
    return found


def _only(definition: str | None, privileges: Iterable[str]) -> str | None:
    """The part of a list of privileges that is about these."""
    wanted = set(privileges)
    kept = [p for p in (definition or "").split(", ") if p.removesuffix(" with grant option") in wanted]
    return ", ".join(kept) or None


class _Setting:
    """The rights of the API's roles on new objects in `public`, and what these explain of two databases' differences.

    Whether there are any is a setting of each project: "Default privileges for new entities" on the platform,
    `[api] auto_expose_new_tables` on the local stack. It was on everywhere; since 2026-10-30 it is off in hosted
    projects, and what was there before keeps its rights. So neither the default nor what came of it is a user's change.
    Source: supabase.com/changelog/45329; the statements are those of CLI 3.1.0.
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
        given = _GIVEN.get(kind, _NONE)
        left, right = _by_role(found.left or ""), _by_role(found.right or "")
        pairs = ((left.get(role, _NONE), right.get(role, _NONE)) for role in left.keys() | right.keys())
        sides = {_less(given, *pair) for pair in pairs if pair[0] != pair[1]}
        less = sides.pop() if len(sides) == 1 else None
        return less is not None and all((role, kind) in self._off[less] for role in _API_ROLES)

    def _is_right(self, found: Difference, role: str, on: str, kind: str) -> bool:
        """The side that has less gives none, and has none for any role; the other one has them for every role."""
        given = {each: self._unclaimed(_GIVEN[kind], f"{each}{on}") for each in _API_ROLES}
        less = _less(given[role], _rights(found.left or ""), _rights(found.right or ""))
        if not given[role] or less is None or (role, kind) not in self._off[less]:
            return False
        sides = (self._catalogs[less], self._catalogs[1 - less])
        poor, rich = ([_rights(side.get(_acl(f"{each}{on}"), "")) for each in _API_ROLES] for side in sides)
        wanted = [given[each] for each in _API_ROLES]
        return not any(map(frozenset.intersection, wanted, poor)) and all(map(frozenset.issubset, wanted, rich))

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
        (role, kind) for kind, given in _GIVEN.items() for role in _API_ROLES
        if defaults and not given & _by_role(defaults.get(f"{kind}s", "")).get(role, _NONE)
    )  # fmt: skip


def _by_role(definition: str) -> dict[str, frozenset[str]]:
    lines = (line.partition(": ") for line in definition.splitlines())
    return {role: _rights(rights) for role, _, rights in lines}


def _rights(text: str) -> frozenset[str]:
    return frozenset(text.split(", ")) - {""}
