"""What a text has done so far, on what it met: a later statement is judged by what stands before it."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from sbsync_tasks.sqltext import UnparsableSql, adds_enum_value, enum_name, parse

from . import names
from .expressions import UNKNOWN, Around
from .finding import Met

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence

    from sbsync_tasks.sqltext import Node, Parsed

    from .bodies import Inner
    from .finding import Finding


TEMPORARY = "pg_temp"
_NOTHING = Met()
_DEFAULTS = "default privileges in "
_RELATIONS = re.compile(r"(view|materialized view|sequence|index|foreign table) ")
_SWITCHED = re.compile(r"AT_(Enable|Disable)(Trig|RowSecurity)(All|User)?")
# The kinds of which `Met` has every object; those of a table (policies, triggers) are as new as their table.
_KIND = re.compile(r"([a-z]+(?: [a-z]+)*) ")
_ALL_MET = frozenset(["", "domain", "extension", "function", "procedure", "schema", "type"])


class Scope:
    """The state while files are read from top to bottom, one after the other.

    Args:
        met: What the database has that they are going to meet; None where that is not known.
    """

    def __init__(self, met: Met | None = None) -> None:
        self.met = met  # what was there before, by the names that the files have given it since
        self.schema = names.PUBLIC  # where a name without a schema points; `set search_path` moves it
        self.created = set[
            str
        ]()  # objects and columns (`public.t`, `type public.mood`, `public.t.a`) that were not there
        self.replaced = set[str]()  # objects that CREATE OR REPLACE or IF NOT EXISTS may have found there
        self.dropped = set[str]()
        self.made_again = set[str]()  # what was dropped, or (with the rule in front) off, and is there or on again
        self.temporary = set[str]()  # names of temporary tables
        # Tables that live on, and views with their owner's rights: which of those that the API reaches have rights.
        self.tables: dict[str, tuple[Parsed, set[str]]] = {}
        self.defaults: dict[str, set[str]] = {}  # by schema: which of these get rights on its new relations
        self.secured = set[str]()  # tables whose row level security was switched on, and views with `security_invoker`
        self.granted = set[tuple[str, str]]()  # object and role
        self.revoked: list[tuple[Parsed, str, str]] = []
        self.bodies: dict[str, Parsed] = {}  # of functions
        self.definers: dict[str, Parsed] = {}  # functions with their owner's rights and without a search path
        self.triggers: dict[str, list[Parsed]] = defaultdict(list)  # by table
        self.shows: dict[str, str] = {}  # views that show every row of one relation, with that
        self.dropped_tables: dict[str, Parsed] = {}  # that were there before
        self.made_tables: dict[str, frozenset[str]] = {}  # with the names of their columns
        self.dropped_columns: dict[str, list[tuple[str, Parsed]]] = defaultdict(list)  # by table
        self.added_columns: dict[str, list[str]] = defaultdict(list)  # by table
        self.enums = set[str]()  # types of the same file
        self.enum_values: list[str] = []  # added to enums of before the file
        self.within: list[tuple[Parsed, Parsed]] = []  # statements inside of others, with those
        self.around = Around()  # what is known where the statement stands that is being judged
        self.walked: dict[Hashable, tuple[Inner | Finding, ...]] = {}  # PL/pgSQL bodies that were read before
        for about, role in self.there.rights:
            if about.startswith(_DEFAULTS):
                self.defaults.setdefault(about.removeprefix(_DEFAULTS), set()).add(role)
        self.defaults = self.defaults or {names.PUBLIC: {"anon", "authenticated"}}

    @property
    def there(self) -> Met:
        """What was there before, as far as it is known."""
        return self.met or _NOTHING

    def next_file(self) -> None:
        """The CLI resets a session's settings after each file, and commits."""
        self.schema = names.PUBLIC
        self.temporary.clear()  # for who begins here, names mean what the database has
        self.enums.clear()
        self.enum_values.clear()

    def name(self, node: Node) -> str:
        """The complete name of a relation, type or function, such as `public.t`."""
        return self.qualified(names.parts(node))

    def written(self, node: Node) -> str:
        """The complete name of the relation that a change of a relation's rows reaches: through a view, its table."""
        name, seen = self.name(node), set[str]()
        while name in self.shows and name not in seen:  # what a text says of views may go round in a circle
            seen.add(name)
            name = self.shows[name]
        return name

    def qualified(self, parts: tuple[str, ...]) -> str:
        """A name as it stands in the SQL, made complete."""
        if len(parts) == 1:
            return names.dotted([TEMPORARY if parts[0] in self.temporary else self.schema, *parts])
        return names.dotted(parts[-2:])

    def definitions(self, function: str) -> tuple[Parsed, ...]:
        """The statements that make a function: that of this text, or those of the database."""
        here = self.bodies.get(function)
        return (here,) if here else _read(self.there.functions.get(function, ()))

    def triggers_on(self, table: str) -> tuple[Parsed, ...]:
        """The statements that make the triggers of a table, in this text and in the database."""
        there = _read(self.there.triggers.get(table, ()))
        left = (t for t in there if f"trigger {names.quoted(t.node.trigname)} on {table}" not in self.dropped)
        return (*left, *self.triggers.get(table, ()))

    def label(self, kind: str, node: Node) -> str:
        """An object as findings name it: `public.t` for a table, else the kind in front."""
        parts = names.parts(node)
        if kind in names.ON_TABLE:
            return f"{kind} {names.quoted(parts[-1])} on {self.qualified(parts[:-1])}"
        name = self.qualified(parts) if kind not in names.WITHOUT_SCHEMA else names.dotted(parts)
        return name if kind == "table" else f"{kind} {name}"

    def is_new(self, label: str) -> bool:
        """Whether the object was not there before; all kinds of relation share one set of names."""
        key = kept_as(label)
        if key in self.created:
            return True
        if UNKNOWN in key:
            return False
        if " on " in key and key.partition(" ")[0] in names.ON_TABLE:
            return self.is_new(key.rpartition(" on ")[2])
        kind = _KIND.match(key)
        is_met = self.met is not None and (kind[1] if kind else "") in _ALL_MET
        return is_met and key not in self.there.objects

    def altered(self, statement: Node) -> Iterator[tuple[str, Node, str, str]]:
        """What an `ALTER TABLE` does where the table was there before: kind, command, table, and `public.t.column`."""
        table = self.name(statement.relation)
        for command in (item.alter_table_cmd for item in statement.cmds if not self.is_new(table)):
            yield enum_name(command, "subtype"), command, table, f"{table}.{names.quoted(command.name)}"

    def is_new_column(self, table: str, column: str) -> bool:
        """Whether the column, such as `public.t.column`, or its table, was not there before."""
        if column in self.created or self.is_new(table):
            return True
        return self.met is not None and UNKNOWN not in column and column not in self.met.columns

    def columns_of(self, table: str) -> frozenset[str]:
        """The columns that a table of the database has, quoted where SQL needs it; none where they are not known."""
        return frozenset(c.removeprefix(f"{table}.") for c in self.there.columns if c.startswith(f"{table}."))

    def may_be_new(self, label: str) -> bool:
        """Whether this text created or replaced the object: which of both is not known."""
        return kept_as(label) in self.replaced

    def make(self, label: str, *, maybe: bool = False) -> None:
        """Take note of an object that a statement makes, or (maybe) finds there."""
        (self.replaced if maybe and not self.is_new(label) else self.created).add(kept_as(label))
        if not maybe:
            self.shows.pop(kept_as(label), None)
        if label in self.dropped:
            self.made_again.add(label)

    def move(self, old: str, new: str) -> None:
        """Take note of the new name of an object or a column."""
        old, new, was = kept_as(old), kept_as(new), self.there
        moved, shows = {old: new}, self.shows.items()
        self.shows = {moved.get(view, view): moved.get(shown, shown) for view, shown in shows if view != new}
        self.triggers[new] += self.triggers.pop(old, [])
        if old in self.created:
            self.created = self.created - {old} | {new}
            self.tables.update({new: self.tables.pop(old)} if old in self.tables else {})
            if old in self.secured:
                self.secured = self.secured - {old} | {new}
        elif old in was.objects or old in was.columns:
            columns = {new + c[len(old) :]: t for c, t in was.columns.items() if f"{c}.".startswith(f"{old}.")}
            rights = {(new, role): held for (about, role), held in was.rights.items() if about == old}
            objects = was.objects | ({new} if old in was.objects else set())
            columns, rights = {**was.columns, **columns}, {**was.rights, **rights}
            triggers = {**was.triggers, new: was.triggers.get(old, ())}
            self.met = replace(was, objects=objects, columns=columns, rights=rights, triggers=triggers)
        elif was.restrictive and old in was.restrictive:
            self.met = replace(was, restrictive=was.restrictive | {new})

    def open_up(self, name: str, parsed: Parsed) -> None:
        """Take note of a new relation, with the rights that it has by default."""
        self.tables[name] = (parsed, set(self.defaults.get(name.rpartition(".")[0], ())))
        self.secured.discard(name)


