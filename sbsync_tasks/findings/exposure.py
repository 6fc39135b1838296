"""Who may see or do more after the text: row level security, policies, rights, owners' rights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sbsync_tasks.sqltext import enum_name, walk

from . import names
from .model import Finding, Severity, finding
from .scope import grant_objects

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sbsync_tasks.sqltext import Node, Parsed

    from .scope import Scope

UNSECURED = "table-without-rls"
# The roles that anybody can act as through the API, with the public key or a sign-up.
REACHABLE = frozenset(["anon", "authenticated", names.PUBLIC])
_OFF = {
    "AT_DisableRowSecurity": ("disable-rls", "Row level security ends: grants alone decide."),
    "AT_NoForceRowSecurity": ("no-force-rls", "The table's owner is no longer held to policies."),
}
_LOOKS = frozenset(["ColumnRef", "SubLink", "FuncCall", "SQLValueFunction"])
_POWERS = frozenset(["superuser", "bypassrls", "createrole", "isreplication"])


def row_security_off(parsed: Parsed, scope: Scope) -> Iterator[Finding]:
    """`ALTER TABLE … DISABLE` and `NO FORCE ROW LEVEL SECURITY`."""
    for item in parsed.node.cmds:
        found = _OFF.get(enum_name(item.alter_table_cmd, "subtype"))
        if found:
            table = scope.name(parsed.node.relation)
            yield finding(parsed, found[0], Severity.EXPOSURE, table, found[1])


def open_policy(parsed: Parsed, scope: Scope) -> Iterator[Finding]:
    """`CREATE` and `ALTER POLICY` that let everybody write whatever it is about.

    Reading by everybody is what `USING (true)` on a SELECT policy is for: Supabase's documentation has it so.
    """
    node = parsed.node
    if parsed.name == "create_policy_stmt" and (not node.permissive or node.cmd_name == "select"):
        return
    reached = sorted({"anon", names.PUBLIC} & set(names.roles(node.roles)))
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
    for about in grant_objects(scope, node):
        if scope.may_be_new(about):
            why = f"{_list(reached)}: the default for a new object, but it may have existed."
            yield finding(parsed, "grant", Severity.NOTE, about, why)
        elif not scope.is_new(about):
            why = f"{_list(reached)} may use it, through the API too where row security allows."
            yield finding(parsed, "grant", Severity.EXPOSURE, about, why)


def _list(roles: list[str]) -> str:
    return " and ".join(roles)


def default_privileges(parsed: Parsed, _scope: Scope) -> Iterator[Finding]:
    """`ALTER DEFAULT PRIVILEGES`: it concerns all objects yet to come."""
    action = parsed.node.action
    reached = sorted(REACHABLE & set(names.roles(action.grantees)))
    schemas = names.option(parsed.node.options, "schemas")
    where = names.parts(schemas.arg) if schemas else ()
    about = " ".join(["default privileges", *(["in", names.dotted(where)] if where else [])])
    if action.is_grant and reached:
        why = f"{_list(reached)} will have these rights on every object made later."
        yield finding(parsed, "default-privileges", Severity.EXPOSURE, about, why)
    else:
        why = "Objects made later get other rights than those made before."
        yield finding(parsed, "default-privileges", Severity.NOTE, about, why)


def definer_function(parsed: Parsed, scope: Scope) -> Iterator[Finding]:
    """`SECURITY DEFINER` without a fixed `search_path`."""
    node = parsed.node
    options = node.options if parsed.name == "create_function_stmt" else node.actions
    definer = names.option(options, "security")
    if definer is None or not definer.arg.boolean.boolval or _fixes_path(options):
        return
    function = node.funcname if parsed.name == "create_function_stmt" else node.func.objname
    parts = tuple(p for n in function for p in names.parts(n))
    about = f"function {scope.qualified(parts)}"
    why = "It runs with its owner's rights, and its caller chooses what its names mean."
    way_out = "Add SET search_path = '' and write complete names in its body."
    yield finding(parsed, "definer-search-path", Severity.EXPOSURE, about, why, way_out)


def _fixes_path(options: list[Node]) -> bool:
    settings = [o.def_elem.arg.variable_set_stmt for o in options if o.def_elem.defname == "set"]
    return any(s.name == "search_path" for s in settings)


def definer_view(parsed: Parsed, scope: Scope) -> Iterator[Finding]:
    """`CREATE VIEW` without `security_invoker`."""
    option = names.option(parsed.node.options, "security_invoker")
    if option is None or not names.is_on(option):
        yield _view_finding(parsed, scope.name(parsed.node.view))


def definer_view_altered(parsed: Parsed, scope: Scope) -> Iterator[Finding]:
    """`ALTER VIEW` that switches `security_invoker` off."""
    for item in parsed.node.cmds:
        command = item.alter_table_cmd
        option = names.option(getattr(command, "def").list.items, "security_invoker")
        reset = enum_name(command, "subtype") == "AT_ResetRelOptions"
        if option is not None and (reset or not names.is_on(option)):
            yield _view_finding(parsed, scope.name(parsed.node.relation))


def _view_finding(parsed: Parsed, name: str) -> Finding:
    why = "The view reads with its owner's rights, past the row level security of its tables."
    way_out = "Add WITH (security_invoker = true), unless that is meant."
    return finding(parsed, "definer-view", Severity.EXPOSURE, f"view {name}", why, way_out)


def powerful_role(parsed: Parsed, _scope: Scope) -> Iterator[Finding]:
    """`CREATE` and `ALTER ROLE` with rights that pass by policies and grants."""
    node = parsed.node
    role = node.role if parsed.name == "create_role_stmt" else node.role.rolename
    held = [o.def_elem for o in node.options if o.def_elem.defname in _POWERS]
    powers = [e.defname for e in held if names.is_on(e)]
    if powers:
        why = f"The role gets {', '.join(powers)}."
        yield finding(parsed, "powerful-role", Severity.EXPOSURE, f"role {names.quoted(role)}", why)


def membership(parsed: Parsed, _scope: Scope) -> Iterator[Finding]:
    """`GRANT role TO` whoever reaches the API."""
    reached = sorted(REACHABLE & set(names.roles(parsed.node.grantee_roles)))
    if parsed.node.is_grant and reached:
        for role in parsed.node.granted_roles:
            about = f"role {names.quoted(role.access_priv.priv_name)}"
            why = f"{_list(reached)} may do whatever this role may."
            yield finding(parsed, "grant-role", Severity.EXPOSURE, about, why)


def unsecured_tables(scope: Scope) -> Iterator[tuple[Parsed, Finding]]:
    """New relations that the API serves and no row level security holds back."""
    for relation, parsed in scope.tables.items():
        if relation in scope.secured or not _is_reached(relation, scope):
            continue
        if without := _without_row_security(parsed):
            why = f"{without} has no row level security, and default privileges let anon use it."
            way_out = f"Add REVOKE ALL ON {relation} FROM anon, authenticated; unless that is meant."
        else:
            why = "Default privileges let anon read and write it where row security is off."
            way_out = f"Add ALTER TABLE {relation} ENABLE ROW LEVEL SECURITY;"
        yield parsed, finding(parsed, UNSECURED, Severity.EXPOSURE, relation, why, way_out)


def _without_row_security(parsed: Parsed) -> str:
    """The kind of relation, where PostgreSQL has no row level security for it."""
    if parsed.name == "create_foreign_table_stmt":
        return "A foreign table"
    materialized = parsed.name == "create_table_as_stmt" and enum_name(parsed.node, "objtype") == "OBJECT_MATVIEW"
    return "A materialized view" if materialized else ""


def _is_reached(relation: str, scope: Scope) -> bool:
    """Whether anybody can get at it: default privileges of `public` let them, or a `GRANT` does."""
    schema = relation.rpartition(".")[0]
    about = {relation, f"all tables in schema {schema}"}
    lost = {role for _, what, role in scope.revoked if what in about}
    if any(what in about and role in REACHABLE for what, role in scope.granted):
        return True
    return schema == names.PUBLIC and "anon" not in lost


def revoked(scope: Scope) -> Iterator[tuple[Parsed, Finding]]:
    """`REVOKE` that no `GRANT` of the same text takes back."""
    for parsed, about, role in scope.revoked:
        if (about, role) not in scope.granted and not scope.is_new(about) and not scope.may_be_new(about):
            why = f"{role} loses rights on it."
            yield parsed, finding(parsed, "revoke", Severity.NOTE, about, why)


RULES = {
    "alter_table_stmt": (row_security_off, definer_view_altered),
    "create_policy_stmt": (open_policy,),
    "alter_policy_stmt": (open_policy,),
    "grant_stmt": (granted,),
    "alter_default_privileges_stmt": (default_privileges,),
    "create_function_stmt": (definer_function,),
    "alter_function_stmt": (definer_function,),
    "view_stmt": (definer_view,),
    "create_role_stmt": (powerful_role,),
    "alter_role_stmt": (powerful_role,),
    "grant_role_stmt": (membership,),
}
AT_END = (unsecured_tables, revoked)
