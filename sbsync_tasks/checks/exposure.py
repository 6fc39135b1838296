"""Who may see or do more after the text: row level security, policies, rights, owners, rules that are loosened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sbsync_tasks.sqltext import enum_name, walk

from . import names
from .expressions import same_column
from .finding import Finding, Severity, finding
from .names import REACHABLE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from sbsync_tasks.sqltext import Node, Parsed

    from .scope import Scope


_LOOSENED = {
    "AT_DisableRowSecurity": ("disable-rls", Severity.EXPOSURE, "Row level security ends: grants alone decide."),
    "AT_NoForceRowSecurity": ("no-force-rls", Severity.EXPOSURE, "The table's owner is no longer held to policies."),
    "AT_DropConstraint": ("drop-constraint", Severity.NOTE, "Rows that broke it are accepted from now on."),
    "AT_DropNotNull": ("drop-not-null", Severity.NOTE, "The column may be NULL from now on."),
    "AT_SetUnLogged": ("unlogged", Severity.NOTE, "After a crash of the server the table is empty."),
    "AT_DisableTrig": ("disable-trigger", Severity.NOTE, "The trigger no longer runs."),
    "AT_DisableTrigAll": ("disable-trigger", Severity.NOTE, "No trigger runs, foreign keys included."),
    "AT_DisableTrigUser": ("disable-trigger", Severity.NOTE, "None of the table's own triggers runs."),
}
_LOOKS = frozenset(["ColumnRef", "SubLink", "FuncCall", "SQLValueFunction"])
_SCHEMA, _CALLED, _COUNTED = (frozenset(r.split()) for r in ("usage create", "execute", "usage select update"))
_NOT_BY_API = frozenset(["truncate", "references", "trigger", "maintain"])
USES = frozenset(["select", "insert", "update", "delete"])
"""What the API does with a relation; a `REVOKE` of less leaves it open."""
_POWERS = frozenset(["superuser", "bypassrls", "createrole", "isreplication"])


def loosened(parsed: Parsed, scope: Scope) -> Iterator[Finding]:
    """`ALTER TABLE` and `ALTER VIEW` forms that let in what was kept out."""
    table = scope.name(parsed.node.relation)
    for command in (item.alter_table_cmd for item in parsed.node.cmds):
        kind = enum_name(command, "subtype")
        rule, severity, why = _LOOSENED.get(kind, ("", Severity.NOTE, ""))
        if rule and (severity is Severity.EXPOSURE or not scope.is_new(table)):
            about = f"{table}.{names.quoted(command.name)}" if command.name else table
            yield finding(parsed, rule, severity, about, why)
        if kind == "AT_ChangeOwner":
            yield from _owner(parsed, table, command.newowner, scope)
        invoker = names.option(getattr(command, "def").list.items, "security_invoker")
        if invoker is not None and (kind == "AT_ResetRelOptions" or not names.is_on(invoker)):
            yield _view_finding(parsed, table)


def changed_owner(parsed: Parsed, scope: Scope) -> Iterator[Finding]:
    """`ALTER … OWNER TO` of anything but a relation."""
    yield from _owner(parsed, scope.label(*names.altered(parsed.node)), parsed.node.newowner, scope)


def _owner(parsed: Parsed, about: str, role: Node, scope: Scope) -> Iterator[Finding]:
    why = "An owner passes by row level security and may grant and drop."
    if role.rolename in REACHABLE:
        yield finding(parsed, "change-owner", Severity.EXPOSURE, about, why)
    elif role.rolename != "postgres" and not scope.is_new(about):  # migrations run as postgres, and dumps say it of all
        yield finding(parsed, "change-owner", Severity.NOTE, about, why)


def open_policy(parsed: Parsed, scope: Scope) -> Iterator[Finding]:
    """`CREATE` and `ALTER POLICY` that let everybody write whatever it is about.

    Reading by everybody is what `USING (true)` on a SELECT policy is for: Supabase's documentation has it so.
    """
    node = parsed.node
    if parsed.name == "create_policy_stmt" and (not node.permissive or node.cmd_name == "select"):
        return
    # Who may send and receive messages, Supabase's guide decides like this.
    if names.parts(node.table)[0] == "realtime":
        return
    reached = sorted(REACHABLE.intersection(names.roles(node.roles) or [names.PUBLIC]))
    conditions = [c for c in ("qual", "with_check") if node.HasField(c)]
    if reached and any(_holds_always(getattr(node, c)) for c in conditions):
        about = f"policy {names.quoted(node.policy_name)} on {scope.name(node.table)}"
        why = f"Its condition holds for every row, and it is for {' and '.join(reached)}."
        way_out = "Fine for what everybody may write; else add a condition such as auth.uid()."
        yield finding(parsed, "open-policy", Severity.EXPOSURE, about, why, way_out)


def _holds_always(condition: Node) -> bool:
    """Whether a condition looks neither at the row nor at who asks: `true`, `1 = 1`, and what OR makes of them."""
    kind = condition.WhichOneof("node")
    if kind == "bool_expr" and (operator := enum_name(condition.bool_expr, "boolop")) != "NOT_EXPR":
        holds = map(_holds_always, condition.bool_expr.args)
        return any(holds) if operator == "OR_EXPR" else all(holds)
    if kind == "a_const" and condition.a_const.WhichOneof("val") == "boolval":
        return bool(condition.a_const.boolval.boolval)
    if kind == "sub_link" and len(targets := condition.sub_link.subselect.select_stmt.target_list) == 1:
        query = condition.sub_link.subselect.select_stmt  # (SELECT true), which asks once for all rows
        return not query.from_clause and not query.HasField("where_clause") and _holds_always(targets[0].res_target.val)
    if kind == "a_expr" and same_column(condition.a_expr.lexpr, condition.a_expr.rexpr):
        return names.parts(condition.a_expr.name[0]) == ("=",)
    return not any(found in _LOOKS for found, _ in walk(condition))


def granted(parsed: Parsed, scope: Scope) -> Iterator[Finding]:
    """`GRANT` to whoever reaches the API, on what was there before.

    Every new object's diff carries grants that only re-state the default privileges, so those on
    objects of the same text are left out.
    """
    node = parsed.node
    reached = sorted(REACHABLE & set(names.roles(node.grantees)))
    if not node.is_grant or not reached:
        return
    for about in _grant_objects(scope, node):
        if scope.met is None and scope.may_be_new(about):
            why = f"{' and '.join(reached)}: the default for a new object, but it may have existed."
            yield finding(parsed, "grant", Severity.NOTE, about, why)
        elif not scope.is_new(about) and not _is_usual(node, about, scope):
            why = f"{' and '.join(reached)} may use it, through the API too where row security allows."
            yield finding(parsed, "grant", Severity.EXPOSURE, about, why)


def _is_usual(node: Node, about: str, scope: Scope) -> bool:
    """Whether everybody may do it anyway, or it concerns a new schema's objects, which are all new."""
    if about == f"schema {names.PUBLIC}" and [p.access_priv.priv_name for p in node.privileges] == ["usage"]:
        return True
    if all(_has(scope, about, role, node) for role in REACHABLE.intersection(names.roles(node.grantees))):
        return True
    in_schema = enum_name(node, "targtype") == "ACL_TARGET_ALL_IN_SCHEMA"
    return in_schema and scope.is_new(f"schema {about.rpartition(' ')[2]}")


