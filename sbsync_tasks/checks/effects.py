"""The effects of statements on what is known: what each makes, moves, opens up and takes away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sbsync_tasks.sqltext import adds_enum_value, enum_name, stands_alone

from . import names
from .known import REACHABLE, TEMPORARY, USES, kept_as

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sbsync_tasks.sqltext import Node, Parsed

    from .known import Scope


_GIVEN_BACK = frozenset(["FUNC_PARAM_OUT", "FUNC_PARAM_TABLE"])
_TRIGGERS = frozenset(f"AT_{turned}Trig{which}" for turned in ("Enable", "Disable") for which in ("", "All", "User"))


def learn(scope: Scope, parsed: Parsed) -> None:
    """Take note of what a statement does."""
    if parsed.name == "transaction_stmt" or stands_alone(parsed):
        scope.enum_values.clear()  # what was added before is committed
    learner = _LEARNERS.get(parsed.name)
    if learner:
        learner(scope, parsed)


def learn_inside(scope: Scope, parsed: Parsed) -> None:
    """Take note of what a statement inside of another may do: what it makes does not count as new afterwards."""
    if parsed.name not in _LEARNERS or (parsed.name == "select_stmt" and not parsed.node.HasField("into_clause")):
        learn(scope, parsed)  # it makes nothing
        return
    created, columns = set(scope.created), set(scope.columns)
    learn(scope, parsed)
    scope.created, scope.columns = created, columns


def _set(scope: Scope, parsed: Parsed) -> None:
    if parsed.node.name == "search_path":
        _search(scope, [a.a_const.sval.sval for a in parsed.node.args])


def _search(scope: Scope, path: Iterable[str]) -> None:
    scope.schema = next((p for p in path if p and p != "$user"), names.PUBLIC)


def _table(scope: Scope, parsed: Parsed) -> None:
    node = parsed.node
    relation = node.into.rel if parsed.name == "create_table_as_stmt" else node.relation
    if relation.relpersistence == "t":
        if not node.if_not_exists:
            scope.temporary.add(relation.relname)
            scope.make(scope.name(relation))
        return
    kind = names.kind_word(node, "objtype") if parsed.name == "create_table_as_stmt" else "table"
    name = scope.name(relation)
    if node.if_not_exists and name in scope.created:
        return
    maybe = node.if_not_exists and not scope.is_new(name)
    scope.make(name if kind == "table" else f"{kind} {name}", maybe=maybe)
    if not maybe or scope.met is None:
        scope.open_up(name, parsed)
    if parsed.name == "create_stmt":
        columns = (e.column_def.colname for e in node.table_elts if e.WhichOneof("node") == "column_def")
        scope.made_tables[name] = frozenset(map(names.quoted, columns))
        for element in node.table_elts:
            _owned_sequence(scope, relation, element.column_def, maybe=maybe)


def _foreign_table(scope: Scope, parsed: Parsed) -> None:
    base = parsed.node.base_stmt
    scope.make(scope.name(base.relation), maybe=base.if_not_exists)
    scope.open_up(scope.name(base.relation), parsed)


def _selected(scope: Scope, parsed: Parsed) -> None:
    """`SELECT … INTO`, and `set_config` of the search path."""
    for kind, call in parsed.acts:
        if kind == "FuncCall" and names.parts(call.funcname[-1]) == ("set_config",):
            setting, value, *_ = (*(a.a_const.sval.sval for a in call.args), "", "")
            if setting.lower() == "search_path":
                _search(scope, (p.strip().strip('"') for p in value.split(",")))
    if parsed.node.HasField("into_clause"):
        relation = parsed.node.into_clause.rel
        if relation.relpersistence == "t":
            scope.temporary.add(relation.relname)
        else:
            scope.open_up(scope.name(relation), parsed)
        scope.make(scope.name(relation))


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


def _sequence(scope: Scope, parsed: Parsed) -> None:
    scope.make(scope.name(parsed.node.sequence), maybe=parsed.node.if_not_exists)


def _schema(scope: Scope, parsed: Parsed) -> None:
    label = f"schema {names.quoted(parsed.node.schemaname)}"
    scope.make(label, maybe=parsed.node.if_not_exists)


def _extension(scope: Scope, parsed: Parsed) -> None:
    label = f"extension {names.quoted(parsed.node.extname)}"
    scope.make(label, maybe=parsed.node.if_not_exists)


def _type(scope: Scope, parsed: Parsed) -> None:
    node = parsed.node
    parts = names.parts(node.typevar) if parsed.name == "composite_type_stmt" else names.parts(node.type_name)
    scope.make(f"type {scope.qualified(parts)}")
    scope.enums.add(f"type {scope.qualified(parts)}")


def _domain(scope: Scope, parsed: Parsed) -> None:
    parts = names.parts(parsed.node.domainname)
    scope.make(f"domain {scope.qualified(parts)}")


def _function(scope: Scope, parsed: Parsed) -> None:
    parts = names.parts(parsed.node.funcname)
    kind = "procedure" if parsed.node.is_procedure else "function"
    arguments = (p.function_parameter for p in parsed.node.parameters)
    taken = names.signature(a.arg_type for a in arguments if enum_name(a, "mode") not in _GIVEN_BACK)
    scope.definers.pop(scope.qualified(parts) + taken, None)
    if _runs_as_owner(parsed.node.options):
        scope.definers[scope.qualified(parts) + taken] = parsed
    scope.make(f"{kind} {scope.qualified(parts)}", maybe=parsed.node.replace)
    scope.bodies[scope.qualified(parts)] = parsed


def _runs_as_owner(options: list[Node]) -> bool:
    definer = names.option(options, "security")
    return definer is not None and definer.arg.boolean.boolval and not _fixes_path(options)


def _fixes_path(options: list[Node]) -> bool:
    settings = [o.def_elem.arg.variable_set_stmt for o in options if o.def_elem.defname == "set"]
    return any(s.name == "search_path" for s in settings)


def _function_altered(scope: Scope, parsed: Parsed) -> None:
    node = parsed.node.func
    parts = names.parts(node.objname)
    function = scope.qualified(parts) + names.signature(n.type_name for n in node.objargs)
    if _fixes_path(parsed.node.actions):
        scope.definers.pop(function, None)
    elif _runs_as_owner(parsed.node.actions):
        scope.definers[function] = parsed


def _publication(scope: Scope, parsed: Parsed) -> None:
    scope.make(f"publication {names.quoted(parsed.node.pubname)}")


def _policy(scope: Scope, parsed: Parsed) -> None:
    scope.make(f"policy {names.quoted(parsed.node.policy_name)} on {scope.name(parsed.node.table)}")


def _trigger(scope: Scope, parsed: Parsed) -> None:
    table = scope.name(parsed.node.relation)
    scope.make(f"trigger {names.quoted(parsed.node.trigname)} on {table}")
    scope.triggers[table].append(parsed)


def _enum_value(scope: Scope, parsed: Parsed) -> None:
    parts = names.parts(parsed.node.type_name)
    if adds_enum_value(parsed) and f"type {scope.qualified(parts)}" not in scope.enums:
        scope.enum_values.append(parsed.node.new_val)


def _invokes(command: Node) -> bool:
    option = names.option(getattr(command, "def").list.items, "security_invoker")
    return option is not None and names.is_on(option)


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
            _drop_column(scope, parsed, table, command.name)
        elif kind == "AT_EnableRowSecurity" or (kind == "AT_SetRelOptions" and _invokes(command)):
            scope.secured.add(table)
            scope.made_again.add(f"disable-rls {table}")
        elif kind == "AT_DisableRowSecurity":
            scope.made_again.discard(f"disable-rls {table}")
        elif kind in _TRIGGERS:
            about = f"disable-trigger {table}" + (f".{names.quoted(command.name)}" if command.name else "")
            (scope.made_again.discard if kind.startswith("AT_Dis") else scope.made_again.add)(about)
        elif kind == "AT_DropConstraint":
            scope.dropped.add(f"{table}.{names.quoted(command.name)}")
        elif kind == "AT_AddConstraint":
            constraint = f"{table}.{names.quoted(getattr(command, 'def').constraint.conname)}"
            scope.made_again.update({constraint} & scope.dropped)


def _drop_column(scope: Scope, parsed: Parsed, table: str, name: str) -> None:
    column = f"{table}.{names.quoted(name)}"
    if not scope.is_new_column(table, column):
        scope.dropped_columns[table].append((name, parsed))
    scope.created.add(_sequence_of(scope, parsed.node.relation, name))  # dropped with it, if there is one
    scope.columns.discard(column)


def _drop(scope: Scope, parsed: Parsed) -> None:
    kind = names.kind_word(parsed.node, "remove_type")
    for item in parsed.node.objects:
        label = scope.label(kind, item)
        if kind == "table" and not scope.is_new(label):
            scope.dropped_tables[label] = parsed
        scope.dropped.add(label)
        scope.created.discard(kept_as(label))
        scope.tables.pop(kept_as(label), None)
        scope.secured.discard(kept_as(label))
        scope.shows = {view: shown for view, shown in scope.shows.items() if kept_as(label) not in (view, shown)}
        if kind == "table" and scope.met:
            owned = (column.strip('"') for column in scope.columns_of(label))
            scope.created.update(_sequence_of(scope, item, column) for column in owned)
        scope.definers.pop(scope.qualified(names.parts(item)) + names.arguments(kind, item), None)
        if kind == "table" and label.startswith(f"{TEMPORARY}."):
            scope.temporary.discard(names.parts(item)[-1])


def _rename(scope: Scope, parsed: Parsed) -> None:
    node, kind = parsed.node, names.kind_word(parsed.node, "rename_type")
    parts = names.parts(node.relation if node.HasField("relation") else node.object)
    if kind in {"column", "attribute"}:
        table = scope.qualified(parts)
        scope.move_column(f"{table}.{names.quoted(node.subname)}", f"{table}.{names.quoted(node.newname)}")
    elif kind == "schema":
        scope.met = None
    elif names.is_on_table(kind):
        table = scope.qualified(parts)
        scope.move(f"{kind} {names.quoted(node.subname)} on {table}", f"{kind} {names.quoted(node.newname)} on {table}")
    elif parts and not node.subname:  # a constraint's new name is none of its table's
        _named(scope, kind, parts, (*parts[:-1], node.newname))


def _moved(scope: Scope, parsed: Parsed) -> None:
    """`ALTER … SET SCHEMA`."""
    node = parsed.node
    parts = names.parts(node.relation if node.HasField("relation") else node.object)
    kind = names.kind_word(node, "object_type")
    if parts and kind != "extension":
        _named(scope, kind, parts, (node.newschema, parts[-1]))


def _named(scope: Scope, kind: str, old: tuple[str, ...], new: tuple[str, ...]) -> None:
    prefix = f"{kind} " if kind in {"type", "domain", "function", "procedure"} else ""
    before, now = prefix + scope.qualified(old), prefix + scope.qualified(new)
    scope.move(before, now)


def _grant(scope: Scope, parsed: Parsed) -> None:
    for about in grant_objects(scope, parsed.node):
        for role in names.roles(parsed.node.grantees):
            if parsed.node.is_grant:
                scope.granted.add((about, role))
            else:
                scope.revoked.append((parsed, about, role))
    _opened(scope, parsed.node)


def _opened(scope: Scope, node: Node) -> None:
    """Who can use this text's relations after a `GRANT` or `REVOKE`."""
    uses = {p.access_priv.priv_name for p in node.privileges}
    roles = REACHABLE.intersection(names.roles(node.grantees))
    for about in grant_objects(scope, node) if roles else ():
        schema = about.removeprefix("all tables in schema ")
        for name in (about,) if schema == about else [n for n in scope.tables if n.startswith(f"{schema}.")]:
            if made := scope.tables.get(name):
                needed = frozenset(["select"]) if is_materialized(made.parsed) else USES
                _change(made.open_to, node, roles, whole=not uses or uses >= needed)