def _read(definitions: Sequence[str]) -> tuple[Parsed, ...]:
    try:
        return tuple(parsed for text in definitions for parsed in parse(text))
    except UnparsableSql:
        return ()


def kept_as(label: str) -> str:
    """A label as `Scope` keeps it: all kinds of relation share one set of names."""
    return _RELATIONS.sub("", label, count=1) if _RELATIONS.match(label) else label


def _object(scope: Scope, parsed: Parsed) -> None:
    kind, *fields = _OBJECTS[parsed.name]
    label = scope.label(kind, [getattr(parsed.node, f) for f in fields])
    scope.make(label, maybe=getattr(parsed.node, "if_not_exists", False))
    if kind == "type":
        scope.enums.add(label)
    elif kind == "trigger":
        scope.triggers[scope.name(parsed.node.relation)].append(parsed)


def _set(scope: Scope, parsed: Parsed) -> None:
    if parsed.node.name == "search_path":
        _search(scope, [a.a_const.sval.sval for a in parsed.node.args])


def _search(scope: Scope, path: Iterable[str]) -> None:
    scope.schema = next((p for p in path if p and p != "$user"), names.PUBLIC)


def _selected(scope: Scope, parsed: Parsed) -> None:
    """`SELECT … INTO`, and `set_config` of the search path."""
    for kind, call in parsed.acts:
        if kind == "FuncCall" and names.parts(call.funcname[-1]) == ("set_config",):
            setting, value, *_ = (*(a.a_const.sval.sval for a in call.args), "", "")
            if setting.lower() == "search_path":
                _search(scope, (p.strip().strip('"') for p in value.split(",")))
    if parsed.node.HasField("into_clause"):
        _relation(scope, parsed, parsed.node.into_clause.rel, "table", maybe=False)


