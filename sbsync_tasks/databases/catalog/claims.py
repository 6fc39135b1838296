"""Which facts a statement is about, in the terms of the catalogs; and what migrations claim by their statements."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cache, reduce
from typing import TYPE_CHECKING, Any

from sbsync_tasks import sqltext
from sbsync_tasks.checks import names
from sbsync_tasks.checks.names import quoted
from sbsync_tasks.sqltext import UnparsableSql, enum_name

from .facts import CatalogObject, identity, plain

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
_IN_A_SCHEMA = ("relation", "routine", "type")
# What has its comment in its own definition.
_WHOLE = ("schema", "extension", "publication", "event trigger")
_PARTS_OF_A_TABLE = {"POLICY": "policy", "TRIGGER": "trigger", "RULE": "rule", "TABCONSTRAINT": "constraint"}
_IN_SCHEMA = {"TABLE": "tables", "SEQUENCE": "sequences", "FUNCTION": "functions", "TYPE": "types", "SCHEMA": "schemas"}
_COLUMNS = re.compile(
    "AT_(AddColumn|DropColumn|AlterColumnType|ColumnDefault|Set|Drop|.*Identity|.*NotNull|.*Expression)"
)
# Statements about one object: its kind, and where its name stands.
_ONE = {
    "create_stmt": ("relation", "relation"), "create_foreign_table_stmt": ("relation", "base_stmt.relation"),
    "view_stmt": ("relation", "view"), "create_table_as_stmt": ("relation", "into.rel"),
    "create_seq_stmt": ("relation", "sequence"), "alter_seq_stmt": ("relation", "sequence"),
    "create_enum_stmt": ("type", "type_name"), "alter_enum_stmt": ("type", "type_name"),
    "create_domain_stmt": ("type", "domainname"), "alter_domain_stmt": ("type", "type_name"),
    "create_range_stmt": ("type", "type_name"), "composite_type_stmt": ("type", "typevar"),
    "create_function_stmt": ("routine", "funcname"), "create_schema_stmt": ("schema", "schemaname"),
    "create_extension_stmt": ("extension", "extname"), "alter_extension_stmt": ("extension", "extname"),
    "create_event_trig_stmt": ("event trigger", "trigname"), "alter_event_trig_stmt": ("event trigger", "trigname"),
}  # fmt: skip
_UNKNOWN = "sbsync_any"
_PLACEHOLDER = re.compile(r"%(?:\d+\$)?-?\d*[Is]")
_LITERAL = re.compile(r"%(?:\d+\$)?-?\d*L")
_DYNAMIC = ("PLpgSQL_stmt_dynexecute", "PLpgSQL_stmt_dynfors")
_LEVELS = 5  # blocks within functions within blocks


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
    if parsed.name in _ONE:
        kind, place = _ONE[parsed.name]
        return (_about(kind, names.parts(reduce(getattr, place.split("."), parsed.node))),)
    find = _FINDERS.get(parsed.name)
    return tuple(find(parsed.node)) if find else ()


def _qualified(parts: Sequence[str]) -> Sequence[str]:
    return parts if len(parts) > 1 else (names.PUBLIC, *parts)


def _roles(nodes: Sequence[Node]) -> list[str]:
    return [quoted(name or "postgres") for name in names.roles(nodes)]


def _about(kind: str, parts: Sequence[str], aspect: str = "object") -> Subject:
    """A fact about an object, whether it stands in a schema or in none."""
    if kind in _IN_A_SCHEMA:
        found = _qualified(parts)
        return Subject(Key(aspect, kind, names.dotted(found)), (kind, names.dotted(found)), found[0])
    object_ = identity(f"{kind} {quoted(parts[-1])}")
    return Subject(Key(aspect, *object_), object_, parts[-1] if kind == "schema" else "")


def _part(kind: str, table: Sequence[str], name: str) -> Subject:
    """A policy, a trigger, … of a table, or a column."""
    owner = names.dotted(_qualified(table))
    called = f"{owner}.{quoted(name)}" if kind == "column" else plain(f"{quoted(name)} on {owner}")
    return Subject(Key(kind, "", called), ("relation", owner), _qualified(table)[0])


def _named(aspect: str, word: str, item: Node) -> Iterator[Subject]:
    """What `ON`, `DROP` and `ALTER` name, by PostgreSQL's word for its kind."""
    parts = names.parts(item)
    if word in _PARTS_OF_A_TABLE:
        yield _part(_PARTS_OF_A_TABLE[word], parts[:-1], parts[-1])
    elif word == "COLUMN":
        yield _part("column", parts[:-1], parts[-1])
    elif word == "INDEX":
        name = names.dotted(_qualified(parts))
        yield Subject(Key("index", "", name), ("index", name), _qualified(parts)[0])
    elif word in _CLASSES:
        kind = _CLASSES[word]
        yield _about(kind, parts, "object" if aspect == "comment" and kind in _WHOLE else aspect)