def _change(open_to: set[str], node: Node, roles: Collection[str], *, whole: bool) -> None:
    if node.is_grant:
        open_to.update(roles)
    elif whole:
        open_to.difference_update(roles)


def is_materialized(parsed: Parsed) -> bool:
    """Whether the statement makes a materialized view."""
    return parsed.name == "create_table_as_stmt" and enum_name(parsed.node, "objtype") == "OBJECT_MATVIEW"


def _default_privileges(scope: Scope, parsed: Parsed) -> None:
    action = parsed.node.action
    if enum_name(action, "objtype") == "OBJECT_TABLE":
        for schema in default_schemas(parsed):
            roles = REACHABLE.intersection(names.roles(action.grantees))
            _change(scope.defaults.setdefault(schema, set()), action, roles, whole=not action.privileges)


def default_schemas(parsed: Parsed) -> tuple[str, ...]:
    """The schemas of an `ALTER DEFAULT PRIVILEGES`; none where it is for all of them."""
    schemas = names.option(parsed.node.options, "schemas")
    return names.parts(schemas.arg) if schemas else ()


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
    "create_foreign_table_stmt": _foreign_table,
    "select_stmt": _selected,
    "view_stmt": _view,
    "create_seq_stmt": _sequence,
    "create_schema_stmt": _schema,
    "create_extension_stmt": _extension,
    "create_enum_stmt": _type,
    "create_range_stmt": _type,
    "composite_type_stmt": _type,
    "create_domain_stmt": _domain,
    "create_function_stmt": _function,
    "create_policy_stmt": _policy,
    "create_trig_stmt": _trigger,
    "alter_enum_stmt": _enum_value,
    "alter_table_stmt": _alter,
    "drop_stmt": _drop,
    "rename_stmt": _rename,
    "alter_object_schema_stmt": _moved,
    "grant_stmt": _grant,
    "alter_default_privileges_stmt": _default_privileges,
    "alter_function_stmt": _function_altered,
    "create_publication_stmt": _publication,
}
