"""Which facts a statement is about, in the terms of the catalogs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sbsync_tasks.sqltext import enum_name

from .read import CatalogObject, identity, plain

if TYPE_CHECKING:
    from sbsync_tasks.sqltext import Node, Parsed

ANY = "*"
# How the facts call what PostgreSQL calls otherwise: a grant names a view as a table, a procedure as a function.
_CLASSES = {
    "TABLE": "relation", "VIEW": "relation", "MATVIEW": "relation", "FOREIGN_TABLE": "relation", "SEQUENCE": "relation",
    "FUNCTION": "routine", "PROCEDURE": "routine", "ROUTINE": "routine", "AGGREGATE": "routine",
    "TYPE": "type", "DOMAIN": "type", "SCHEMA": "schema", "EXTENSION": "extension", "PUBLICATION": "publication",
    "EVENT_TRIGGER": "event trigger", "ROLE": "role", "FDW": "foreign data wrapper", "FOREIGN_SERVER": "foreign server",
}  # fmt: skip
_PARTS_OF_A_TABLE = {"POLICY": "policy", "TRIGGER": "trigger", "RULE": "rule", "TABCONSTRAINT": "constraint"}
_IN_SCHEMA = {"TABLE": "tables", "SEQUENCE": "sequences", "FUNCTION": "functions", "TYPE": "types", "SCHEMA": "schemas"}
_COLUMNS = re.compile(
    "AT_(AddColumn|DropColumn|AlterColumnType|ColumnDefault|Set|Drop|.*Identity|.*NotNull|.*Expression)"
)


@dataclass(frozen=True)
class Key:
    """A fact without what the text of a statement leaves open: the kind of a relation, the arguments of a function.

    Attributes:
        aspect: `object` (that it is there), `acl`, `owner`, `rls`, `comment`, `body`, or the kind of a part of it.
        kind: `relation`, `routine`, `type`, `schema`, …; empty for a part.
        name: The name, schema-qualified; `*` after the schema stands for all in it.
        grantee: Whose privilege; empty for all else.
    """

    aspect: str
    kind: str
    name: str
    grantee: str = ""


@dataclass(frozen=True)
class Subject:
    """What a statement is about.

    Attributes:
        key: The fact.
        object: The kind and the name of the object that it is a fact about.
        schema: The schema that the object stands in; empty for none.
        privileges: The privileges that are granted or revoked; empty for all, and for other statements.
    """

    key: Key
    object: tuple[str, str]
    schema: str
    privileges: frozenset[str] = frozenset()


def key_of(fact: CatalogObject) -> Key:
    """The key of a catalog's fact."""
    match fact.kind:
        case "acl":
            grantee, _, rest = fact.name.partition(" on ")
            return Key("acl", *identity(rest), plain(grantee))
        case "owner" | "comment":
            return Key(fact.kind, *identity(fact.name))
        case "body":
            return Key("body", *identity(f"function {fact.name}"))
        case "rls":
            return Key("rls", *identity(f"table {fact.name}"))
        case "column" | "index" | "constraint" | "policy" | "trigger" | "rule" | "publication member" | "default acl":
            return Key(fact.kind, "", plain(fact.name))
        case _:
            return Key("object", *identity(str(fact)))


def subjects(parsed: Parsed) -> tuple[Subject, ...]:
    """The facts that a statement makes, changes or takes away; none where that cannot be told."""
    find = _FINDERS.get(parsed.name)
    return tuple(find(parsed.node)) if find else ()


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"[a-z_][a-z0-9_$]*|\*", name) else '"' + name.replace('"', '""') + '"'


def _joined(parts: Sequence[str]) -> str:
    return ".".join(map(_quoted, parts if len(parts) > 1 else ("public", *parts)))


def _texts(items: Sequence[Node]) -> list[str]:
    return [item.string.sval for item in items]


def _schema(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) > 1 else "public"


def _range(node: Node) -> list[str]:
    return [node.schemaname or "public", node.relname]


