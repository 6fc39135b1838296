"""Facts about databases: what a catalog is made of and leaves out, reading one, and differences of two in words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sbsync_tasks.checks.finding import mask
from sbsync_tasks.errors import SbsyncError

from ...platform import MANAGED_SCHEMAS, OPEN_SCHEMAS, PLATFORM_EXTENSIONS, SERVICE_ROLES

if TYPE_CHECKING:
    import psycopg

NOT_COMPARED: tuple[str, ...] = (
    "rows of tables, seeds, last values of sequences",
    "storage buckets and files, auth users, vault secrets, scheduled jobs",
    "roles that own nothing and have no rights; attributes, memberships, passwords, settings of all",
    "cluster and database settings",
    "versions of extensions, comments on them, and the objects that belong to one",
    "the order of a table's columns, and whether a child table has an inherited one by itself too",
    "who granted a privilege",
    "the platform's own objects, but for what users make there and what a migration has a statement about",
    "other schemas that Supabase or an extension manages",
    "user mappings, subscriptions, large objects, security labels, languages",
    "text search parsers and templates, members of operator families",
)

# What the server prints depends on these; an empty search_path makes it qualify every name.
SETTINGS = (
    ("search_path", ""),
    ("datestyle", "ISO, YMD"),
    ("intervalstyle", "postgres"),
    ("timezone", "UTC"),
    ("extra_float_digits", "3"),
    ("bytea_output", "hex"),
    ("quote_all_identifiers", "off"),
    ("statement_timeout", "0"),  # one of the role's is meant for other statements
)

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

Whose = Literal["", "service", "extension"]


@dataclass(frozen=True, order=True)
class CatalogObject:
    """One fact about a database, by name.

    Attributes:
        kind: What it is: `table`, `column`, `policy`, `acl`, `owner`, `rls`, …
        name: Schema-qualified, quoted where needed: `public.t.a`, `"p" on public.t`,
            `anon on table public.t`.
        schema: The schema it stands in, unquoted; empty for none. It follows from the name.
        about: The object that it is a fact about, such as `table storage.objects`; empty where it says that the
            object itself is there.
        whose: Whose object that is: empty for the user's, else a Supabase service's or an extension's member.
    """

    kind: str
    name: str
    schema: str = field(default="", compare=False)
    about: str = field(default="", compare=False)
    whose: Whose = field(default="", compare=False)

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"

    @property
    def object(self) -> str:
        """The object that the fact is about, itself included."""
        return self.about or str(self)


# A fact and its definition: text that is the same on any two servers of one major version.
Catalog = Mapping[CatalogObject, str]

_RELATIONS = ("table", "foreign table", "view", "materialized view", "sequence")
_ROUTINES = ("function", "procedure", "aggregate")
_TYPES = ("type", "enum", "domain", "composite type", "range type")
_KINDS = re.compile(rf"({'|'.join((*_RELATIONS, *_ROUTINES, *_TYPES, 'schema'))}) (.*)", re.DOTALL)


def identity(object_: str) -> tuple[str, str]:
    """What an object is called whatever kind of relation, type or routine it is, and whatever arguments it takes.

    A statement names a view as it names a table, and may leave a function's arguments out.
    """
    match = _KINDS.fullmatch(object_)
    if match is None:
        return ("", plain(object_))
    kind, name = match.groups()
    if kind in _ROUTINES:
        return ("routine", plain(name.partition("(")[0]))
    return ("relation" if kind in _RELATIONS else "type" if kind in _TYPES else kind, plain(name))


def plain(name: str) -> str:
    """A name without the quotes that only a reserved word needs."""
    return re.sub(r'"([a-z_][a-z0-9_$]*)"', r"\1", name)


def read_catalog(connection: psycopg.Connection[Any], schemas: Sequence[str] = ()) -> Catalog:
    """Read what the database holds, as facts that can be compared with another database's.

    Nothing is written, and the session's settings are as before afterwards. Inside a transaction
    that is already open its snapshot is used, else one of its own (repeatable read).

    Args:
        connection: To the database; the role needs no special rights.
        schemas: Look at these schemas only and leave out what stands in none; empty for all of them.

    Raises:
        SbsyncError: the server refused or the connection broke.
    """
    import psycopg
    from psycopg.pq import TransactionStatus

    name = f"{connection.info.dbname} on {connection.info.host}"
    own_transaction = connection.info.transaction_status == TransactionStatus.IDLE
    try:
        with connection.transaction(force_rollback=True):
            return _read(connection, schemas, snapshot=own_transaction)
    except psycopg.Error as error:
        said = str(error).partition("\n")[0] or type(error).__name__
        raise SbsyncError(
            f"The catalog of the database {name} could not be read: {said}",
            "Run the command again; nothing was changed.",
        ) from None


def _read(connection: psycopg.Connection[Any], schemas: Sequence[str], *, snapshot: bool) -> Catalog:
    parameters = {
        "schemas": list(schemas),
        "managed_schemas": MANAGED_SCHEMAS,
        "open_schemas": list(OPEN_SCHEMAS),
        "service_roles": SERVICE_ROLES,
        "platform_extensions": list(PLATFORM_EXTENSIONS),
    }
    with connection.pipeline():
        if snapshot:
            connection.execute("set transaction isolation level repeatable read, read only")
        for setting in SETTINGS:
            connection.execute("select set_config(%s, %s, true)", setting, prepare=False)
        cursors = [connection.execute(query, parameters, prepare=False) for query in _queries()]
    return {
        CatalogObject(kind, name, schema, about, whose): definition
        for kind, schema, about, whose, name, definition in chain.from_iterable(cursors)
    }


@cache
def _queries() -> tuple[bytes, ...]:
    scope, *queries = sorted((Path(__file__).parent / "sql").iterdir())
    return tuple(scope.read_bytes() + query.read_bytes() for query in queries)


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
    def definition(self) -> str:
        """The one that there is, where only one database has it."""
        return self.left if self.left is not None else self.right or ""

    @property
    def in_line_ends_alone(self) -> bool:
        """Whether it is `CR LF` against `LF` in a body or a text, and nothing else."""
        left, right = (text and text.replace("\r\n", "\n") for text in (self.left, self.right))
        return left is not None and left == right

    @property
    def spoken(self) -> str:
        """What differs, in words."""
        return f"{_SPOKEN.get(self.object.kind, self.object.kind)} {self.object.name}"

    @property
    def summary(self) -> str:
        """One plain line; it may hold what a definition holds, a credential too."""
        if self.left is not None and self.right is not None:
            return f"{self.spoken} differs: {_both(self.left, self.right, self.names)}"
        said = _shortened("; ".join(self.definition.splitlines()))
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
    by_name = {str(d.object): d for d in found}
    whole = {name: d for name, d in by_name.items() if d.only and not d.object.about}
    with_facts = {d.object.about for d in found} - whole.keys()  # a new sequence of an old column has an owner, too
    whole |= {name: d for name, d in by_name.items() if d.only and name in with_facts and d.object.about not in whole}
    parts: dict[str, list[Difference]] = {}
    rest: list[Difference] = []
    for this in found:
        if owner := _belongs_to(this, whole, by_name):
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
    said += [f"row level security {p.definition}" for p in parts if p.object.kind == "rls"]
    own = [p for p in parts if p.object.kind == "owner" and p.object.about == str(this.object)]
    said += [f"owner {p.definition}" for p in own if p.definition != _USUAL_OWNER]
    if this.object.kind not in _LONG:
        return f"{this.summary}" + (f"; {', '.join(said)}" if said else "")
    return f"{this.object}: only {where(this.only)}" + (f" ({', '.join(said)})" if said else "")


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