def _has(scope: Scope, about: str, role: str, node: Node) -> bool:
    """Whether a role of the database may do it already, as far as the API makes use of it."""
    kind = about.partition(" ")[0]
    all_of_them = {"schema": _SCHEMA, "function": _CALLED, "procedure": _CALLED, "sequence": _COUNTED}.get(kind, USES)
    wanted = ({p.access_priv.priv_name for p in node.privileges} or all_of_them) - _NOT_BY_API
    name = about.removeprefix("sequence ")
    return wanted <= {*scope.there.rights.get((name, role), ()), *scope.there.rights.get((name, names.PUBLIC), ())}


def _has_nothing(scope: Scope, about: str, role: str) -> bool:
    """Whether a role of the database has no right on an object of it."""
    there = about in scope.there.objects and role in REACHABLE
    return there and not scope.there.rights.get((about, role))


def default_privileges(parsed: Parsed, scope: Scope) -> Iterator[Finding]:
    """`ALTER DEFAULT PRIVILEGES`: it concerns all objects yet to come."""
    action, where = parsed.node.action, _default_schemas(parsed)
    reached = REACHABLE.intersection(names.roles(action.grantees))
    about = " ".join(["default privileges", *(["in", names.dotted(where)] if where else [])])
    if not action.is_grant:
        why = "Objects made later get other rights than those made before."
        yield finding(parsed, "default-privileges", Severity.NOTE, about, why)
    elif reached and not (where and all(_is_default(s, reached, action, scope) for s in where)):
        why = f"{' and '.join(sorted(reached))} will have these rights on every object made later."
        yield finding(parsed, "default-privileges", Severity.EXPOSURE, about, why)


