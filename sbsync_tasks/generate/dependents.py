"""What depends on an object, found in pg_depend, and the statements that clear it out of the way.

Only what holds no rows, values or positions of its own is cleared; the engine, asked once more, makes it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .. import sqltext
from .script import Part, added

if TYPE_CHECKING:
    import psycopg

Address = tuple[int, int, int]
"""A catalog's oid, an object's oid in it, and a column's number or 0."""
Name = tuple[str, list[str], list[str]]

_RELATIONS = {
    "OBJECT_TABLE": "table", "OBJECT_VIEW": "view", "OBJECT_MATVIEW": "materialized view", "OBJECT_INDEX": "index",
    "OBJECT_SEQUENCE": "sequence", "OBJECT_FOREIGN_TABLE": "foreign table", "OBJECT_COLLATION": "collation",
    "OBJECT_TSDICTIONARY": "text search dictionary", "OBJECT_TSCONFIGURATION": "text search configuration",
    "OBJECT_STATISTIC_EXT": "statistics object", "OBJECT_SCHEMA": "schema",
}  # fmt: skip
_ROUTINES = {
    "OBJECT_FUNCTION": "function", "OBJECT_PROCEDURE": "procedure", "OBJECT_AGGREGATE": "aggregate",
    "OBJECT_ROUTINE": "routine", "OBJECT_OPERATOR": "operator",
}  # fmt: skip

# A statement that fails with one of these may go through once its object's dependents are out of the way.
BLOCKED = frozenset(("2BP01", "0A000", "42P13", "42P16"))
# A CREATE OR REPLACE that says this cannot replace: the object itself goes first.
NOT_REPLACED = frozenset(("42P13", "42P16"))

_EDGES = """
select d.classid::int8, d.objid::int8, d.objsubid, d.refclassid::int8, d.refobjid::int8, d.refobjsubid, d.deptype::text
from pg_depend d where d.deptype in ('n', 'a', 'i') and d.objid >= 16384
"""
# What stands for an object that nobody names: a view for its rule, a column for its default, a table for its row type.
_FOR_ANOTHER = """
select 'pg_rewrite'::regclass::int8, oid::int8, 'pg_class'::regclass::int8, ev_class::int8, 0
from pg_rewrite where rulename = '_RETURN'
union all
select 'pg_attrdef'::regclass::int8, d.oid::int8, 'pg_class'::regclass::int8, d.adrelid::int8, d.adnum
from pg_attrdef d join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum where a.attgenerated <> ''
union all
select 'pg_class'::regclass::int8, conindid::int8, 'pg_constraint'::regclass::int8, oid::int8, 0
from pg_constraint where contype in ('p', 'u', 'x')
"""
_UNNAMED = """
select 'pg_type'::regclass::int8, oid::int8 from pg_type
where typelem <> 0 and typsubscript = 'array_subscript_handler'::regproc
  or typrelid in (select oid from pg_class where relkind <> 'c') or typtype = 'm'
union all
select 'pg_trigger'::regclass::int8, oid::int8 from pg_trigger where tgisinternal
union all
select 'pg_class'::regclass::int8, oid::int8 from pg_class where relkind = 'c'
"""
_WORDS = """
select i.type, i.identity, a.object_names, a.object_args,
  coalesce((select k.contype::text from pg_constraint k where k.oid = %(objid)s::oid), '')
from pg_identify_object(%(classid)s::oid, %(objid)s::oid, %(objsubid)s) i,
  pg_identify_object_as_address(%(classid)s::oid, %(objid)s::oid, %(objsubid)s) a
"""
_COLUMN = """
select format('%%I.%%I', n.nspname, c.relname), format('%%I', a.attname),
  format_type(a.atttypid, a.atttypmod), a.attgenerated <> '', a.attnotnull,
  a.attnum = (select max(b.attnum) from pg_attribute b where b.attrelid = c.oid and not b.attisdropped),
  exists (select from pg_inherits where c.oid in (inhrelid, inhparent)),
  current_setting('server_version_num')::int >= 170000
from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
where a.attrelid = %(objid)s::oid and a.attnum = %(objsubid)s
"""
# By the names of pg_identify_object: what DROP calls them, where that is the same word, and holds nothing.
_DROPPED = {
    "view": "view", "materialized view": "materialized view", "function": "function", "procedure": "procedure",
    "aggregate": "aggregate", "index": "index", "policy": "policy", "trigger": "trigger", "rule": "rule",
    "statistics object": "statistics", "operator": "operator", "cast": "cast",
    "text search configuration": "text search configuration",
}  # fmt: skip
# What belongs to another object: the statement about that one. What has no kind is gone already.
_ALTERED = {
    "table constraint": "ALTER TABLE {table} DROP CONSTRAINT {third}",
    "domain constraint": "ALTER DOMAIN {first} DROP CONSTRAINT {argument}",
    "default value": "ALTER TABLE {table} ALTER COLUMN {third} DROP DEFAULT",
    "publication relation": "ALTER PUBLICATION {argument} DROP TABLE {table}",
    "": "",
}
# ALTER COLUMN … TYPE takes these along by itself.
_TAKEN_ALONG = frozenset(("index", "table constraint", "default value", "statistics object", "sequence"))