def _role(spec: Node) -> str:
    return {"ROLESPEC_PUBLIC": "public", "ROLESPEC_CSTRING": _quoted(spec.rolename)}.get(
        enum_name(spec, "roletype"), "postgres"
    )


def _about(
    aspect: str, kind: str, parts: Sequence[str], grantee: str = "", privileges: frozenset[str] = frozenset()
) -> Subject:
    """A fact about an object that stands in a schema."""
    name = _joined(parts)
    return Subject(Key(aspect, kind, name, grantee), (kind, name), _schema(parts), privileges)


def _of_database(aspect: str, kind: str, name: str) -> Subject:
    """A fact about an object that stands in none."""
    schema = name if kind == "schema" else ""
    return Subject(Key(aspect, *_identity(kind, name)), _identity(kind, name), schema)


def _identity(kind: str, name: str) -> tuple[str, str]:
    return identity(f"{kind} {_quoted(name)}")


def _part(kind: str, table: Sequence[str], name: str) -> Subject:
    """A policy, a trigger, … of a table."""
    written = '"' + name.replace('"', '""') + '"' if kind == "policy" else _quoted(name)
    return Subject(Key(kind, "", plain(f"{written} on {_joined(table)}")), ("relation", _joined(table)), _schema(table))


def _column(table: Sequence[str], name: str) -> Subject:
    return Subject(Key("column", "", f"{_joined(table)}.{_quoted(name)}"), ("relation", _joined(table)), _schema(table))


def _named(aspect: str, word: str, item: Node) -> Iterator[Subject]:
    """What `ON`, `DROP` and `ALTER` name, by PostgreSQL's word for its kind."""
    kind = _CLASSES.get(word, "")
    which = item.WhichOneof("node")
    if which == "range_var":
        parts = _range(item.range_var)
    elif which == "object_with_args":
        parts = _texts(item.object_with_args.objname)
    elif which == "type_name":
        parts = _texts(item.type_name.names)
    elif which == "list":
        parts = _texts(item.list.items)
    else:
        parts = [item.string.sval]
    if word in _PARTS_OF_A_TABLE:
        yield _part(_PARTS_OF_A_TABLE[word], parts[:-1], parts[-1])
    elif word == "COLUMN":
        yield _column(parts[:-1], parts[-1])
    elif word == "INDEX":
        yield Subject(Key("index", "", _joined(parts)), ("index", _joined(parts)), _schema(parts))
    elif kind in ("relation", "routine", "type"):
        yield _about(aspect, kind, parts)
    elif kind:
        yield _of_database(aspect, kind, parts[-1])


def _word(node: Node, field: str) -> str:
    return enum_name(node, field).removeprefix("OBJECT_")


def _grant(node: Node) -> Iterator[Subject]:
    word = _word(node, "objtype")
    plain_ones = frozenset(p.access_priv.priv_name.upper() for p in node.privileges if not p.access_priv.cols)
    every = not node.privileges or any(not p.access_priv.priv_name for p in node.privileges)
    for item in node.objects:
        for spec in node.grantees:
            grantee = _role(spec.role_spec)
            for one in _granted(word, item, whole=enum_name(node, "targtype") == "ACL_TARGET_ALL_IN_SCHEMA"):
                key = Key("acl", one.key.kind, one.key.name, grantee)
                if plain_ones or every:
                    yield Subject(key, one.object, one.schema, frozenset() if every else plain_ones)
                yield from _on_columns(node, one, grantee)


def _granted(word: str, item: Node, *, whole: bool) -> Iterator[Subject]:
    if whole:
        yield _about("acl", _CLASSES.get(word, ""), [item.string.sval, ANY])
    else:
        yield from _named("acl", word, item)


def _on_columns(node: Node, one: Subject, grantee: str) -> Iterator[Subject]:
    for privilege in (p.access_priv for p in node.privileges):
        for column in privilege.cols:
            name = f"column {one.key.name}.{_quoted(column.string.sval)}"
            yield Subject(
                Key("acl", "", name, grantee), one.object, one.schema, frozenset([privilege.priv_name.upper()])
            )