def _table(scope: Scope, parsed: Parsed) -> None:
    node = parsed.node.base_stmt if parsed.name == "create_foreign_table_stmt" else parsed.node
    selects = parsed.name == "create_table_as_stmt"
    relation, kind = (node.into.rel, names.kind_word(node, "objtype")) if selects else (node.relation, "table")
    there = scope.name(relation) in scope.created
    if not (node.if_not_exists and there) and _relation(scope, parsed, relation, kind, maybe=node.if_not_exists):
        columns = [e.column_def for e in (() if selects else node.table_elts) if e.HasField("column_def")]
        if parsed.name == "create_stmt":
            scope.made_tables[scope.name(relation)] = frozenset(names.quoted(c.colname) for c in columns)
        for column in columns:
            _owned_sequence(scope, relation, column, maybe=not scope.is_new(scope.name(relation)))


def _relation(scope: Scope, parsed: Parsed, relation: Node, kind: str, *, maybe: bool) -> bool:
    """A new table, or what holds rows like one; whether it lives on."""
    if relation.relpersistence == "t":
        if not maybe:
            scope.temporary.add(relation.relname)
            scope.make(scope.name(relation))
        return False
    name = scope.name(relation)
    maybe = maybe and not scope.is_new(name)
    scope.make(scope.label(kind, relation), maybe=maybe)
    if not maybe or scope.met is None:
        scope.open_up(name, parsed)
    return True


