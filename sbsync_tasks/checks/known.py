"""What a text has done so far, on what it met: a later statement is judged by what stands before it."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sbsync_tasks.sqltext import UnparsableSql, enum_name, parse

from . import names
from .expressions import UNKNOWN, Around

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping, Sequence

    from sbsync_tasks.sqltext import Node, Parsed

    from .bodies import Inner
    from .finding import Finding


TEMPORARY = "pg_temp"
REACHABLE = frozenset(["anon", "authenticated", names.PUBLIC])
"""The roles that anybody can act as through the API, with the public key or a sign-up."""
USES = frozenset(["select", "insert", "update", "delete"])
"""What the API does with a relation; a `REVOKE` of less leaves it open."""
_DEFAULTS = "default privileges in "
_RELATIONS = re.compile(r"(view|materialized view|sequence|index|foreign table) ")
# The kinds of which `Met` has every object; those of a table (policies, triggers) are as new as their table.
_KIND = re.compile(r"([a-z]+(?: [a-z]+)*) ")
_ALL_MET = frozenset(["", "domain", "extension", "function", "procedure", "schema", "type"])


@dataclass(frozen=True)
class Met:
    """What the database has that a text is going to meet.

    Attributes:
        objects: Relations (`public.t`), schemas, extensions, types, domains and functions, with the kind in front as
            in findings; functions without their arguments.
        columns: The columns of its relations, as `public.t.column`, with their types as `format_type` writes them.
        rights: What `REACHABLE` roles may do, in lower case, by object (as in `objects`) and role; and what
            they will be able to do with new relations (`default privileges in public`).
        restrictive: Policies that keep out rather than let in, as findings name them; None where that is not known.
        functions: The statements that make its functions of a name (`public.f`), as far as they can be read.
        triggers: By table: the statements that make its triggers.
    """

    objects: frozenset[str]
    columns: Mapping[str, str]
    rights: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    restrictive: frozenset[str] | None = None
    functions: Mapping[str, Sequence[str]] = field(default_factory=dict)
    triggers: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass
class Made:
    """A relation of this text that lives on, and that row level security does not hold back by itself.

    Attributes:
        parsed: The statement.
        open_to: Which of the roles that reach the API have rights on it.
    """

    parsed: Parsed
    open_to: set[str]


@dataclass
class Scope:
    """The state while files are read from top to bottom, one after the other.

    Attributes:
        met: What was there before, by the names that the files have given it since; None where that is not known.
        schema: Where a name without a schema points; `set search_path` moves it.
        created: Objects that did not exist before this text (`public.t`, `type public.mood`).
        replaced: Objects that `CREATE OR REPLACE` or `IF NOT EXISTS` may have found there.
        columns: Columns that this text added, as `public.t.column`.
        temporary: Names of temporary tables of this text.
        tables: Tables of this text that live on, and views with their owner's rights.
        defaults: By schema: who of the `REACHABLE` gets rights on its new relations.
        secured: Tables whose row level security this text switched on, and views with `security_invoker`.
        bodies: Functions of this text, with the statement.
        triggers: By table: the statements that gave it triggers.
        shows: Views of this text that show every row of one relation, with that relation.
        granted: Object and role of every `GRANT`.
        revoked: Object and role of every `REVOKE`, with the statement.
        dropped_tables: Tables that were there before, with the statement that drops them.
        made_tables: Tables that `CREATE TABLE` makes, with the names of their columns.
        dropped_columns: By table: dropped columns with the statement.
        added_columns: By table: added columns.
        enums: Types of the same file.
        enum_values: Values added to enums of before the file.
        dropped: What was dropped.
        made_again: What of it was made again later; and what was switched off and on again, with the rule in front.
        definers: Functions of this text with their owner's rights and without a search path, with the statement.
        within: Statements inside of others, with those.
        around: What is known where the statement stands that is being judged.
        walked: The SQL of PL/pgSQL bodies that were read before.
    """

    met: Met | None = None
    schema: str = names.PUBLIC
    created: set[str] = field(default_factory=set)
    replaced: set[str] = field(default_factory=set)
    columns: set[str] = field(default_factory=set)
    temporary: set[str] = field(default_factory=set)
    tables: dict[str, Made] = field(default_factory=dict)
    defaults: dict[str, set[str]] = field(default_factory=dict)
    secured: set[str] = field(default_factory=set)
    bodies: dict[str, Parsed] = field(default_factory=dict)
    triggers: dict[str, list[Parsed]] = field(default_factory=lambda: defaultdict(list))
    shows: dict[str, str] = field(default_factory=dict)
    granted: set[tuple[str, str]] = field(default_factory=set)
    revoked: list[tuple[Parsed, str, str]] = field(default_factory=list)
    dropped_tables: dict[str, Parsed] = field(default_factory=dict)
    made_tables: dict[str, frozenset[str]] = field(default_factory=dict)
    dropped_columns: dict[str, list[tuple[str, Parsed]]] = field(default_factory=lambda: defaultdict(list))
    added_columns: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    enums: set[str] = field(default_factory=set)
    enum_values: list[str] = field(default_factory=list)
    dropped: set[str] = field(default_factory=set)
    made_again: set[str] = field(default_factory=set)
    definers: dict[str, Parsed] = field(default_factory=dict)
    within: list[tuple[Parsed, Parsed]] = field(default_factory=list)
    around: Around = field(default_factory=Around)
    walked: dict[Hashable, tuple[Inner | Finding, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for about, role in self.met.rights if self.met else ():
            if about.startswith(_DEFAULTS):
                self.defaults.setdefault(about.removeprefix(_DEFAULTS), set()).add(role)
        self.defaults = self.defaults or {names.PUBLIC: {"anon", "authenticated"}}

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
        if function in self.bodies:
            return (self.bodies[function],)
        return _read(self.met.functions.get(function, ())) if self.met else ()

    def triggers_on(self, table: str) -> tuple[Parsed, ...]:
        """The statements that make the triggers of a table, in this text and in the database."""
        there = _read(self.met.triggers.get(table, ())) if self.met else ()
        left = (t for t in there if f"trigger {names.quoted(t.node.trigname)} on {table}" not in self.dropped)
        return (*left, *self.triggers.get(table, ()))

    def label(self, kind: str, node: Node) -> str:
        """An object as findings name it: `public.t` for a table, else the kind in front."""
        parts = names.parts(node)
        if names.is_on_table(kind):
            return f"{kind} {names.quoted(parts[-1])} on {self.qualified(parts[:-1])}"
        name = self.qualified(parts) if names.has_schema(kind) else names.dotted(parts)
        return name if kind == "table" else f"{kind} {name}"

    def is_new(self, label: str) -> bool:
        """Whether the object was not there before; all kinds of relation share one set of names."""
        key = kept_as(label)
        if key in self.created:
            return True
        if UNKNOWN in key:
            return False
        if " on " in key and names.is_on_table(key.partition(" ")[0]):
            return self.is_new(key.rpartition(" on ")[2])
        kind = _KIND.match(key)
        if self.met is None or (kind[1] if kind else "") not in _ALL_MET:
            return False
        return key not in self.met.objects

    def altered(self, statement: Node) -> Iterator[tuple[str, Node, str, str]]:
        """What an `ALTER TABLE` does where the table was there before: kind, command, table, and `public.t.column`."""
        table = self.name(statement.relation)
        for command in (item.alter_table_cmd for item in statement.cmds if not self.is_new(table)):
            yield enum_name(command, "subtype"), command, table, f"{table}.{names.quoted(command.name)}"

    def is_new_column(self, table: str, column: str) -> bool:
        """Whether the column, such as `public.t.column`, or its table, was not there before."""
        if column in self.columns or self.is_new(table):
            return True
        return self.met is not None and UNKNOWN not in column and column not in self.met.columns

    def columns_of(self, table: str) -> frozenset[str]:
        """The columns that a table of the database has, quoted where SQL needs it; none where they are not known."""
        columns = self.met.columns if self.met else ()
        return frozenset(c.removeprefix(f"{table}.") for c in columns if c.startswith(f"{table}."))

    def type_of(self, column: str) -> str:
        """The type that a column of the database has; empty where it is not known."""
        return self.met.columns.get(column, "") if self.met else ""

    def may_be_new(self, label: str) -> bool:
        """Whether this text created or replaced the object: which of both is not known."""
        return kept_as(label) in self.replaced

    def move_column(self, old: str, new: str) -> None:
        """Take note of a column's new name."""
        if old in self.columns:
            self.columns = self.columns - {old} | {new}
        elif self.met and old in self.met.columns:
            self.met = replace(self.met, columns={**self.met.columns, new: self.met.columns[old]})

    def make(self, label: str, *, maybe: bool = False) -> None:
        """Take note of an object that a statement makes, or (maybe) finds there."""
        (self.replaced if maybe and not self.is_new(label) else self.created).add(kept_as(label))
        if not maybe:
            self.shows.pop(kept_as(label), None)
        if label in self.dropped:
            self.made_again.add(label)

    def move(self, old: str, new: str) -> None:
        """Take note of an object's new name."""
        moved, shows = {old: new}, self.shows.items()
        self.shows = {moved.get(view, view): moved.get(shown, shown) for view, shown in shows if view != new}
        if old in self.created:
            self.created = self.created - {old} | {new}
            self.tables.update({new: self.tables.pop(old)} if old in self.tables else {})
            if old in self.secured:
                self.secured = self.secured - {old} | {new}
        elif self.met and old in self.met.objects:
            columns = {new + c[len(old) :]: t for c, t in self.met.columns.items() if c.startswith(f"{old}.")}
            rights = {(new, role): held for (about, role), held in self.met.rights.items() if about == old}
            rights, columns = {**self.met.rights, **rights}, {**self.met.columns, **columns}
            self.met = replace(self.met, objects=self.met.objects | {new}, columns=columns, rights=rights)
        elif self.met and old in (self.met.restrictive or ()):
            self.met = replace(self.met, restrictive=frozenset([*(self.met.restrictive or ()), new]))

    def open_up(self, name: str, parsed: Parsed) -> None:
        """Take note of a new relation, with the rights that it has by default."""
        self.tables[name] = Made(parsed, set(self.defaults.get(name.rpartition(".")[0], ())))
        self.secured.discard(name)


def _read(definitions: Sequence[str]) -> tuple[Parsed, ...]:
    try:
        return tuple(parsed for text in definitions for parsed in parse(text))
    except UnparsableSql:
        return ()


def kept_as(label: str) -> str:
    """A label as `Scope` keeps it: all kinds of relation share one set of names."""
    return _RELATIONS.sub("", label, count=1) if _RELATIONS.match(label) else label
