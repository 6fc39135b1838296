"""What a text has done so far: a later statement is judged by what stands before it."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sbsync_tasks.sqltext import adds_enum_value, enum_name, stands_alone

from . import names

if TYPE_CHECKING:
    from sbsync_tasks.sqltext import Node, Parsed

TEMPORARY = "pg_temp"
_RELATIONS = re.compile(r"(view|materialized view|sequence|index|foreign table) ")


@dataclass
class Scope:
    """The state while a text is read from top to bottom.

    Attributes:
        schema: Where a name without a schema points; `set search_path` moves it.
        created: Objects that did not exist before this text (`public.t`, `type public.mood`).
        replaced: Objects that `CREATE OR REPLACE` or `IF NOT EXISTS` may have found there.
        columns: Columns that this text added, as `public.t.column`.
        temporary: Names of temporary tables of this text.
        tables: Tables of this text that live on, with the statement.
        secured: Tables whose row level security this text switched on.
        renamed: Types by the name that this text gave them, with the one they had.
        bodies: Functions of this text, with the statement.
        granted: Object and role of every `GRANT`.
        revoked: Object and role of every `REVOKE`, with the statement.
        dropped_columns: By table: dropped columns with the statement.
        added_columns: By table: added columns.
        enum_values: Values added to enums that existed before.
    """

    schema: str = names.PUBLIC
    created: set[str] = field(default_factory=set)
    replaced: set[str] = field(default_factory=set)
    columns: set[str] = field(default_factory=set)
    temporary: set[str] = field(default_factory=set)
    tables: dict[str, Parsed] = field(default_factory=dict)
    secured: set[str] = field(default_factory=set)
    renamed: dict[str, str] = field(default_factory=dict)
    bodies: dict[str, Parsed] = field(default_factory=dict)
    granted: set[tuple[str, str]] = field(default_factory=set)
    revoked: list[tuple[Parsed, str, str]] = field(default_factory=list)
    dropped_columns: dict[str, list[tuple[str, Parsed]]] = field(default_factory=lambda: defaultdict(list))
    added_columns: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    enum_values: list[str] = field(default_factory=list)

    def name(self, node: Node) -> str:
        """The complete name of a relation, type or function, such as `public.t`."""
        return self.qualified(names.parts(node))

    def qualified(self, parts: tuple[str, ...]) -> str:
        """A name as it stands in the SQL, made complete."""
        if len(parts) == 1:
            return names.dotted([TEMPORARY if parts[0] in self.temporary else self.schema, *parts])
        return names.dotted(parts[-2:])

    def label(self, kind: str, node: Node) -> str:
        """An object as findings name it: `public.t` for a table, else the kind in front."""
        parts = names.parts(node)
        if names.is_on_table(kind):
            return f"{kind} {names.quoted(parts[-1])} on {self.qualified(parts[:-1])}"
        name = self.qualified(parts) if names.has_schema(kind) else names.dotted(parts)
        return name if kind == "table" else f"{kind} {name}"

    def is_new(self, label: str) -> bool:
        """Whether this text created the object; all kinds of relation share one set of names."""
        return _key(label) in self.created

    def may_be_new(self, label: str) -> bool:
        """Whether this text created or replaced the object: which of both is not known."""
        return _key(label) in self.replaced

    def learn(self, parsed: Parsed) -> None:
        """Take note of what a statement does."""
        if parsed.name == "transaction_stmt" or stands_alone(parsed):
            self.enum_values.clear()  # what was added before is committed
        learner = _LEARNERS.get(parsed.name)
        if learner:
            learner(self, parsed)


def _key(label: str) -> str:
    return _RELATIONS.sub("", label, count=1) if _RELATIONS.match(label) else label


def _set(scope: Scope, parsed: Parsed) -> None:
    node = parsed.node
    if node.name == "search_path":
        paths = [a.a_const.sval.sval for a in node.args]
        scope.schema = next((p for p in paths if p and p != "$user"), names.PUBLIC)


def _table(scope: Scope, parsed: Parsed) -> None:
    node = parsed.node
    relation = node.into.rel if parsed.name == "create_table_as_stmt" else node.relation
    if relation.relpersistence == "t":
        if not node.if_not_exists:
            scope.temporary.add(relation.relname)
            scope.created.add(scope.name(relation))
        return
    name = scope.name(relation)
    _note(scope, name, maybe=node.if_not_exists)
    if parsed.name == "create_stmt":
        if not node.if_not_exists:
            scope.tables[name] = parsed
        for element in node.table_elts:
            _owned_sequence(scope, relation, element.column_def, maybe=node.if_not_exists)


def _owned_sequence(scope: Scope, relation: Node, column: Node, *, maybe: bool) -> None:
    # PostgreSQL names the sequence of a serial or identity column itself; diffs grant rights on it.
    kinds = {enum_name(c.constraint, "contype") for c in column.constraints}
    if names.is_serial(column.type_name) or "CONSTR_IDENTITY" in kinds:
        parts = names.parts(relation)
        name = scope.qualified((*parts[:-1], f"{parts[-1]}_{column.colname}_seq"))
        _note(scope, name, maybe=maybe)


def _note(scope: Scope, label: str, *, maybe: bool) -> None:
    (scope.replaced if maybe else scope.created).add(label)


def _view(scope: Scope, parsed: Parsed) -> None:
    _note(scope, scope.name(parsed.node.view), maybe=parsed.node.replace)


def _sequence(scope: Scope, parsed: Parsed) -> None:
    _note(scope, scope.name(parsed.node.sequence), maybe=parsed.node.if_not_exists)


def _schema(scope: Scope, parsed: Parsed) -> None:
    label = f"schema {names.quoted(parsed.node.schemaname)}"
    _note(scope, label, maybe=parsed.node.if_not_exists)


def _extension(scope: Scope, parsed: Parsed) -> None:
    label = f"extension {names.quoted(parsed.node.extname)}"
    _note(scope, label, maybe=parsed.node.if_not_exists)


def _type(scope: Scope, parsed: Parsed) -> None:
    node = parsed.node
    if parsed.name == "composite_type_stmt":
        parts = names.parts(node.typevar)
    else:
        parts = tuple(p for n in node.type_name for p in names.parts(n))
    scope.created.add(f"type {scope.qualified(parts)}")


def _domain(scope: Scope, parsed: Parsed) -> None:
    parts = tuple(p for n in parsed.node.domainname for p in names.parts(n))
    scope.created.add(f"domain {scope.qualified(parts)}")


def _function(scope: Scope, parsed: Parsed) -> None:
    parts = tuple(p for n in parsed.node.funcname for p in names.parts(n))
    kind = "procedure" if parsed.node.is_procedure else "function"
    _note(scope, f"{kind} {scope.qualified(parts)}", maybe=parsed.node.replace)
    scope.bodies[scope.qualified(parts)] = parsed


def _enum_value(scope: Scope, parsed: Parsed) -> None:
    parts = tuple(p for n in parsed.node.type_name for p in names.parts(n))
    if adds_enum_value(parsed) and f"type {scope.qualified(parts)}" not in scope.created:
        scope.enum_values.append(parsed.node.new_val)


def _alter(scope: Scope, parsed: Parsed) -> None:
    table = scope.name(parsed.node.relation)
    for item in parsed.node.cmds:
        command = item.alter_table_cmd
        kind, column = enum_name(command, "subtype"), getattr(command, "def").column_def
        if kind == "AT_AddColumn":
            _owned_sequence(scope, parsed.node.relation, column, maybe=command.missing_ok)
            scope.added_columns[table].append(column.colname)
            if not command.missing_ok:
                scope.columns.add(f"{table}.{names.quoted(column.colname)}")
        elif kind == "AT_DropColumn":
            scope.dropped_columns[table].append((command.name, parsed))
            scope.columns.discard(f"{table}.{names.quoted(command.name)}")
        elif kind == "AT_EnableRowSecurity":
            scope.secured.add(table)


def _drop(scope: Scope, parsed: Parsed) -> None:
    kind = names.kind_word(parsed.node, "remove_type")
    for item in parsed.node.objects:
        label = scope.label(kind, item)
        scope.created.discard(_key(label))
        scope.tables.pop(label, None)
        scope.secured.discard(label)
        if kind == "table" and label.startswith(f"{TEMPORARY}."):
            scope.temporary.discard(names.parts(item)[-1])


def _rename(scope: Scope, parsed: Parsed) -> None:
    node, kind = parsed.node, names.kind_word(parsed.node, "rename_type")
    target = node.relation if node.HasField("relation") else node.object
    parts = names.parts(target)
    if kind not in {"table", "type", "view", "domain"} or not parts:
        return
    prefix = "" if kind in {"table", "view"} else f"{kind} "
    old = prefix + scope.qualified(parts)
    new = prefix + scope.qualified((*parts[:-1], node.newname))
    if kind == "type":
        scope.renamed[new] = old
    if old in scope.created:
        scope.created = scope.created - {old} | {new}
        scope.tables.update({new: scope.tables.pop(old)} if old in scope.tables else {})


def _grant(scope: Scope, parsed: Parsed) -> None:
    for about in grant_objects(scope, parsed.node):
        for role in names.roles(parsed.node.grantees):
            if parsed.node.is_grant:
                scope.granted.add((about, role))
            else:
                scope.revoked.append((parsed, about, role))


def grant_objects(scope: Scope, node: Node) -> list[str]:
    """The objects of a `GRANT` or `REVOKE`, as findings name them."""
    kind = names.kind_word(node, "objtype")
    if enum_name(node, "targtype") == "ACL_TARGET_ALL_IN_SCHEMA":
        return [f"all {kind}s in schema {names.dotted(names.parts(o))}" for o in node.objects]
    return [scope.label(kind, o) for o in node.objects]


_LEARNERS = {
    "variable_set_stmt": _set,
    "create_stmt": _table,
    "create_table_as_stmt": _table,
    "view_stmt": _view,
    "create_seq_stmt": _sequence,
    "create_schema_stmt": _schema,
    "create_extension_stmt": _extension,
    "create_enum_stmt": _type,
    "create_range_stmt": _type,
    "composite_type_stmt": _type,
    "create_domain_stmt": _domain,
    "create_function_stmt": _function,
    "alter_enum_stmt": _enum_value,
    "alter_table_stmt": _alter,
    "drop_stmt": _drop,
    "rename_stmt": _rename,
    "grant_stmt": _grant,
}