def _owned_sequence(scope: Scope, relation: Node, column: Node, *, maybe: bool) -> None:
    # PostgreSQL names the sequence of a serial or identity column itself; diffs grant rights on it.
    kinds = {enum_name(c.constraint, "contype") for c in column.constraints}
    if names.is_serial(column.type_name) or "CONSTR_IDENTITY" in kinds:
        scope.make(_sequence_of(scope, relation, column.colname), maybe=maybe)


def _sequence_of(scope: Scope, relation: Node, column: str) -> str:
    parts = names.parts(relation)
    return scope.qualified((*parts[:-1], f"{parts[-1]}_{column}_seq"))


def _view(scope: Scope, parsed: Parsed) -> None:
    view, invoker = parsed.node.view, names.option(parsed.node.options, "security_invoker")
    if view.relpersistence == "t":
        scope.temporary.add(view.relname)
    name = scope.name(view)
    scope.make(f"view {name}", maybe=parsed.node.replace)
    if invoker is None or not names.is_on(invoker):
        scope.open_up(name, parsed)
    else:
        scope.tables.pop(name, None)
    _shown(scope, name, parsed.node.query.select_stmt)


def _shown(scope: Scope, name: str, query: Node) -> None:
    """Of a view over one relation, without a condition: a change through it reaches every row of that."""
    scope.shows.pop(name, None)
    one = len(query.from_clause) == 1 and query.from_clause[0].WhichOneof("node") == "range_var"
    if one and not query.HasField("where_clause") and (shown := scope.name(query.from_clause[0])) != name:
        scope.shows[name] = shown


def _function(scope: Scope, parsed: Parsed) -> None:
    name, kind = scope.name(parsed.node.funcname), "procedure" if parsed.node.is_procedure else "function"
    scope.make(f"{kind} {name}", maybe=parsed.node.replace)
    scope.bodies[name] = parsed


def _enum_value(scope: Scope, parsed: Parsed) -> None:
    if adds_enum_value(parsed) and scope.label("type", parsed.node.type_name) not in scope.enums:
        scope.enum_values.append(parsed.node.new_val)


def _alter(scope: Scope, parsed: Parsed) -> None:
    relation, table = parsed.node.relation, scope.name(parsed.node.relation)
    for command in (item.alter_table_cmd for item in parsed.node.cmds):
        kind, definition = enum_name(command, "subtype"), getattr(command, "def")
        part = f"{table}.{names.quoted(command.name)}"
        if kind == "AT_AddColumn":
            added = definition.column_def.colname
            _owned_sequence(scope, relation, definition.column_def, maybe=command.missing_ok)
            scope.added_columns[table].append(added)
            scope.created.update(() if command.missing_ok else [f"{table}.{names.quoted(added)}"])
        elif kind == "AT_DropColumn":
            if not scope.is_new_column(table, part):
                scope.dropped_columns[table].append((command.name, parsed))
            scope.created.add(_sequence_of(scope, relation, command.name))  # dropped with it, if there is one
            scope.created.discard(part)
        elif kind == "AT_DropConstraint":
            scope.dropped.add(part)
        elif kind == "AT_AddConstraint":
            scope.made_again.update({f"{table}.{names.quoted(definition.constraint.conname)}"} & scope.dropped)
        elif switched := _SWITCHED.fullmatch(kind):
            about = f"disable-trigger {part if command.name else table}"
            about = about if switched[2] == "Trig" else f"disable-rls {table}"
            (scope.made_again.add if switched[1] == "Enable" else scope.made_again.discard)(about)
        if kind == "AT_EnableRowSecurity" or (kind == "AT_SetRelOptions" and _invokes(definition)):
            scope.secured.add(table)


