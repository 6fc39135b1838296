"""DROP: what goes with the object, and whether rows go with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sbsync_tasks.sqltext import enum_name

from . import names
from .model import Finding, Severity, finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sbsync_tasks.sqltext import Parsed

    from .scope import Scope

# Kinds that hold something which cannot be made again from the migrations.
_HOLDS = {
    "table": "All rows of the table are lost.",
    "sequence": "The sequence's position is lost: numbers may be given out again.",
    "extension": "Tables that belong to the extension are lost with their rows.",
}
# PostgreSQL refuses to drop these without CASCADE where a row depends on them.
_HOLD_BY_CASCADE = {
    "schema": "Everything in the schema is lost.",
    "type": "The type is dropped, and every column of it.",
    "domain": "The domain is dropped, and every column of it.",
}
CASCADE_TAKES_NO_ROWS = frozenset(
    ["event trigger", "foreign data wrapper", "foreign server", "index", "policy", "publication", "rule", "sequence",
     "trigger"]
)  # fmt: skip
"""Kinds on which no column depends, nor anything else that holds rows."""
# Extensions that keep nothing in tables of their own, as their catalogs say; any other may.
_WITHOUT_TABLES = frozenset(
    f"extension {names.quoted(name)}"
    for name in (
        "autoinc", "bloom", "btree_gin", "btree_gist", "citext", "cube", "dblink", "dict_int", "dict_xsyn",
        "earthdistance", "fuzzystrmatch", "hstore", "http", "hypopg", "index_advisor", "insert_username", "intarray",
        "isn", "ltree", "moddatetime", "pg_graphql", "pg_hashids", "pg_jsonschema", "pg_stat_statements", "pg_trgm",
        "pg_walinspect", "pgaudit", "pgcrypto", "pgjwt", "pgrowlocks", "pgstattuple", "pgtap", "plpgsql_check",
        "postgres_fdw", "refint", "rum", "seg", "sslinfo", "tablefunc", "tcn", "tsm_system_rows", "tsm_system_time",
        "unaccent", "uuid-ossp", "vector",
    )
)  # fmt: skip
_BACKED_UP = "Make sure that the data is no longer needed, then name the object as allowed."


def dropped(parsed: Parsed, scope: Scope) -> Iterator[Finding]:
    """`DROP …` of anything that was there before this text."""
    kind = names.kind_word(parsed.node, "remove_type")
    cascade = enum_name(parsed.node, "behavior") == "DROP_CASCADE"
    for item in parsed.node.objects:
        label = scope.label(kind, item)
        if not scope.is_new(label):
            yield _judged(parsed, kind, label + names.arguments(kind, item), cascade=cascade)


def _judged(parsed: Parsed, kind: str, label: str, *, cascade: bool) -> Finding:
    rule = f"drop-{kind.replace(' ', '-')}"
    if kind == "policy":
        why = "Whom the policy let in, or kept out, is decided by the other policies alone."
        return finding(parsed, rule, Severity.EXPOSURE, label, why)
    cascades = cascade and kind not in CASCADE_TAKES_NO_ROWS
    if cascades or (kind in _HOLDS and label not in _WITHOUT_TABLES):
        extra = " CASCADE takes along whatever depends on it, unnamed." if cascade else ""
        why = {**_HOLDS, **_HOLD_BY_CASCADE}.get(kind, f"The {kind} is dropped.") + extra
        return finding(parsed, rule, Severity.DATA_LOSS, label, why, _BACKED_UP)
    return finding(parsed, rule, Severity.NOTE, label, f"The {kind} is dropped; it holds no rows.")


def dropped_cluster_object(parsed: Parsed, _scope: Scope) -> Iterator[Finding]:
    """`DROP DATABASE`, `DROP OWNED` and `DROP SUBSCRIPTION`, which have statements of their own."""
    node = parsed.node
    if parsed.name == "dropdb_stmt":
        about, why = f"database {names.quoted(node.dbname)}", "The whole database is lost."
    elif parsed.name == "drop_subscription_stmt":
        about, why = f"subscription {names.quoted(node.subname)}", "Replication into it ends."
    else:
        owners = ", ".join(names.quoted(r) for r in names.roles(node.roles))
        about, why = f"owned by {owners}", "Everything that the role owns here is lost."
    rule = f"drop-{about.split()[0]}"
    yield finding(parsed, rule, Severity.DATA_LOSS, about, why, _BACKED_UP)


def dropped_role(parsed: Parsed, _scope: Scope) -> Iterator[Finding]:
    """`DROP ROLE`: roles belong to the whole server."""
    for role in names.roles(parsed.node.roles):
        why = "Roles belong to the server, not to one database; whoever logs in as it cannot."
        yield finding(parsed, "drop-role", Severity.NOTE, f"role {names.quoted(role)}", why)


RULES = {
    "drop_stmt": (dropped,),
    "dropdb_stmt": (dropped_cluster_object,),
    "drop_owned_stmt": (dropped_cluster_object,),
    "drop_subscription_stmt": (dropped_cluster_object,),
    "drop_role_stmt": (dropped_role,),
}