def _is_default(schema: str, roles: frozenset[str], action: Node, scope: Scope) -> bool:
    """Whether it is so anyway, as in `public`; in a new schema, the tables that it opens are judged one by one."""
    about = f"default privileges in {names.quoted(schema)}"
    held = enum_name(action, "objtype") != "OBJECT_TABLE" or all(_has(scope, about, r, action) for r in roles)
    known = roles <= scope.defaults.get(schema, set()) and (held or scope.met is None)
    return known or scope.is_new(f"schema {names.quoted(schema)}")


def definer_functions(scope: Scope) -> Iterator[tuple[Parsed, Finding]]:
    """`SECURITY DEFINER` without a fixed `search_path`."""
    for function, parsed in scope.definers.items():
        about = f"function {function.partition('(')[0]}"
        why = "It runs with its owner's rights, and its caller chooses what its names mean."
        way_out = "Add SET search_path = '' and write complete names in its body."
        yield parsed, finding(parsed, "definer-search-path", Severity.EXPOSURE, about, why, way_out)


def _view_finding(parsed: Parsed, name: str) -> Finding:
    why = "The view reads with its owner's rights, past the row level security of its tables."
    way_out = "Add WITH (security_invoker = true), unless that is meant."
    return finding(parsed, "definer-view", Severity.EXPOSURE, f"view {name}", why, way_out)


def powerful_role(parsed: Parsed, _scope: Scope) -> Iterator[Finding]:
    """`CREATE` and `ALTER ROLE` with rights that pass by policies and grants."""
    node = parsed.node
    role = node.role if parsed.name == "create_role_stmt" else node.role.rolename
    options = (o.def_elem for o in node.options)
    powers = [e.defname for e in options if e.defname in _POWERS and names.is_on(e)]
    if powers:
        why = f"The role gets {', '.join(powers)}."
        yield finding(parsed, "powerful-role", Severity.EXPOSURE, f"role {names.quoted(role)}", why)


def membership(parsed: Parsed, _scope: Scope) -> Iterator[Finding]:
    """`GRANT role TO` whoever reaches the API."""
    reached = sorted(REACHABLE & set(names.roles(parsed.node.grantee_roles)))
    if parsed.node.is_grant and reached:
        for role in parsed.node.granted_roles:
            about = f"role {names.quoted(role.access_priv.priv_name)}"
            why = f"{' and '.join(reached)} may do whatever this role may."
            yield finding(parsed, "grant-role", Severity.EXPOSURE, about, why)


def unsecured_tables(scope: Scope) -> Iterator[tuple[Parsed, Finding]]:
    """New relations that the API serves and no row level security holds back."""
    for relation, (parsed, open_to) in scope.tables.items():
        if relation not in scope.secured and open_to:
            yield parsed, _unsecured(parsed, relation)