def _word(node: Node, field: str) -> str:
    return enum_name(node, field).removeprefix("OBJECT_")


def _grant(node: Node) -> Iterator[Subject]:
    word, whole = _word(node, "objtype"), enum_name(node, "targtype") == "ACL_TARGET_ALL_IN_SCHEMA"
    given = [p.access_priv for p in node.privileges]
    every = not given or any(not p.priv_name for p in given)
    rights = frozenset(p.priv_name.upper() for p in given if not p.cols)
    on_columns = [(p.priv_name.upper(), column.string.sval) for p in given for column in p.cols]
    for one in (s for item in node.objects for s in _granted(word, item, whole=whole)):
        for role in _roles(node.grantees):
            if rights or every:
                key = replace(one.key, grantee=role)
                yield replace(one, key=key, privileges=frozenset() if every else rights)
            for right, column in on_columns:
                key = Key("acl", "", f"column {one.key.name}.{quoted(column)}", role)
                yield replace(one, key=key, privileges=frozenset([right]))


def _granted(word: str, item: Node, *, whole: bool) -> Iterator[Subject]:
    if not whole:
        return _named("acl", word, item)
    kind, name = _CLASSES[word], f"{quoted(item.string.sval)}.{ANY}"
    return iter([Subject(Key("acl", kind, name), (kind, name), item.string.sval)])


def _default_privileges(node: Node) -> Iterator[Subject]:
    options = {o.def_elem.defname: o.def_elem.arg.list.items for o in node.options}
    word = _IN_SCHEMA.get(_word(node.action, "objtype"), "")
    for role in _roles(options.get("roles", ())) or ["postgres"]:
        for schema in names.parts(options.get("schemas", ())) or [""]:
            name = f"{role}{f' in schema {quoted(schema)}' if schema else ''}: {word}"
            yield Subject(Key("default acl", "", name), ("default acl", name), schema)


def _alter_table(node: Node) -> Iterator[Subject]:
    word, table = _word(node, "objtype"), names.parts(node.relation)
    if word == "INDEX":
        yield from _named("object", word, node.relation)
        return
    for command in (c.alter_table_cmd for c in node.cmds):
        subtype = enum_name(command, "subtype")
        definition = getattr(command, "def")
        if subtype.endswith("RowSecurity"):
            yield _about("relation", table, "rls")
        elif subtype == "AT_ChangeOwner":
            yield _about("relation", table, "owner")
        elif subtype == "AT_AddConstraint" and definition.constraint.conname:
            yield _part("constraint", table, definition.constraint.conname)
        elif subtype in ("AT_DropConstraint", "AT_ValidateConstraint", "AT_AlterConstraint") and command.name:
            yield _part("constraint", table, command.name)
        elif _COLUMNS.match(subtype) and (command.name or definition.column_def.colname):
            yield _part("column", table, command.name or definition.column_def.colname)
        else:
            yield _about("type" if word == "TYPE" else "relation", table)


def _index(node: Node) -> Iterator[Subject]:
    table = _qualified(names.parts(node.relation))
    name = names.dotted((table[0], node.idxname)) if node.idxname else ""
    yield Subject(Key("index", "", name), ("relation", names.dotted(table)), table[0])


