"""What keeps a busy table waiting, or fails because of the rows that are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sbsync_tasks.sqltext import enum_name, walk

from . import names
from .model import Finding, Severity, finding

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


def altered(parsed: Parsed, scope: Scope) -> Iterator[Finding]:
    """`ALTER TABLE` forms that read or rewrite the table, or that rows can make fail."""
    table = scope.name(parsed.node.relation)
    if scope.is_new(table):
        return
    for item in parsed.node.cmds:
        command = item.alter_table_cmd
        column = f"{table}.{names.quoted(command.name)}"
        match enum_name(command, "subtype"):
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
        yield finding(parsed, "blocking-index", Severity.LOCKING, table, why, way_out)


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


RULES = {
    "alter_table_stmt": (altered,),
    "index_stmt": (built_index,),
    "lock_stmt": (rewritten,),
    "cluster_stmt": (rewritten,),
    "refresh_mat_view_stmt": (rewritten,),
    "reindex_stmt": (rewritten,),
}