def _invokes(definition: Node) -> bool:
    option = names.option(definition.list.items, "security_invoker")
    return option is not None and names.is_on(option)


def _add_column(scope: Scope, relation: Node, column: Node, *, maybe: bool) -> None:
    table = scope.name(relation)
    _owned_sequence(scope, relation, column, maybe=maybe)
    scope.added_columns[table].append(column.colname)
    scope.created.update(() if maybe else [f"{table}.{names.quoted(column.colname)}"])


def _drop(scope: Scope, parsed: Parsed) -> None:
    kind = names.kind_word(parsed.node, "remove_type")
    for item in parsed.node.objects:
        label = scope.label(kind, item)
        key = kept_as(label)
        if kind == "table" and not scope.is_new(label):
            scope.dropped_tables[label] = parsed
        scope.dropped.add(label)
        scope.created.discard(key)
        scope.tables.pop(key, None)
        scope.secured.discard(key)
        scope.shows = {view: shown for view, shown in scope.shows.items() if key not in (view, shown)}
        if kind == "table":
            owned = (column.strip('"') for column in scope.columns_of(label))
            scope.created.update(_sequence_of(scope, item, column) for column in owned)
            scope.temporary.difference_update(names.parts(item)[-1:] if label.startswith(f"{TEMPORARY}.") else ())


def _renamed(scope: Scope, parsed: Parsed) -> None:
    """`ALTER … RENAME` and `SET SCHEMA`; a constraint's new name is none of its table's."""
    node, renames = parsed.node, parsed.name == "rename_stmt"
    kind, parts = names.altered(node)
    if kind == "schema":
        scope.met = None
    elif kind in {"column", "attribute"}:
        table = scope.qualified(parts)
        scope.move(f"{table}.{names.quoted(node.subname)}", f"{table}.{names.quoted(node.newname)}")
    elif kind in names.ON_TABLE:
        scope.move(scope.label(kind, (*parts, node.subname)), scope.label(kind, (*parts, node.newname)))
    elif parts and kind != "extension" and not (renames and node.subname):
        new = (*parts[:-1], node.newname) if renames else (node.newschema, parts[-1])
        scope.move(scope.label(kind, parts), scope.label(kind, new))


# By kind of statement: the kind of object that it makes, and the fields that name it.
_OBJECTS = {
    "create_seq_stmt": ("sequence", "sequence"),
    "create_schema_stmt": ("schema", "schemaname"),
    "create_extension_stmt": ("extension", "extname"),
    "create_publication_stmt": ("publication", "pubname"),
    "create_domain_stmt": ("domain", "domainname"),
    "create_enum_stmt": ("type", "type_name"),
    "create_range_stmt": ("type", "type_name"),
    "composite_type_stmt": ("type", "typevar"),
    "create_policy_stmt": ("policy", "table", "policy_name"),
    "create_trig_stmt": ("trigger", "relation", "trigname"),
}
LEARNERS: dict[str, Callable[[Scope, Parsed], None]] = {
    **dict.fromkeys(_OBJECTS, _object),
    "variable_set_stmt": _set,
    **dict.fromkeys(["create_stmt", "create_table_as_stmt", "create_foreign_table_stmt"], _table),
    "select_stmt": _selected,
    "view_stmt": _view,
    "create_function_stmt": _function,
    "alter_enum_stmt": _enum_value,
    "alter_table_stmt": _alter,
    "drop_stmt": _drop,
    **dict.fromkeys(["rename_stmt", "alter_object_schema_stmt"], _renamed),
}