def _publication(node: Node) -> Iterator[Subject]:
    for spec in (o.publication_obj_spec for o in node.pubobjects):
        table = _qualified(names.parts(spec.pubtable.relation)) if spec.HasField("pubtable") else ()
        object_ = ("relation", names.dotted(table)) if table else ("schema", quoted(spec.name))
        inside = object_[1] if table else " ".join(object_)
        key = Key("publication member", "", f"{inside} in {quoted(node.pubname)}")
        yield Subject(key, object_, table[0] if table else spec.name)
    if not node.pubobjects or node.DESCRIPTOR.name == "CreatePublicationStmt":
        yield _about("publication", [node.pubname])


def _altered(node: Node) -> Iterator[Subject]:
    """RENAME and SET SCHEMA; what they name stands in `relation` or in `object`."""
    word = _word(node, "rename_type" if hasattr(node, "rename_type") else "object_type")
    kind = _CLASSES.get(word, "")
    if node.HasField("relation"):
        yield _about(kind or "relation", names.parts(node.relation))
    elif node.HasField("object"):
        yield from _named("object", word, node.object)
    elif kind == "schema":
        yield _about("schema", [node.subname])


def _about_roles(*found: str) -> Iterator[Subject]:
    return (_about("role", [name]) for name in found)


_FINDERS: dict[str, Callable[[Node], Iterator[Subject]]] = {
    "grant_stmt": _grant,
    "alter_default_privileges_stmt": _default_privileges,
    "alter_table_stmt": _alter_table,
    "drop_stmt": lambda n: (s for o in n.objects for s in _named("object", _word(n, "remove_type"), o)),
    **dict.fromkeys(
        ("create_policy_stmt", "alter_policy_stmt"),
        lambda n: iter([_part("policy", names.parts(n.table), n.policy_name)]),
    ),
    "create_trig_stmt": lambda n: iter([_part("trigger", names.parts(n.relation), n.trigname)]),
    "rule_stmt": lambda n: iter([_part("rule", names.parts(n.relation), n.rulename)]),
    "index_stmt": _index,
    "alter_function_stmt": lambda n: _named("object", _word(n, "objtype"), n.func),
    "create_publication_stmt": _publication,
    "alter_publication_stmt": _publication,
    "alter_owner_stmt": lambda n: _named("owner", _word(n, "object_type"), n.object),
    "rename_stmt": _altered,
    "alter_object_schema_stmt": _altered,
    "comment_stmt": lambda n: _named("comment", _word(n, "objtype"), n.object),
    "create_role_stmt": lambda n: _about_roles(n.role),
    "alter_role_stmt": lambda n: _about_roles(n.role.rolename or "postgres"),
    "alter_role_set_stmt": lambda n: _about_roles(n.role.rolename or "postgres"),
    "drop_role_stmt": lambda n: _about_roles(*names.roles(n.roles)),
    "grant_role_stmt": lambda n: _about_roles(*names.roles(n.grantee_roles)),
}


@dataclass
class Claims:
    """The facts that some texts have statements about, each with the privileges that are named (empty: all).

    The texts are parsed when somebody first asks: where the platform's objects are alike, nobody does.
    """

    _exact: dict[Key, frozenset[str]] = field(default_factory=dict)
    _patterns: dict[Key, frozenset[str]] = field(default_factory=dict)
    _new: set[str] = field(default_factory=set)
    _learnt: set[str] = field(default_factory=set)

    def add(self, texts: Iterable[str]) -> None:
        """Take these migrations in; a text that cannot be parsed claims nothing."""
        self._new |= {*texts} - self._learnt

    def _learn(self) -> None:
        new, self._new = self._new, set()
        self._learnt |= new
        for subject in (subject for text in new for subject in claimed_by(text)):
            of = self._patterns if subject.key.name.rpartition(".")[2] == ANY else self._exact
            before = of.get(subject.key)
            every = not subject.privileges or (before is not None and not before)
            of[subject.key] = frozenset() if every else subject.privileges | (before or frozenset())

    def privileges(self, key: Key) -> frozenset[str] | None:
        """The privileges of a fact that are claimed, empty for all; None where the fact is not claimed."""
        self._learn()
        found = [self._exact[key]] if key in self._exact else []
        covering = (k for k in self._patterns if replace(k, name=key.name) == key and fnmatchcase(key.name, k.name))
        found += [self._patterns[k] for k in covering]
        if not found:
            return None
        return frozenset() if frozenset() in found else frozenset().union(*found)

    def hold(self, fact: CatalogObject) -> bool:
        """Whether the fact is claimed."""
        return self.privileges(key_of(fact)) is not None


