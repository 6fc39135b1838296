"""What removes or changes rows without dropping an object of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sbsync_tasks.sqltext import enum_name

from . import harmless, names, types
from .every_row import reaches_all
from .model import Finding, Severity, finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sbsync_tasks.sqltext import Node, Parsed

    from .scope import Scope

# Statements that hold others without running them now; what PREPARE holds, EXECUTE runs unseen.
_ONLY_STORED = harmless.STORED - {"prepare_stmt"}


def altered_columns(parsed: Parsed, scope: Scope) -> Iterator[Finding]:
    """`ALTER TABLE`: dropped columns, changed types, detached partitions."""
    table = scope.name(parsed.node.relation)
    if scope.is_new(table):
        return
    for item in parsed.node.cmds:
        command = item.alter_table_cmd
        column = f"{table}.{names.quoted(command.name)}"
        match enum_name(command, "subtype"):
            case "AT_DropColumn" if not scope.is_new_column(table, column):
                yield _dropped_column(parsed, command, column)
            case "AT_AlterColumnType" if not scope.is_new_column(table, column):
                yield _changed_type(parsed, command, column, scope)
            case "AT_DetachPartition" if not scope.is_new(scope.name(getattr(command, "def").partition_cmd.name)):
                yield _detached(parsed, command, scope, table)


def _dropped_column(parsed: Parsed, command: Node, column: str) -> Finding:
    extra = ""
    if enum_name(command, "behavior") == "DROP_CASCADE":
        extra = " CASCADE takes along whatever depends on it, unnamed."
    why = "The column's values are lost in every row." + extra
    way_out = "For a new name use ALTER TABLE … RENAME COLUMN; else name the column as allowed."
    return finding(parsed, "drop-column", Severity.DATA_LOSS, column, why, way_out)


def _changed_type(parsed: Parsed, command: Node, column: str, scope: Scope) -> Finding:
    definition = getattr(command, "def").column_def
    only_cast = not definition.HasField("raw_default") or _only_casts(
        definition.raw_default, command.name, definition.type_name
    )
    if only_cast and types.takes_all(definition.type_name, scope.type_of(column)):
        why = "No value is lost, but the table may be rewritten while it is locked."
        return finding(parsed, "widen-column-type", Severity.LOCKING, column, why)
    why = "Values may be cut, rounded or refused: the new type does not take all that the old one may hold."
    way_out = "Add a new column and fill it, or check the values and name the column as allowed."
    return finding(parsed, "change-column-type", Severity.DATA_LOSS, column, why, way_out)


def _only_casts(using: Node, column: str, new: Node) -> bool:
    """Whether `USING` does no more than cast the column to text or to its new type."""
    if using.WhichOneof("node") == "type_cast":
        to = using.type_cast.type_name
        harmless = types.is_text(to) or (types.read(to), bool(to.array_bounds)) == (
            types.read(new), bool(new.array_bounds)
        )  # fmt: skip
        return harmless and _only_casts(using.type_cast.arg, column, new)
    fields = using.column_ref.fields
    return bool(fields) and names.parts(fields[-1]) == (column,)


def _detached(parsed: Parsed, command: Node, scope: Scope, table: str) -> Finding:
    partition = scope.name(getattr(command, "def").partition_cmd.name)
    why = f"The rows of {partition} are no longer rows of {table}."
    way_out = "The partition stays as a table; name the parent as allowed."
    return finding(parsed, "detach-partition", Severity.DATA_LOSS, table, why, way_out)


def truncated(parsed: Parsed, scope: Scope) -> Iterator[Finding]:
    """`TRUNCATE`."""
    cascade = enum_name(parsed.node, "behavior") == "DROP_CASCADE"
    extra = " So are those of every table that refers to it." if cascade else ""
    for item in parsed.node.relations:
        table = scope.name(item)
        if not scope.is_new(table):
            why = "All rows of the table are lost." + extra
            yield finding(parsed, "truncate", Severity.DATA_LOSS, table, why)


def changed_rows(parsed: Parsed, scope: Scope) -> Iterator[Finding]:
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
        if any(_deletes(c.merge_when_clause) for c in node.merge_when_clauses):
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


def _deletes(clause: Node) -> bool:
    return enum_name(clause, "command_type") == "CMD_DELETE"


def _fills_gaps(node: Node, table: str, scope: Scope) -> bool:
    """Whether an UPDATE only sets new columns, and others where they are NULL, with COALESCE."""
    targets = [t.res_target for t in node.target_list]
    return all(_keeps_value(t) or scope.is_new_column(table, f"{table}.{names.quoted(t.name)}") for t in targets)


def _keeps_value(target: Node) -> bool:
    first = [*target.val.coalesce_expr.args, target.val][0]
    return [names.parts(f) for f in first.column_ref.fields[-1:]] == [(target.name,)]


RULES = {
    "alter_table_stmt": (altered_columns,),
    "truncate_stmt": (truncated,),
}
ALWAYS = (changed_rows,)
