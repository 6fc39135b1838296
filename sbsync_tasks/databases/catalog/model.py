"""What a catalog is made of, and what of a database it leaves out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# The schemas that Supabase or an extension manages (supabase/cli,
# apps/cli-go/pkg/migration/dump.go), as a regular expression for the server and for Python alike.
MANAGED_SCHEMAS = (
    r"^(information_schema|pg_.*|_analytics|_realtime|_supavisor|auth|etl|extensions|pgbouncer|realtime|storage"
    r"|supabase_functions|supabase_migrations|cron|dbdev|graphql|graphql_public|net|pgmq|pgsodium|pgsodium_masks|pgtle"
    r"|repack|tiger|tiger_data|timescaledb_.*|_timescaledb_.*|topology|vault)$"
)
# Managed schemas in which users make policies, triggers, grants and objects of their own.
OPEN_SCHEMAS = ("auth", "storage", "realtime")
# Roles that own what Supabase brings (reserved in the same file; without those that users work as).
SERVICE_ROLES = r"^(supabase_.*|dashboard_user|pgbouncer|pgsodium_.*|pgtle_admin|cli_login_.*|pg_.*)$"

NOT_COMPARED: tuple[str, ...] = (
    "rows of tables, seeds, last values of sequences",
    "storage buckets and files, auth users, vault secrets, scheduled jobs",
    "roles: attributes, memberships, passwords, settings",
    "cluster and database settings",
    "versions of extensions, and the objects that belong to one",
    "the order of a table's columns",
    "who granted a privilege",
    "in auth, storage and realtime: what Supabase brings, and what its own roles may do with it",
    "other schemas that Supabase or an extension manages",
    "user mappings, subscriptions, large objects, security labels, languages",
    "text search parsers and templates, members of operator families",
)


@dataclass(frozen=True, order=True)
class CatalogObject:
    """One fact about a database, by name.

    Attributes:
        kind: What it is: `table`, `column`, `policy`, `acl`, `owner`, `rls`, …
        name: Schema-qualified, quoted where needed: `public.t.a`, `"p" on public.t`,
            `anon on table public.t`.
        schema: The schema it stands in, unquoted; empty for none. It follows from the name.
        service_object: The object of a Supabase service that it is a fact about, such as
            `table storage.objects`; empty for everything of the user's.
    """

    kind: str
    name: str
    schema: str = field(default="", compare=False)
    service_object: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


# A fact and its definition: text that is the same on any two servers of one major version.
Catalog = Mapping[CatalogObject, str]

# That a service's object is there at all; never a difference by itself.
SERVICE_OBJECT = "service object"
