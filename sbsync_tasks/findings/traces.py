"""Whether the schemas of a database show all that a migration does to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sbsync_tasks.sqltext import UnparsableSql, enum_name, parse, walk

from . import names

if TYPE_CHECKING:
    from sbsync_tasks.sqltext import Node, Parsed

# Statements whose whole effect a comparison of two catalogs shows, or that leave none. Whatever is not here may change
# rows, or what is not compared: roles, settings of databases, subscriptions, versions of extensions.
_SHOWN = """
alter_collation_stmt alter_default_privileges_stmt alter_domain_stmt alter_enum_stmt alter_event_trig_stmt
alter_function_stmt alter_object_depends_stmt alter_object_schema_stmt alter_operator_stmt alter_owner_stmt
alter_policy_stmt alter_publication_stmt alter_seq_stmt alter_stats_stmt alter_table_stmt alter_tsconfiguration_stmt
alter_tsdictionary_stmt alter_type_stmt check_point_stmt cluster_stmt comment_stmt composite_type_stmt
constraints_set_stmt create_cast_stmt create_conversion_stmt create_domain_stmt create_enum_stmt create_event_trig_stmt
create_extension_stmt create_foreign_table_stmt create_function_stmt create_op_class_stmt create_policy_stmt
create_publication_stmt create_range_stmt create_schema_stmt create_seq_stmt create_stats_stmt create_stmt
create_table_as_stmt create_trig_stmt deallocate_stmt define_stmt discard_stmt drop_stmt grant_stmt index_stmt
listen_stmt lock_stmt notify_stmt prepare_stmt reindex_stmt rename_stmt rule_stmt select_stmt transaction_stmt
unlisten_stmt vacuum_stmt variable_set_stmt variable_show_stmt view_stmt
"""
_SETTING: tuple[tuple[str, ...], ...] = (("set_config",), ("pg_catalog", "set_config"))


def unseen(sql: str) -> str:
    """The first thing that a migration does and that leaves no trace in the schemas; empty for none.

    Rows above all. What cannot be seen through (a `DO` block, a call of a function) counts as such a thing.

    Returns:
        Where it stands and what it is, such as `line 3: UPDATE`.
    """
    try:
        parsed = parse(sql)
    except UnparsableSql as error:
        return f"line {error.line}: {error.reason}"
    first = next((this for this in parsed if not _shown(this)), None)
    return f"line {first.statement.line}: {first.statement.kind}" if first else ""


def _shown(this: Parsed) -> bool:
    if this.name not in _SHOWN.split():
        return False
    if this.name == "create_table_as_stmt":
        return enum_name(this.node, "objtype") == "OBJECT_MATVIEW"
    if this.name == "select_stmt":
        return all(_reads_nothing(kind, node) for kind, node in walk(this.node))
    if this.name in ("alter_seq_stmt", "alter_table_stmt"):  # a sequence's position is no part of a schema
        return all(kind != "DefElem" or node.defname != "restart" for kind, node in walk(this.node))
    return True


def _reads_nothing(kind: str, node: Node) -> bool:
    if kind == "FuncCall":
        return names.called(node) in _SETTING
    return kind not in ("IntoClause", "RangeVar")  # a view may call anything