@cache
def claimed_by(text: str) -> tuple[Subject, ...]:
    """What one text has statements about, blocks and dynamic SQL included as far as they can be read."""
    return tuple(dict.fromkeys(_claimed(text, _LEVELS)))


def _claimed(text: str, levels: int) -> Iterator[Subject]:
    try:
        parsed = sqltext.parse(text)
    except UnparsableSql:
        return
    for this in parsed:
        for subject in subjects(this) if this.node is not None else ():
            yield from _with_what_it_needs(subject)
        if levels:
            for inner in _inside(this):
                yield from _claimed(inner, levels - 1)


def _with_what_it_needs(subject: Subject) -> Iterator[Subject]:
    key = subject.key
    if key.aspect == "policy":  # it is worth something only while row level security is on
        yield replace(subject, key=Key("rls", *subject.object))
    if (key.aspect, key.kind) == ("object", "routine"):
        yield replace(subject, key=replace(key, aspect="body"))
    schema, _, name = key.name.rpartition(".")
    if _UNKNOWN not in f"{schema} {key.grantee}":
        yield replace(subject, key=replace(key, name=f"{schema}.{ANY}" if _UNKNOWN in name else key.name))


def _inside(parsed: Parsed) -> Iterator[str]:
    """The SQL in a block or in a function's body."""
    if parsed.name not in ("do_stmt", "create_function_stmt"):
        return
    options = parsed.node.args if parsed.name == "do_stmt" else parsed.node.options
    body, language = names.option(options, "as"), names.language(options)
    if language == "sql" and body:
        yield from (item.string.sval for item in body.arg.list.items)
    elif language == "plpgsql":
        try:
            yield from _queries(sqltext.plpgsql(parsed.statement.text))
        except UnparsableSql:
            return


def _queries(tree: Any, *, dynamic: bool = False) -> Iterator[str]:  # noqa: ANN401 - JSON
    if isinstance(tree, list):
        for item in tree:
            yield from _queries(item, dynamic=dynamic)
    elif isinstance(tree, dict):
        for name, item in tree.items():
            if name == "PLpgSQL_expr" and isinstance(item, dict):
                yield from _put_together(item["query"]) if dynamic else (item["query"],)
            else:
                yield from _queries(item, dynamic=name in _DYNAMIC or (dynamic and name in ("query", "PLpgSQL_expr")))


def _put_together(expression: str) -> Iterator[str]:
    """The text that an expression of EXECUTE comes to, with a stand-in for what is not known before it runs."""
    try:
        (parsed,) = sqltext.parse(f"select {expression}")
    except (UnparsableSql, ValueError):
        return
    if parsed.node is not None and parsed.node.target_list:
        yield _text_of(parsed.node.target_list[0].res_target.val)


def _text_of(node: Node) -> str:
    which = node.WhichOneof("node")
    if which == "a_const":
        return str(node.a_const.sval.sval) if node.a_const.HasField("sval") else _UNKNOWN
    if which == "type_cast":
        return _text_of(node.type_cast.arg)
    if which == "a_expr" and node.a_expr.name and node.a_expr.name[-1].string.sval == "||":
        return _text_of(node.a_expr.lexpr) + _text_of(node.a_expr.rexpr)
    if which == "func_call" and node.func_call.funcname[-1].string.sval == "format" and node.func_call.args:
        return _LITERAL.sub("''", _PLACEHOLDER.sub(_UNKNOWN, _text_of(node.func_call.args[0])))
    return _UNKNOWN
