"""What a catalog is made of, whose each fact is, and what of a database it leaves out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

# The schemas that Supabase or an extension manages (supabase/cli,
# apps/cli-go/pkg/migration/dump.go), as a regular expression for the server and for Python alike.
MANAGED_SCHEMAS = (
    r"^(information_schema|pg_.*|_analytics|_realtime|_supavisor|auth|etl|extensions|pgbouncer|realtime|storage"
    r"|supabase_functions|supabase_migrations|cron|dbdev|graphql|graphql_public|net|pgmq|pgsodium|pgsodium_masks|pgtle"
    r"|repack|tiger|tiger_data|timescaledb_.*|_timescaledb_.*|topology|vault)$"
)
# Managed schemas in which users make policies, triggers, grants and objects of their own.
OPEN_SCHEMAS = ("auth", "storage", "realtime", "extensions", "graphql_public", "vault")
# Roles that own what Supabase brings (reserved in the same file; without those that users work as).
SERVICE_ROLES = r"^(supabase_.*|dashboard_user|pgbouncer|pgsodium_.*|pgtle_admin|cli_login_.*|pg_.*)$"
# Extensions that the platform installs by itself, at some age (supabase/postgres, migrations/).
PLATFORM_EXTENSIONS = (
    "plpgsql", "pg_graphql", "pg_stat_statements", "supabase_vault", "pgcrypto", "uuid-ossp", "pgjwt", "pgsodium",
)  # fmt: skip

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