def _unsecured(parsed: Parsed, relation: str) -> Finding:
    if parsed.name == "view_stmt":
        return _view_finding(parsed, relation)
    why = "Default privileges or a GRANT let anon or every user read and write it where row security is off."
    way_out = f"Add ALTER TABLE {relation} ENABLE ROW LEVEL SECURITY;"
    if parsed.name == "create_foreign_table_stmt" or _is_materialized(parsed):  # PostgreSQL has none for these
        kind = "materialized view" if _is_materialized(parsed) else "foreign table"
        why = f"A {kind} has no row level security, and anon or every user has rights on it."
        way_out = f"Add REVOKE ALL ON {relation} FROM anon, authenticated; unless that is meant."
    return finding(parsed, "table-without-rls", Severity.EXPOSURE, relation, why, way_out)


def public_bucket(parsed: Parsed, scope: Scope) -> Iterator[Finding]:
    """What makes a bucket of `storage.buckets` public whose files were private: `UPDATE`, and `INSERT` over a row."""
    node = parsed.node
    over = node.on_conflict_clause.target_list if parsed.name == "insert_stmt" else node.target_list
    opened = any(t.res_target.name == "public" and _may_open(t.res_target.val, node) for t in over)
    if opened and scope.name(node.relation) == "storage.buckets":
        why = "Everybody can read the bucket's files, whatever the policies say."
        yield finding(parsed, "public-bucket", Severity.EXPOSURE, "storage.buckets", why)


def _may_open(value: Node, node: Node) -> bool:
    """Whether a new value of `public` is true, or that of a row that the statement inserts and that has true in it."""
    if value.HasField("multi_assign_ref"):  # SET (name, public) = ('a', true)
        given = value.multi_assign_ref
        chosen = (t.res_target.val for t in given.source.sub_link.subselect.select_stmt.target_list)
        value = dict(enumerate(given.source.row_expr.args or chosen, 1)).get(given.colno, value)
    excluded = [names.parts(f) for f in value.column_ref.fields[:1]] == [("excluded",)]
    if excluded and node.DESCRIPTOR.name == "InsertStmt":
        return any(kind == "A_Const" and found.boolval.boolval for kind, found in walk(node.select_stmt))
    return bool(value.a_const.boolval.boolval)


def imported_tables(parsed: Parsed, scope: Scope) -> Iterator[Finding]:
    """`IMPORT FOREIGN SCHEMA` into one whose tables the API serves."""
    schema = parsed.node.local_schema
    if scope.defaults.get(schema):
        why = "Foreign tables have no row level security, and anon or every user gets rights on them."
        about = f"schema {names.quoted(schema)}"
        yield finding(parsed, "foreign-schema", Severity.EXPOSURE, about, why, "Import into a schema of its own.")


def revoked(scope: Scope) -> Iterator[tuple[Parsed, Finding]]:
    """`REVOKE` that no `GRANT` of the same text takes back."""
    for parsed, about, role in scope.revoked:
        known = scope.is_new(about) or scope.may_be_new(about) or _has_nothing(scope, about, role)
        if (about, role) not in scope.granted and not known:
            yield parsed, finding(parsed, "revoke", Severity.NOTE, about, f"{role} loses rights on it.")


def _grant(scope: Scope, parsed: Parsed) -> None:
    node, roles = parsed.node, names.roles(parsed.node.grantees)
    uses = {p.access_priv.priv_name for p in node.privileges}
    for about in _grant_objects(scope, node):
        scope.granted.update((about, role) for role in roles if node.is_grant)
        scope.revoked += [(parsed, about, role) for role in roles if not node.is_grant]
        schema = about.removeprefix("all tables in schema ")
        for name in (about,) if schema == about else [n for n in scope.tables if n.startswith(f"{schema}.")]:
            if made := scope.tables.get(name):
                needed = frozenset(["select"]) if _is_materialized(made[0]) else USES
                _change(made[1], node, REACHABLE.intersection(roles), whole=not uses or uses >= needed)


