"""What removes rows or names, or changes them, and what `--allow-data-loss` names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sbsync_tasks.platform import is_managed
from sbsync_tasks.sqltext import UnparsableSql, enum_name, parse

from . import bodies, names
from .expressions import UNKNOWN, reaches_all
from .finding import Finding, Severity, finding
from .scope import Scope

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sbsync_tasks.sqltext import Node, Parsed

    from .finding import Review

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
# Triggers on auth.users, policies on storage.objects, rows of storage.buckets.
_DOCUMENTED = frozenset(
    ["create_trig_stmt", "create_policy_stmt", "alter_policy_stmt", "insert_stmt", "update_stmt", "delete_stmt"]
)
PROBABLE_RENAME = "probable-rename"
_CASCADES = " CASCADE takes along whatever depends on it, unnamed."
_BACKED_UP = "Make sure that the data is no longer needed, then name the object as allowed."


def dropped(parsed: Parsed, scope: Scope) -> Iterator[Finding]:
    """`DROP …` of anything that was there before this text."""
    kind = names.kind_word(parsed.node, "remove_type")
    cascade = enum_name(parsed.node, "behavior") == "DROP_CASCADE"
    for item in parsed.node.objects:
        label = scope.label(kind, item)
        if not scope.is_new(label):
            if kind == "policy":
                yield _dropped_policy(parsed, label, scope)
            else:
                yield _judged(parsed, kind, label + names.arguments(kind, item), cascade=cascade)


def _dropped_policy(parsed: Parsed, label: str, scope: Scope) -> Finding:
    """Whom a policy lets in, others may let in too; who is kept out by a restrictive one no longer is."""
    restrictive = scope.there.restrictive
    if restrictive is not None and label not in restrictive and not (UNKNOWN in label and restrictive):
        why = "Whom it let in, only other policies let in from now on."
        return finding(parsed, "drop-policy", Severity.NOTE, label, why)
    why = "Whom the policy let in, or kept out, is decided by the other policies alone."
    return finding(parsed, "drop-policy", Severity.EXPOSURE, label, why)


def _judged(parsed: Parsed, kind: str, label: str, *, cascade: bool) -> Finding:
    rule = f"drop-{kind.replace(' ', '-')}"
    cascades = cascade and kind not in CASCADE_TAKES_NO_ROWS
    if cascades or (kind in _HOLDS and label not in _WITHOUT_TABLES):
        why = {**_HOLDS, **_HOLD_BY_CASCADE}.get(kind, f"The {kind} is dropped.") + (_CASCADES if cascade else "")
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


# Statements that hold others without running them now; what PREPARE holds, EXECUTE runs unseen.
_ONLY_STORED = bodies.STORED - {"prepare_stmt"}


def altered_columns(parsed: Parsed, scope: Scope) -> Iterator[Finding]:
    """`ALTER TABLE`: dropped columns, changed types, detached partitions."""
    for kind, command, table, column in scope.altered(parsed.node):
        match kind:
            case "AT_DropColumn" if not scope.is_new_column(table, column):
                cascades = enum_name(command, "behavior") == "DROP_CASCADE"
                why = f"The column's values are lost in every row.{_CASCADES if cascades else ''}"
                way_out = "For a new name use ALTER TABLE … RENAME COLUMN; else name the column as allowed."
                yield finding(parsed, "drop-column", Severity.DATA_LOSS, column, why, way_out)
            case "AT_AlterColumnType" if not scope.is_new_column(table, column):
                yield _changed_type(parsed, command, column, scope)
            case "AT_DetachPartition":
                partition = scope.name(getattr(command, "def").partition_cmd.name)
                if not scope.is_new(partition):
                    why = f"The rows of {partition} are no longer rows of {table}."
                    way_out = "The partition stays as a table; name the parent as allowed."
                    yield finding(parsed, "detach-partition", Severity.DATA_LOSS, table, why, way_out)


def _changed_type(parsed: Parsed, command: Node, column: str, scope: Scope) -> Finding:
    definition = getattr(command, "def").column_def
    only_cast = not definition.HasField("raw_default") or _only_casts(
        definition.raw_default, command.name, definition.type_name
    )
    if only_cast and names.takes_all(definition.type_name, scope.there.columns.get(column, "")):
        why = "No value is lost, but the table may be rewritten while it is locked."
        return finding(parsed, "widen-column-type", Severity.LOCKING, column, why)
    why = "Values may be cut, rounded or refused: the new type does not take all that the old one may hold."
    way_out = "Add a new column and fill it, or check the values and name the column as allowed."
    return finding(parsed, "change-column-type", Severity.DATA_LOSS, column, why, way_out)


def _only_casts(using: Node, column: str, new: Node) -> bool:
    """Whether `USING` does no more than cast the column to text or to its new type."""
    if using.WhichOneof("node") == "type_cast":
        to = using.type_cast.type_name
        harmless = names.is_text(to) or (names.read_type(to), bool(to.array_bounds)) == (
            names.read_type(new), bool(new.array_bounds)
        )  # fmt: skip
        return harmless and _only_casts(using.type_cast.arg, column, new)
    fields = using.column_ref.fields
    return bool(fields) and names.parts(fields[-1]) == (column,)


def truncated(parsed: Parsed, scope: Scope) -> Iterator[Finding]:
    """`TRUNCATE`."""
    cascade = enum_name(parsed.node, "behavior") == "DROP_CASCADE"
    extra = " So are those of every table that refers to it." if cascade else ""
    for item in parsed.node.relations:
        table = scope.name(item)
        if not scope.is_new(table):
            why = "All rows of the table are lost." + extra
            yield finding(parsed, "truncate", Severity.DATA_LOSS, table, why)


def reaching_all(parsed: Parsed, scope: Scope) -> Iterator[Finding]:
    """`DELETE`, `UPDATE` and `MERGE` that reach every row, also inside of `WITH` and `EXPLAIN`."""
    if parsed.name in _ONLY_STORED:
        return
    for kind, node in parsed.acts:
        if kind not in {"DeleteStmt", "UpdateStmt", "MergeStmt"}:
            continue
        table = scope.written(node.relation)
        if not scope.is_new(table):
            yield from _reaching_all(parsed, kind, node, table, scope)


def _reaching_all(parsed: Parsed, kind: str, node: Node, table: str, scope: Scope) -> Iterator[Finding]:
    way_out = "Say with WHERE which rows are meant, or name the table as allowed."
    if kind == "MergeStmt":
        if any(enum_name(c.merge_when_clause, "command_type") == "CMD_DELETE" for c in node.merge_when_clauses):
            why = "Rows that the condition matches are deleted."
            yield finding(parsed, "merge-delete", Severity.DATA_LOSS, table, why, way_out)
    elif not reaches_all(node, table, scope):
        return
    elif kind == "DeleteStmt":
        why = "All rows of the table are deleted."
        yield finding(parsed, "delete-all", Severity.DATA_LOSS, table, why, way_out)
    elif not _fills_gaps(node, table, scope):
        why = "Old values are overwritten in every row."
        yield finding(parsed, "update-all", Severity.DATA_LOSS, table, why, way_out)


def _fills_gaps(node: Node, table: str, scope: Scope) -> bool:
    """Whether an UPDATE only sets new columns, and others where they are NULL, with COALESCE."""
    own = {node.relation.alias.aliasname or node.relation.relname}
    targets = [t.res_target for t in node.target_list]
    return all(_keeps_value(t, own) or scope.is_new_column(table, f"{table}.{names.quoted(t.name)}") for t in targets)


def _keeps_value(target: Node, own: set[str]) -> bool:
    first = names.column([*target.val.coalesce_expr.args, target.val][0])
    return first[-1:] == (target.name,) and own.issuperset(first[-2:-1])


def renamed(parsed: Parsed, scope: Scope) -> Iterator[Finding]:
    """`ALTER … RENAME` and `SET SCHEMA`: programs that use the old name fail."""
    kind, target = names.altered(parsed.node)
    if parsed.name == "rename_stmt" and parsed.node.subname:
        about, is_new = _renamed_part(kind, target, names.quoted(parsed.node.subname), scope)
    else:
        about = scope.label(kind, target)
        is_new = scope.is_new(about)
    if not is_new:
        why = "Programs and SQL texts that use the old name fail from then on."
        yield finding(parsed, "rename", Severity.NOTE, about, why)


def _renamed_part(kind: str, target: tuple[str, ...], part: str, scope: Scope) -> tuple[str, bool]:
    """What has a name of its own in a relation, type or domain, or without any schema; and whether it is new."""
    owner = scope.qualified(target) if target else ""
    if not owner or kind in names.ON_TABLE:
        about = f"{kind} {part}" + (f" on {owner}" if owner else "")
        return about, scope.is_new(about)
    is_new = scope.is_new(scope.label({"attribute": "type", "domconstraint": "domain"}.get(kind, "table"), target))
    column = f"{owner}.{part}"
    return column, is_new or (kind in {"column", "attribute"} and scope.is_new_column(owner, column))


def renamed_enum_value(parsed: Parsed, scope: Scope) -> Iterator[Finding]:
    """`ALTER TYPE … RENAME VALUE`."""
    if parsed.node.old_val:
        why = f"Programs that use '{parsed.node.old_val}' fail from then on."
        about = scope.label("type", parsed.node.type_name)
        yield finding(parsed, "rename-enum-value", Severity.NOTE, about, why)


def managed_schema(parsed: Parsed, scope: Scope) -> Iterator[Finding]:
    """A statement that changes an object in a schema that Supabase manages, other than as its documentation has it."""
    drops = parsed.name == "drop_stmt" and names.kind_word(parsed.node, "remove_type") in names.ON_TABLE
    if drops or parsed.name in _DOCUMENTED:
        return
    for parts in _targets(parsed):
        schema = parts[0] if len(parts) > 1 else scope.schema
        if is_managed(schema):
            about = scope.qualified(parts[:2])
            why = f"Supabase manages {schema}: rights may lack there, and updates may undo it."
            yield finding(parsed, "managed-schema", Severity.NOTE, about, why)
            return


def _targets(parsed: Parsed) -> Iterator[tuple[str, ...]]:
    """The names of what a statement makes or changes; not of what it only refers to."""
    for field, value in parsed.node.ListFields() if parsed.name != "comment_stmt" else ():
        named = field.name in {"funcname", "type_name", "domainname"} and hasattr(value, "__len__")
        if named or field.name in {"relation", "view", "table", "sequence", "object"}:
            yield names.parts(value)
    if parsed.name in {"drop_stmt", "grant_stmt"}:
        yield from map(names.parts, parsed.node.objects)


def probable_renames(scope: Scope) -> Iterator[tuple[Parsed, Finding]]:
    """A column dropped and another added in one table: a diff cannot tell a new name from that."""
    for table, dropped in scope.dropped_columns.items():
        added = [c for c in scope.added_columns.get(table, []) if c not in dict(dropped)]
        for column, parsed in dropped if added else []:
            about = f"{table}.{names.quoted(column)}"
            why = f"Perhaps a rename: {', '.join(map(names.quoted, added))} is added to the table."
            new = names.quoted(added[0])
            way_out = f"ALTER TABLE {table} RENAME COLUMN {names.quoted(column)} TO {new};"
            yield parsed, finding(parsed, PROBABLE_RENAME, Severity.NOTE, about, why, way_out)


def probable_table_renames(scope: Scope) -> Iterator[tuple[Parsed, Finding]]:
    """A table dropped and another made with the same columns."""
    for table, parsed in scope.dropped_tables.items():
        columns = scope.columns_of(table)
        for new in (n for n, c in scope.made_tables.items() if columns and c == columns and n != table):
            why = f"Perhaps a rename: {new} has the same columns."
            way_out = _moves(table, new)
            yield parsed, finding(parsed, PROBABLE_RENAME, Severity.NOTE, table, why, way_out)


def _moves(table: str, new: str) -> str:
    """The statements that give a table another name, another schema, or both."""
    (schema, name), (new_schema, new_name) = (t.rsplit(".", 1) for t in (table, new))
    moved = [f"ALTER TABLE {table} SET SCHEMA {new_schema};"] if schema != new_schema else []
    renamed = [f"ALTER TABLE {new_schema}.{name} RENAME TO {new_name};"] if name != new_name else []
    return " ".join([*moved, *renamed])


_CALLED = re.compile(r"(function|procedure|routine|aggregate)\s", re.IGNORECASE)
_PART = re.compile(r'"((?:[^"]|"")*)"|([^\s".]+)')


def unallowed(reviewed: Review, allowed: Sequence[str]) -> tuple[Finding, ...]:
    """The losses of data that nobody has allowed by name.

    Args:
        reviewed: The review.
        allowed: What `--allow-data-loss` names. Quotes and letter case are read as SQL reads them;
            there are no wildcards, and a table does not stand for its columns nor a schema for its
            tables.
    """
    named = {read_allowance(a) for a in allowed}
    return tuple(f for f in reviewed.data_loss if not any(_covers(name, f.object) for name in named))


def _covers(allowed: str, lost: str) -> bool:
    """Whether an allowance as it was read is one for an object; without types it is for each such function."""
    return lost == allowed or (bool(allowed) and " " in allowed and lost.startswith(f"{allowed}("))


def read_allowance(text: str) -> str:
    """An object's name as a user types it, in the form that findings have.

    Quotes and letter case are read as SQL reads them, functions with their types as `DROP FUNCTION` does. `table` and
    `column` may stand in front, and what has no schema is in `public`. There are no wildcards.
    """
    written = text.strip()
    if _CALLED.match(written):
        return _as_dropped(f"drop {written}") or _by_words(written)
    return _by_words(written)


def _as_dropped(statement: str) -> str:
    """The object that a statement drops; empty where it is no statement, or drops several."""
    try:
        found = [f.object for p in parse(statement) if p.name == "drop_stmt" for f in dropped(p, Scope())]
    except UnparsableSql:
        return ""
    return found[0] if len(found) == 1 else ""


def _by_words(text: str) -> str:
    """Names as findings show them, with their schema."""
    prefix = re.match(r"(?:[a-z]+\s+)*", text, re.IGNORECASE)
    kind, rest = (" ".join(text[: prefix.end()].lower().split()), text[prefix.end() :]) if prefix else ("", text)
    found = _parts(rest)
    if len(found) == 1 and kind not in names.WITHOUT_SCHEMA and kind != "column":
        found = [names.PUBLIC, *found]
    return f"{'' if kind in {'table', 'column'} else kind} {names.dotted(found)}".strip()


def _parts(text: str) -> list[str]:
    return [m[2].lower() if m[2] else m[1].replace('""', '"') for m in _PART.finditer(text)]


RULES = {
    "alter_table_stmt": (altered_columns,),
    "truncate_stmt": (truncated,),
    "drop_stmt": (dropped,),
    **dict.fromkeys(["dropdb_stmt", "drop_owned_stmt", "drop_subscription_stmt"], (dropped_cluster_object,)),
    "drop_role_stmt": (dropped_role,),
    **dict.fromkeys(["rename_stmt", "alter_object_schema_stmt"], (renamed,)),
    "alter_enum_stmt": (renamed_enum_value,),
}
ALWAYS = (reaching_all, managed_schema)
AT_END = (probable_renames, probable_table_renames)
