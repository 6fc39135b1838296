"""Which effects a text has on rows: the tables that it changes, and whether anything of it leaves no other trace."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sbsync_tasks.sqltext import UnparsableSql, adds_enum_value, enum_name, parse, walk

from . import bodies, names
from .engine import learn
from .finding import Finding
from .losses import CASCADE_TAKES_NO_ROWS
from .scope import Scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from sbsync_tasks.sqltext import Node, Parsed


_WRITES = frozenset(["InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"])
_CHANGING_COMMANDS = frozenset(["AT_DropColumn", "AT_AlterColumnType", "AT_SetExpression"])
_PARTING_COMMANDS = frozenset(["AT_DetachPartition", "AT_DropInherit"])
_NEVER_KNOWN = frozenset(["alter_extension_stmt", "dropdb_stmt", "drop_owned_stmt", "load_stmt"])


@dataclass(frozen=True)
class Rows:
    """What a text can do to rows that stood there before it.

    What does not stand in the text is not in here: triggers, rules, event triggers and views that the
    database has already, and foreign keys that pass a change on. A table stands for its partitions
    and heirs as well. A name that is no table of the database (a view, say) has to be taken as
    `unknown`.

    Attributes:
        tables: The tables whose rows can be changed or removed, such as `public.t`, by the names
            that they have before the text runs.
        cascades: Those of them that are emptied with `TRUNCATE … CASCADE`.
        unknown: Something in the text has an effect on rows that cannot be told from it.
    """

    tables: frozenset[str]
    cascades: frozenset[str]
    unknown: bool


def changed_rows(sql: str) -> Rows:
    """The tables whose rows a text can change or remove; those that it creates are left out.

    Never raises: a text that cannot be read is `unknown`.
    """
    reader = _Reader()
    try:
        for parsed in parse(sql):
            reader.read(parsed)
            learn(reader.scope, parsed)
    except UnparsableSql:
        reader.unknown = True
    return Rows(frozenset(reader.tables), frozenset(reader.cascades), reader.unknown)


@dataclass
class _Reader:
    """What has been read so far.

    Attributes:
        scope: What the text has created up to here; statements inside of others do not count.
        reaching: Relations through which a change reaches others: views of this text, and tables
            with partitions and heirs that this text gave them.
        triggered: Tables with triggers or rules that this text gave them.
        old_names: Tables by the name that this text gave them, with the one they had before it.
        defined: How often the text defines each function.
        several: The search path has several schemas, so that names without one are not certain.
        seen: SQL inside of statements that has been read; functions may call themselves.
    """

    scope: Scope = field(default_factory=Scope)
    tables: set[str] = field(default_factory=set)
    cascades: set[str] = field(default_factory=set)
    unknown: bool = False
    reaching: set[str] = field(default_factory=set)
    triggered: set[str] = field(default_factory=set)
    old_names: dict[str, str] = field(default_factory=dict)
    defined: Counter[str] = field(default_factory=Counter)
    several: bool = False
    seen: set[bodies.Inner] = field(default_factory=set)

    def read(self, parsed: Parsed) -> None:
        """Take in one statement and what it runs."""
        if parsed.node is None or parsed.name in _NEVER_KNOWN:
            self.unknown = True
            return
        reader = _READERS.get(parsed.name)
        if reader:
            reader(self, parsed)
        if parsed.name in bodies.STORED:
            return
        for kind, node in parsed.acts:
            if kind in _WRITES:
                self._written(kind, node)
            # As in CREATE TABLE … AS EXECUTE.
            self.unknown |= kind == "ExecuteStmt"
        self._called(parsed)
        self._inside(parsed)

    def changed(self, parts: tuple[str, ...], *, cascade: bool = False) -> None:
        """Note that the rows of a table can change."""
        name = self.scope.qualified(parts)
        if name in self.reaching or (cascade and self.scope.is_new(name)):
            self.unknown = True
        if not self.scope.is_new(name):
            self.unknown |= self.several and len(parts) == 1
            old = self.old_names.get(name, name)
            self.tables.add(old)
            self.cascades.update([old] if cascade else [])

    def fired(self, parts: tuple[str, ...]) -> None:
        """Note that a table is written to, so that its triggers and rules run."""
        self.unknown |= self.scope.qualified(parts) in self.triggered

    def _written(self, kind: str, node: Node) -> None:
        parts = names.parts(node.relation)
        self.fired(parts)
        if _changes_old_rows(kind, node):
            self.changed(parts)

    def _called(self, parsed: Parsed) -> None:
        for call in bodies.calls(parsed):
            name = self.scope.qualified(names.parts(call.funcname))
            body = self.scope.bodies.get(name)
            if body is None:
                self.unknown |= not names.is_harmless(call)
            else:
                self.unknown |= self.defined[name] > 1 or not _is_readable(body)

    def _inside(self, parsed: Parsed) -> None:
        for found in bodies.run_by(parsed, self.scope):
            if isinstance(found, Finding):
                self.unknown = True
            elif found not in self.seen:
                self.seen.add(found)
                self._inner(found)

    def _inner(self, found: bodies.Inner) -> None:
        try:
            for parsed in parse(found.sql):
                self.read(parsed)
        except UnparsableSql:
            self.unknown = True


def _is_readable(body: Parsed) -> bool:
    """Whether a function's body says by itself which tables it means.

    With a search path of its own, names without a schema mean something else in it than outside.
    """
    settings = [o.def_elem.arg.variable_set_stmt for o in body.node.options if o.def_elem.defname == "set"]
    paths = [[a.a_const.sval.sval for a in s.args] for s in settings if s.name == "search_path"]
    return all(p[:1] in ([], [""], [names.PUBLIC], ["pg_catalog"]) for p in paths)


def _changes_old_rows(kind: str, node: Node) -> bool:
    if kind == "InsertStmt":
        return enum_name(node.on_conflict_clause, "action") == "ONCONFLICT_UPDATE"
    if kind == "MergeStmt":
        commands = {enum_name(c.merge_when_clause, "command_type") for c in node.merge_when_clauses}
        return not commands.isdisjoint({"CMD_UPDATE", "CMD_DELETE"})
    return True


def _truncate(reader: _Reader, parsed: Parsed) -> None:
    cascade = enum_name(parsed.node, "behavior") == "DROP_CASCADE"
    for item in parsed.node.relations:
        parts = names.parts(item)
        reader.fired(parts)
        reader.changed(parts, cascade=cascade)


def _drop(reader: _Reader, parsed: Parsed) -> None:
    kind = names.kind_word(parsed.node, "remove_type")
    cascade = enum_name(parsed.node, "behavior") == "DROP_CASCADE"
    for item in parsed.node.objects:
        label = reader.scope.label(kind, item)
        if kind == "table":
            reader.changed(names.parts(item))
        if not reader.scope.is_new(label):
            cascades = cascade and kind not in CASCADE_TAKES_NO_ROWS
            reader.unknown |= cascades or kind in {"schema", "extension"}


def _alter(reader: _Reader, parsed: Parsed) -> None:
    node, scope = parsed.node, reader.scope
    if enum_name(node, "objtype") == "OBJECT_TYPE":
        reader.unknown |= not scope.is_new(f"type {scope.name(node.relation)}")
        return
    for item in node.cmds:
        _command(reader, node.relation, item.alter_table_cmd)


def _command(reader: _Reader, relation: Node, command: Node) -> None:
    table, kind = reader.scope.name(relation), enum_name(command, "subtype")
    changes = kind in _CHANGING_COMMANDS and f"{table}.{names.quoted(command.name)}" not in reader.scope.created
    if changes or kind in _PARTING_COMMANDS:
        reader.changed(names.parts(relation))
    elif kind == "AT_AttachPartition":
        reader.reaching.add(table)
    elif kind == "AT_AddInherit":
        reader.reaching.add(reader.scope.name(getattr(command, "def").range_var))


def _enum(reader: _Reader, parsed: Parsed) -> None:
    parts = names.parts(parsed.node.type_name)
    is_new = reader.scope.is_new(f"type {reader.scope.qualified(parts)}")
    reader.unknown |= not is_new and not adds_enum_value(parsed)


def _copy(reader: _Reader, parsed: Parsed) -> None:
    reader.unknown |= bool(parsed.node.is_from or parsed.node.is_program)


def _view(reader: _Reader, parsed: Parsed) -> None:
    reader.reaching.add(reader.scope.name(parsed.node.view))


def _trigger(reader: _Reader, parsed: Parsed) -> None:
    reader.triggered.add(reader.scope.name(parsed.node.relation))


def _moved(reader: _Reader, parsed: Parsed) -> None:
    """A table or view gets another name or another schema."""
    node, scope = parsed.node, reader.scope
    kind = names.kind_word(node, "rename_type" if parsed.name == "rename_stmt" else "object_type")
    if kind == "schema" and parsed.name == "rename_stmt":
        reader.unknown |= not scope.is_new(f"schema {names.quoted(node.subname)}")
    if kind not in {"table", "view"}:
        return
    parts, old = names.parts(node.relation), scope.name(node.relation)
    new = (*parts[:-1], node.newname) if parsed.name == "rename_stmt" else (node.newschema, parts[-1])
    for names_now in (reader.reaching, reader.triggered):
        names_now.update([scope.qualified(new)] if old in names_now else [])
    if scope.is_new(old):
        reader.old_names.pop(scope.qualified(new), None)
    else:
        reader.old_names[scope.qualified(new)] = reader.old_names.pop(old, old)


def _set(reader: _Reader, parsed: Parsed) -> None:
    if parsed.node.name == "search_path":
        paths = [a.a_const.sval.sval for a in parsed.node.args]
        reader.several = paths[:1] not in ([], [names.PUBLIC], ["$user"]) and len(paths) > 1


def _function(reader: _Reader, parsed: Parsed) -> None:
    parts = names.parts(parsed.node.funcname)
    reader.defined[reader.scope.qualified(parts)] += 1


_READERS: dict[str, Callable[[_Reader, Parsed], None]] = {
    "truncate_stmt": _truncate,
    "drop_stmt": _drop,
    "alter_table_stmt": _alter,
    "alter_enum_stmt": _enum,
    "copy_stmt": _copy,
    "view_stmt": _view,
    "create_trig_stmt": _trigger,
    "rule_stmt": _trigger,
    "rename_stmt": _moved,
    "alter_object_schema_stmt": _moved,
    "variable_set_stmt": _set,
    "create_function_stmt": _function,
}


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
        return names.parts(node.funcname) in _SETTING
    return kind not in ("IntoClause", "RangeVar")  # a view may call anything