def _default_privileges(node: Node) -> Iterator[Subject]:
    options = {o.def_elem.defname: o.def_elem.arg.list.items for o in node.options}
    roles = [_role(r.role_spec) for r in options.get("roles", ())] or ["postgres"]
    word = _IN_SCHEMA.get(_word(node.action, "objtype"), "")
    for role in roles:
        for schema in _texts(options.get("schemas", ())) or [""]:
            inside = f" in schema {_quoted(schema)}" if schema else ""
            name = f"{role}{inside}: {word}"
            yield Subject(Key("default acl", "", name), ("default acl", name), schema)


def _alter_table(node: Node) -> Iterator[Subject]:
    word = _word(node, "objtype")
    if word == "INDEX":
        parts = _range(node.relation)
        yield Subject(Key("index", "", _joined(parts)), ("index", _joined(parts)), _schema(parts))
        return
    table = _range(node.relation)
    for command in (c.alter_table_cmd for c in node.cmds):
        subtype = enum_name(command, "subtype")
        definition = getattr(command, "def")
        if subtype.endswith("RowSecurity"):
            yield _about("rls", "relation", table)
        elif subtype == "AT_ChangeOwner":
            yield _about("owner", "relation", table)
        elif subtype == "AT_AddConstraint" and definition.constraint.conname:
            yield _part("constraint", table, definition.constraint.conname)
        elif subtype in ("AT_DropConstraint", "AT_ValidateConstraint", "AT_AlterConstraint") and command.name:
            yield _part("constraint", table, command.name)
        elif _COLUMNS.match(subtype) and (command.name or definition.column_def.colname):
            yield _column(table, command.name or definition.column_def.colname)
        else:
            yield _about("object", "type" if word == "TYPE" else "relation", table)


def _dropped(node: Node) -> Iterator[Subject]:
    for item in node.objects:
        yield from _named("object", _word(node, "remove_type"), item)


def _policy(node: Node) -> Iterator[Subject]:
    yield _part("policy", _range(node.table), node.policy_name)


def _function(node: Node) -> Iterator[Subject]:
    parts = _texts(node.funcname)
    yield _about("object", "routine", parts)


def _index(node: Node) -> Iterator[Subject]:
    table = _range(node.relation)
    name = f"{_quoted(table[0])}.{_quoted(node.idxname)}" if node.idxname else ""
    yield Subject(Key("index", "", name), ("relation", _joined(table)), table[0])


def _publication(node: Node) -> Iterator[Subject]:
    members = False
    for spec in (o.publication_obj_spec for o in node.pubobjects):
        members = True
        table = _range(spec.pubtable.relation) if spec.HasField("pubtable") else []
        inside = _joined(table) if table else f"schema {_quoted(spec.name)}"
        yield Subject(
            Key("publication member", "", f"{inside} in {_quoted(node.pubname)}"),
            ("relation", inside) if table else ("schema", _quoted(spec.name)), table[0] if table else spec.name,
        )  # fmt: skip
    if not members or node.DESCRIPTOR.name == "CreatePublicationStmt":
        yield _of_database("object", "publication", node.pubname)


def _altered(node: Node) -> Iterator[Subject]:
    """RENAME and SET SCHEMA; what they name stands in `relation` or in `object`."""
    kind = _CLASSES.get(_word(node, "rename_type" if hasattr(node, "rename_type") else "object_type"), "")
    if node.HasField("relation"):
        yield _about("object", kind or "relation", _range(node.relation))
    elif node.HasField("object"):
        yield from _named(
            "object", _word(node, "rename_type" if hasattr(node, "rename_type") else "object_type"), node.object
        )
    elif kind == "schema":
        yield _of_database("object", "schema", node.subname)


def _owner(node: Node) -> Iterator[Subject]:
    yield from _named("owner", _word(node, "object_type"), node.object)


