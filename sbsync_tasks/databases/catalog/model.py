"""What a catalog is made of, whose each fact is, and what of a database it leaves out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

NOT_COMPARED: tuple[str, ...] = (
    "rows of tables, seeds, last values of sequences",
    "storage buckets and files, auth users, vault secrets, scheduled jobs",
    "roles that own nothing and have no rights; attributes, memberships, passwords, settings of all",
    "cluster and database settings",
    "versions of extensions, and the objects that belong to one",
    "the order of a table's columns",
    "who granted a privilege",
    "the platform's own objects, but for what users make there and what a migration has a statement about",
    "other schemas that Supabase or an extension manages",
    "user mappings, subscriptions, large objects, security labels, languages",
    "text search parsers and templates, members of operator families",
)

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