def _change(open_to: set[str], node: Node, roles: Collection[str], *, whole: bool) -> None:
    if node.is_grant:
        open_to.update(roles)
    elif whole:
        open_to.difference_update(roles)


def _is_materialized(parsed: Parsed) -> bool:
    return parsed.name == "create_table_as_stmt" and enum_name(parsed.node, "objtype") == "OBJECT_MATVIEW"


def _default_privileges(scope: Scope, parsed: Parsed) -> None:
    action = parsed.node.action
    if enum_name(action, "objtype") == "OBJECT_TABLE":
        for schema in _default_schemas(parsed):
            roles = REACHABLE.intersection(names.roles(action.grantees))
            _change(scope.defaults.setdefault(schema, set()), action, roles, whole=not action.privileges)


def _default_schemas(parsed: Parsed) -> tuple[str, ...]:
    """The schemas of an `ALTER DEFAULT PRIVILEGES`; none where it is for all of them."""
    schemas = names.option(parsed.node.options, "schemas")
    return names.parts(schemas.arg) if schemas else ()


def _grant_objects(scope: Scope, node: Node) -> list[str]:
    """The objects of a `GRANT` or `REVOKE`, as findings name them."""
    kind = names.kind_word(node, "objtype")
    if enum_name(node, "targtype") == "ACL_TARGET_ALL_IN_SCHEMA":
        return [f"all {kind}s in schema {names.dotted(names.parts(o))}" for o in node.objects]
    return [scope.label(kind, o) for o in node.objects]


def _function(scope: Scope, parsed: Parsed) -> None:
    signature = names.signature(p.arg_type for p in names.taken(parsed.node))
    _owned(scope, scope.name(parsed.node.funcname) + signature, parsed, parsed.node.options, anew=True)


def _function_altered(scope: Scope, parsed: Parsed) -> None:
    node = parsed.node.func
    signature = names.signature(n.type_name for n in node.objargs)
    _owned(scope, scope.name(node) + signature, parsed, parsed.node.actions)


def _owned(scope: Scope, function: str, parsed: Parsed, options: list[Node], *, anew: bool = False) -> None:
    """Take note of a function's owner's rights, and of its search path."""
    settings = [o.def_elem.arg.variable_set_stmt for o in options if o.def_elem.defname == "set"]
    fixed, definer = any(s.name == "search_path" for s in settings), names.option(options, "security")
    if anew or fixed:
        scope.definers.pop(function, None)
    if definer is not None and definer.arg.boolean.boolval and not fixed:
        scope.definers[function] = parsed


def _function_dropped(scope: Scope, parsed: Parsed) -> None:
    kind = names.kind_word(parsed.node, "remove_type")
    for item in parsed.node.objects:
        scope.definers.pop(scope.name(item) + names.arguments(kind, item), None)


LEARNERS = {
    "grant_stmt": _grant,
    "alter_default_privileges_stmt": _default_privileges,
    "create_function_stmt": _function,
    "alter_function_stmt": _function_altered,
    "drop_stmt": _function_dropped,
}
RULES = {
    "alter_table_stmt": (loosened,),
    "alter_owner_stmt": (changed_owner,),
    "create_policy_stmt": (open_policy,),
    "alter_policy_stmt": (open_policy,),
    "grant_stmt": (granted,),
    "alter_default_privileges_stmt": (default_privileges,),
    "update_stmt": (public_bucket,),
    "insert_stmt": (public_bucket,),
    "import_foreign_schema_stmt": (imported_tables,),
    "create_role_stmt": (powerful_role,),
    "alter_role_stmt": (powerful_role,),
    "grant_role_stmt": (membership,),
}
AT_END = (definer_functions, unsecured_tables, revoked)
