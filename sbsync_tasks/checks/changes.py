"""What blocks a busy table or fails because of its rows, and what loosens its rules or changes names and owners."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sbsync_tasks.platform import is_managed
from sbsync_tasks.sqltext import enum_name, walk

from . import names
from .finding import Finding, Severity, finding
from .names import REACHABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sbsync_tasks.sqltext import Node, Parsed

    from .scope import Scope


_CHECKED = frozenset(["CONSTR_CHECK", "CONSTR_FOREIGN"])
_INDEXED = frozenset(["CONSTR_PRIMARY", "CONSTR_UNIQUE", "CONSTR_EXCLUSION"])
_FILLED = frozenset(["CONSTR_DEFAULT", "CONSTR_GENERATED", "CONSTR_IDENTITY"])
_NEEDED = frozenset(["CONSTR_NOTNULL", "CONSTR_PRIMARY"])

# Functions that people take for defaults and that are computed for every row.
_VOLATILE = frozenset(["clock_timestamp", "gen_random_uuid", "nextval", "random", "uuid_generate_v4"])


def blocking(parsed: Parsed, scope: Scope) -> Iterator[Finding]:
    """`ALTER TABLE` forms that read or rewrite the table, or that rows can make fail."""
    for kind, command, table, column in scope.altered(parsed.node):
        match kind:
            case "AT_SetNotNull":
                why = "Fails where a row has NULL, and reads the whole table under lock."
                way_out = "Fill the column first; on a big table validate a CHECK beforehand."
                yield finding(parsed, "set-not-null", Severity.LOCKING, column, why, way_out)
            case "AT_AddColumn":
                yield from _added_column(parsed, getattr(command, "def").column_def, table)
            case "AT_AddConstraint":
                yield from _added_constraint(parsed, getattr(command, "def").constraint, table)


def _added_column(parsed: Parsed, column: Node, table: str) -> Iterator[Finding]:
    kinds = {enum_name(c.constraint, "contype") for c in column.constraints}
    serial = names.is_serial(column.type_name)
    about = f"{table}.{names.quoted(column.colname)}"
    if kinds & _NEEDED and not kinds & _FILLED and not serial:
        why = "Fails where the table has rows: they would have no value."
        way_out = "Give it a DEFAULT, or add it without NOT NULL and fill it first."
        yield finding(parsed, "required-column", Severity.LOCKING, about, why, way_out)
    for constraint in (c.constraint for c in column.constraints):
        # PostgreSQL knows that a column without values breaks no foreign key.
        if enum_name(constraint, "contype") != "CONSTR_FOREIGN" or kinds & _FILLED:
            yield from _added_constraint(parsed, constraint, table)
    if serial or kinds & {"CONSTR_GENERATED", "CONSTR_IDENTITY"} or _has_volatile_default(column):
        why = "The whole table is rewritten while it is locked."
        yield finding(parsed, "table-rewrite", Severity.LOCKING, about, why)


def _has_volatile_default(column: Node) -> bool:
    called = (node for kind, node in walk(column) if kind == "FuncCall")
    return any(names.parts(call.funcname[-1])[-1] in _VOLATILE for call in called)


def _added_constraint(parsed: Parsed, constraint: Node, table: str) -> Iterator[Finding]:
    kind = enum_name(constraint, "contype")
    if kind in _CHECKED and not constraint.skip_validation:
        why = "Fails where a row breaks it, and reads the whole table under lock."
        way_out = "Add it NOT VALID, and VALIDATE CONSTRAINT in a later migration."
        yield finding(parsed, "validated-constraint", Severity.LOCKING, table, why, way_out)
    elif kind in _INDEXED and not constraint.indexname:
        why = "Builds an index while nobody can write; fails where rows collide."
        way_out = "CREATE UNIQUE INDEX CONCURRENTLY first, then ADD … USING INDEX."
        yield finding(parsed, "indexed-constraint", Severity.LOCKING, table, why, way_out)


def built_index(parsed: Parsed, scope: Scope) -> Iterator[Finding]:
    """`CREATE INDEX` without `CONCURRENTLY` on a table that was there before."""
    table = scope.name(parsed.node.relation)
    if not parsed.node.concurrent and not scope.is_new(table):
        why = "Nobody can write to the table until the index is built."
        way_out = "On a big table: CREATE INDEX CONCURRENTLY, alone in its own migration."
        if parsed.node.unique:
            why, way_out = f"{why} Fails where rows collide.", f"Look for duplicates first. {way_out}"
        rule = "unique-index" if parsed.node.unique else "blocking-index"
        yield finding(parsed, rule, Severity.LOCKING, table, why, way_out)


def rewritten(parsed: Parsed, scope: Scope) -> Iterator[Finding]:
    """`LOCK`, `CLUSTER`, `REFRESH MATERIALIZED VIEW` and `REINDEX`."""
    node = parsed.node
    if parsed.name == "refresh_mat_view_stmt" and node.concurrent:
        return
    if parsed.name == "reindex_stmt" and any(p.def_elem.defname == "concurrently" for p in node.params):
        return
    relations = node.relations if parsed.name == "lock_stmt" else [node.relation]
    for relation in relations:
        about = scope.name(relation) if names.parts(relation) else "database"
        if not scope.is_new(about):
            rule = parsed.statement.kind.lower().replace(" ", "-")
            why = "Others wait for it until the migration's transaction ends."
            yield finding(parsed, rule, Severity.LOCKING, about, why)


PROBABLE_RENAME = "probable-rename"
# Triggers on auth.users, policies on storage.objects, rows of storage.buckets.
_DOCUMENTED = frozenset(
    ["create_trig_stmt", "create_policy_stmt", "alter_policy_stmt", "insert_stmt", "update_stmt", "delete_stmt"]
)
_LOOSENED = {
    "AT_DropConstraint": ("drop-constraint", "Rows that broke it are accepted from now on."),
    "AT_DropNotNull": ("drop-not-null", "The column may be NULL from now on."),
    "AT_SetUnLogged": ("unlogged", "After a crash of the server the table is empty."),
    "AT_DisableTrig": ("disable-trigger", "The trigger no longer runs."),
    "AT_DisableTrigAll": ("disable-trigger", "No trigger runs, foreign keys included."),
    "AT_DisableTrigUser": ("disable-trigger", "None of the table's own triggers runs."),
}


def loosened(parsed: Parsed, scope: Scope) -> Iterator[Finding]:
    """`ALTER TABLE` forms that let in what was kept out."""
    table = scope.name(parsed.node.relation)
    for item in parsed.node.cmds:
        command = item.alter_table_cmd
        found = _LOOSENED.get(enum_name(command, "subtype"))
        if found and not scope.is_new(table):
            about = f"{table}.{names.quoted(command.name)}" if command.name else table
            yield finding(parsed, found[0], Severity.NOTE, about, found[1])
        if enum_name(command, "subtype") == "AT_ChangeOwner":
            yield from _owner(parsed, table, command.newowner, scope)


def changed_owner(parsed: Parsed, scope: Scope) -> Iterator[Finding]:
    """`ALTER … OWNER TO` of anything but a relation."""
    about = scope.label(names.kind_word(parsed.node, "object_type"), parsed.node.object)
    yield from _owner(parsed, about, parsed.node.newowner, scope)


def _owner(parsed: Parsed, about: str, role: Node, scope: Scope) -> Iterator[Finding]:
    why = "An owner passes by row level security and may grant and drop."
    if role.rolename in REACHABLE:
        yield finding(parsed, "change-owner", Severity.EXPOSURE, about, why)
    elif role.rolename != "postgres" and not scope.is_new(about):  # migrations run as postgres, and dumps say it of all
        yield finding(parsed, "change-owner", Severity.NOTE, about, why)


def renamed(parsed: Parsed, scope: Scope) -> Iterator[Finding]:
    """`ALTER … RENAME` and `SET SCHEMA`: programs that use the old name fail."""
    node = parsed.node
    if parsed.name == "rename_stmt" and node.subname:
        about, is_new = _renamed_part(node, scope)
    else:
        field = "rename_type" if parsed.name == "rename_stmt" else "object_type"
        target = node.relation if node.HasField("relation") else node.object
        about = scope.label(names.kind_word(node, field), target)
        is_new = scope.is_new(about)
    if not is_new:
        why = "Programs and SQL texts that use the old name fail from then on."
        yield finding(parsed, "rename", Severity.NOTE, about, why)


def _renamed_part(node: Node, scope: Scope) -> tuple[str, bool]:
    """What has a name of its own in a relation, type or domain, or without any schema; and whether it is new."""
    kind, part = names.kind_word(node, "rename_type"), names.quoted(node.subname)
    target = node.relation if node.HasField("relation") else node.object
    owner = scope.qualified(names.parts(target)) if names.parts(target) else ""
    if not owner or names.is_on_table(kind):
        about = f"{kind} {part}" + (f" on {owner}" if owner else "")
        return about, scope.is_new(about)
    is_new = scope.is_new(scope.label({"attribute": "type", "domconstraint": "domain"}.get(kind, "table"), target))
    column = f"{owner}.{part}"
    return column, is_new or (kind in {"column", "attribute"} and scope.is_new_column(owner, column))


def removed_enum_label(parsed: Parsed, scope: Scope) -> Iterator[Finding]:
    """`ALTER TYPE … RENAME VALUE`."""
    if parsed.node.old_val:
        parts = names.parts(parsed.node.type_name)
        why = f"Programs that use '{parsed.node.old_val}' fail from then on."
        about = f"type {scope.qualified(parts)}"
        yield finding(parsed, "rename-enum-value", Severity.NOTE, about, why)


def managed_schema(parsed: Parsed, scope: Scope) -> Iterator[Finding]:
    """A statement that changes an object in a schema that Supabase manages, other than as its documentation has it."""
    drops = parsed.name == "drop_stmt" and names.is_on_table(names.kind_word(parsed.node, "remove_type"))
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
    node = parsed.node
    fields = {f.name for f, _ in node.ListFields()}
    for field in ("relation", "view", "table", "sequence", "object"):
        if field in fields and parsed.name != "comment_stmt":
            yield names.parts(getattr(node, field))
    if parsed.name in {"drop_stmt", "grant_stmt"}:
        yield from (names.parts(o) for o in node.objects)
    for field in ("funcname", "type_name", "domainname"):
        if field in fields and hasattr(getattr(node, field), "__len__"):
            yield names.parts(getattr(node, field))


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


RULES = {
    "alter_table_stmt": (blocking, loosened),
    "alter_owner_stmt": (changed_owner,),
    "rename_stmt": (renamed,),
    "alter_object_schema_stmt": (renamed,),
    "alter_enum_stmt": (removed_enum_label,),
    "index_stmt": (built_index,),
    "lock_stmt": (rewritten,),
    "cluster_stmt": (rewritten,),
    "refresh_mat_view_stmt": (rewritten,),
    "reindex_stmt": (rewritten,),
}
ALWAYS = (managed_schema,)
AT_END = (probable_renames, probable_table_renames)