def _comment(node: Node) -> Iterator[Subject]:
    word = _word(node, "objtype")
    # What is not a platform's object has its comment in its own definition.
    yield from _named("object" if _CLASSES.get(word, "") in _WHOLE else "comment", word, node.object)


_WHOLE = ("schema", "extension", "publication", "event trigger")


def _role_statement(node: Node) -> Iterator[Subject]:
    name = node.role if isinstance(node.role, str) else _role(node.role).strip('"')
    yield _of_database("object", "role", name)


def _drop_role(node: Node) -> Iterator[Subject]:
    for spec in node.roles:
        yield _of_database("object", "role", spec.role_spec.rolename)


def _membership(node: Node) -> Iterator[Subject]:
    for spec in node.grantee_roles:
        yield _of_database("object", "role", spec.role_spec.rolename)


_FINDERS: dict[str, Callable[[Node], Iterator[Subject]]] = {
    "grant_stmt": _grant,
    "alter_default_privileges_stmt": _default_privileges,
    "alter_table_stmt": _alter_table,
    "drop_stmt": _dropped,
    "create_policy_stmt": _policy,
    "alter_policy_stmt": _policy,
    "create_trig_stmt": lambda n: iter([_part("trigger", _range(n.relation), n.trigname)]),
    "rule_stmt": lambda n: iter([_part("rule", _range(n.relation), n.rulename)]),
    "index_stmt": _index,
    "create_function_stmt": _function,
    "alter_function_stmt": lambda n: _named("object", _word(n, "objtype"), _wrapped(n.func)),
    "create_stmt": lambda n: iter([_about("object", "relation", _range(n.relation))]),
    "create_foreign_table_stmt": lambda n: iter([_about("object", "relation", _range(n.base_stmt.relation))]),
    "view_stmt": lambda n: iter([_about("object", "relation", _range(n.view))]),
    "create_table_as_stmt": lambda n: iter([_about("object", "relation", _range(n.into.rel))]),
    "create_seq_stmt": lambda n: iter([_about("object", "relation", _range(n.sequence))]),
    "alter_seq_stmt": lambda n: iter([_about("object", "relation", _range(n.sequence))]),
    "create_enum_stmt": lambda n: iter([_about("object", "type", _texts(n.type_name))]),
    "alter_enum_stmt": lambda n: iter([_about("object", "type", _texts(n.type_name))]),
    "create_domain_stmt": lambda n: iter([_about("object", "type", _texts(n.domainname))]),
    "alter_domain_stmt": lambda n: iter([_about("object", "type", _texts(n.type_name))]),
    "create_range_stmt": lambda n: iter([_about("object", "type", _texts(n.type_name))]),
    "composite_type_stmt": lambda n: iter([_about("object", "type", _range(n.typevar))]),
    "create_schema_stmt": lambda n: iter([_of_database("object", "schema", n.schemaname)]),
    "create_extension_stmt": lambda n: iter([_of_database("object", "extension", n.extname)]),
    "alter_extension_stmt": lambda n: iter([_of_database("object", "extension", n.extname)]),
    "create_publication_stmt": _publication,
    "alter_publication_stmt": _publication,
    "create_event_trig_stmt": lambda n: iter([_of_database("object", "event trigger", n.trigname)]),
    "alter_event_trig_stmt": lambda n: iter([_of_database("object", "event trigger", n.trigname)]),
    "alter_owner_stmt": _owner,
    "rename_stmt": _altered,
    "alter_object_schema_stmt": _altered,
    "comment_stmt": _comment,
    "create_role_stmt": _role_statement,
    "alter_role_stmt": _role_statement,
    "alter_role_set_stmt": _role_statement,
    "drop_role_stmt": _drop_role,
    "grant_role_stmt": _membership,
}


class _Wrapped:
    """A function's name where the tree has it without the node around it."""

    def __init__(self, found: Node) -> None:
        self.object_with_args = found

    def WhichOneof(self, _group: str) -> str:  # noqa: N802 - as protobuf calls it
        return "object_with_args"


def _wrapped(found: Node) -> Node:
    return _Wrapped(found)