class HeldError(Exception):
    """Something that depends on the object holds rows, values or a position: it stays, whatever is to happen.

    Attributes:
        what: Its name.
    """

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class Dependents:
    """The dependencies of one moment in a scratch copy.

    Args:
        connection: To the copy, in its open transaction.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self.at_the_end: list[tuple[str, str]] = []

    def cleared(self, part: Part, sqlstate: str) -> list[Part]:
        """What to drop before this statement, the outermost first.

        Raises:
            HeldError: one of the dependents has to stay.
        """
        drops: list[Part] = []
        why = "it stands in the way of a change and is made again below"
        altered_type = " TYPE " in part.text.upper() and part.text.upper().startswith("ALTER TABLE")
        for subject in _subjects(self._connection, part):
            kept = _TAKEN_ALONG if altered_type else frozenset()
            for address in self._outermost_first(subject, kept):
                statement = self._drop(address)
                if statement and statement not in [d.text for d in drops]:
                    drops.append(added(statement, why))
            if sqlstate in NOT_REPLACED:
                statement = self._drop(subject)
                drops.extend([added(statement, why)] if statement else [])
        return drops

    def _outermost_first(self, subject: Address, kept: frozenset[str]) -> list[Address]:
        """All that depends on an object, directly or not, so that each comes before what it depends on."""
        order: list[Address] = []
        seen: set[Address] = {subject}

        def visit(address: Address, *, direct: bool) -> None:
            for found in self._direct(address):
                if found in seen:
                    continue
                if direct and kept and self._words(found)[0] in kept:
                    continue
                seen.add(found)
                visit(found, direct=False)
                if (found[0], found[1]) not in self._unnamed:
                    order.append(found)

        visit(subject, direct=True)
        return order

    def _direct(self, address: Address) -> Iterable[Address]:
        classid, objid, objsubid = address
        for own, other, deptype in self._edges:
            if other[:2] != (classid, objid) or (objsubid and other[2] != objsubid):
                continue
            if own[:2] == other[:2] and deptype == "i":
                continue
            yield self._stands_for.get(own[:2], own)

    def _words(self, address: Address) -> tuple[str, str, Sequence[str], Sequence[str], str]:
        row = self._connection.execute(_WORDS, _parameters(address)).fetchone()
        assert row is not None  # noqa: S101 - two functions in FROM give one row
        return row[0] or "", row[1] or "", row[2] or (), row[3] or (), row[4]

    def _drop(self, address: Address) -> str:
        kind, identity, names, arguments, contype = self._words(address)
        if kind in _DROPPED:
            return f"DROP {_DROPPED[kind].upper()} {identity}"
        if kind == "table column":
            return self._generated_column(address, identity)
        if kind not in _ALTERED or contype == "n":
            raise HeldError(f"{kind} {identity}")
        third, argument = (_quoted("".join(texts)) for texts in (names[2:3], arguments[:1]))
        table = ".".join(map(_quoted, names[:2]))
        return _ALTERED[kind].format(table=table, third=third, first="".join(names[:1]), argument=argument)

    def _generated_column(self, address: Address, identity: str) -> str:
        """A generated column's values are worked out again, but no column may move.

        Raises:
            HeldError: it is an ordinary column, or it cannot stay where it is.
        """
        row = self._connection.execute(_COLUMN, _parameters(address)).fetchone()
        assert row is not None  # noqa: S101 - it was just found
        table, column, kind, generated, not_null, last, inherited, in_place = row
        if generated and last and not inherited:
            return f"ALTER TABLE {table} DROP COLUMN {column}"
        if generated and in_place and not not_null:
            self.at_the_end.append((table, column))
            return f"ALTER TABLE {table} ALTER COLUMN {column} SET EXPRESSION AS (NULL::{kind})"
        raise HeldError(f"column {identity}")

    @cached_property
    def _edges(self) -> list[tuple[Address, Address, str]]:
        rows = self._connection.execute(_EDGES, prepare=False).fetchall()
        return [((r[0], r[1], r[2]), (r[3], r[4], r[5]), r[6]) for r in rows]

    @cached_property
    def _stands_for(self) -> dict[tuple[int, int], Address]:
        rows = self._connection.execute(_FOR_ANOTHER, prepare=False).fetchall()
        return {(r[0], r[1]): (r[2], r[3], r[4]) for r in rows}

    @cached_property
    def _unnamed(self) -> set[tuple[int, int]]:
        return {(r[0], r[1]) for r in self._connection.execute(_UNNAMED, prepare=False).fetchall()}


def _parameters(address: Address) -> dict[str, int]:
    return dict(zip(("classid", "objid", "objsubid"), address, strict=True))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _subjects(connection: psycopg.Connection[Any], part: Part) -> list[Address]:
    """The objects that a statement drops or alters, as far as they are there; by `pg_get_object_address`."""
    import psycopg

    found = []
    for parsed in sqltext.parse(part.text):
        for name in _names(parsed):
            try:
                with connection.transaction():
                    row = connection.execute(
                        "select classid::int8, objid::int8, objsubid from pg_get_object_address(%s, %s, %s)", name
                    ).fetchone()
            except psycopg.Error:
                continue
            if row is not None:
                found.append((row[0], row[1], row[2]))
    return found


def _names(parsed: sqltext.Parsed) -> Iterator[Name]:
    node = parsed.node
    match parsed.name:
        case "alter_table_stmt":
            yield from _altered(node)
        case "drop_stmt":
            for item in node.objects:
                yield from _dropped(sqltext.enum_name(node, "remove_type"), item)
        case "create_function_stmt":
            inputs = [p.function_parameter for p in node.parameters]
            modes = [sqltext.enum_name(p, "mode") for p in inputs]
            taken = [
                p for p, mode in zip(inputs, modes, strict=True) if mode not in ("FUNC_PARAM_OUT", "FUNC_PARAM_TABLE")
            ]
            word = "procedure" if node.is_procedure else "function"
            yield word, _texts(node.funcname), [_type(p.arg_type) for p in taken]
        case "view_stmt":
            yield "view", _relation(node.view), []


def _altered(node: Any) -> Iterator[Name]:  # noqa: ANN401 - a parse tree
    table = _relation(node.relation)
    for item in node.cmds:
        command = item.alter_table_cmd
        match sqltext.enum_name(command, "subtype"):
            case "AT_AlterColumnType" | "AT_DropColumn":
                yield "table column", [*table, command.name], []
                yield "composite type column", [*table, command.name], []
            case "AT_DropConstraint":
                yield "table constraint", [*table, command.name], []


def _dropped(kind: str, item: Any) -> Iterator[Name]:  # noqa: ANN401 - a parse tree
    if kind in _RELATIONS:
        yield _RELATIONS[kind], _texts(item.list.items) if item.HasField("list") else [item.string.sval], []
    elif kind in {"OBJECT_TYPE", "OBJECT_DOMAIN"}:
        yield "type", [_type(item.type_name)], []
    elif kind in _ROUTINES:
        arguments = item.object_with_args.objargs
        names = _texts(item.object_with_args.objname)
        yield _ROUTINES[kind], names, [_type(a.type_name) if a.HasField("type_name") else "-" for a in arguments]
    elif kind == "OBJECT_CAST":
        source, target = (part.type_name for part in item.list.items)
        yield "cast", [_type(source)], [_type(target)]


def _relation(node: Any) -> list[str]:  # noqa: ANN401 - a parse tree
    return [node.schemaname or "public", node.relname]


def _texts(items: Sequence[Any]) -> list[str]:
    return [item.string.sval for item in items]


def _type(node: Any) -> str:  # noqa: ANN401 - a parse tree
    name = ".".join('"' + text.replace('"', '""') + '"' for text in _texts(node.names))
    return name + "[]" * len(node.array_bounds)
