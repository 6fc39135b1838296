"""What is known of Supabase's platform: the schemas, roles and extensions that it brings by itself, and its hosts."""

from __future__ import annotations

import re

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
# Where a project's database listens directly; its ref is in the name
# (https://supabase.com/docs/guides/database/connecting-to-postgres).
DIRECT_HOST = re.compile(r"db\.([a-z]{20})\.supabase\.\w+")


def is_managed(schema: str) -> bool:
    """Whether Supabase, an extension or PostgreSQL itself manages a schema."""
    return bool(re.match(MANAGED_SCHEMAS, schema))
