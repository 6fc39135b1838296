"""From the local database to the remote, and `push` alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

from ..checks.names import quoted
from ..databases.catalog import compare, told
from ..errors import RefusedError
from ..plan import goals
from ..sqltext import Node, Parsed, UnparsableSql, enum_name, parse, walk, written
from ..state import Origin, State, histories
from ..state.histories import Status
from ..state.migrations import Migration, next_version, read_sql
from ..supabase_cli import CliError
from . import commit, review
from .generate import generate, refuse_unwritable
from .look import changes, facts, listed, look
from .push import refuse_leftovers
from .question import Goal, apply_and_build, carry_out, check_before_asking, rebuilt_ahead
from .session import Done, Run

WITHOUT_COMMIT = "leave --commit out"
MAKES = r"\bcreate\s+(?:role|user|group)\s+\"?{}\"?(?![\w$])"
PLATFORM = ("anon", "authenticated", "service_role")  # what a migration may take for granted
PASSWORD = re.compile(r"\bpassword\b", re.IGNORECASE)


def local_to_remote(run: Run) -> Done:
    """Bring local changes and pending files to the remote, and prove it."""
    if run.options.reset:
        run.refuse_config()
    state = look(run)
    run.introduce()
    with run.console.step("preflight", f"look at {run.remote.name} and its history"):
        state = _look(run, state)
    with run.console.step("diff", f"compare {run.local.name} with a shadow of its history"):
        state = _generate(run, state)
    return carry_out(run, state, Goal(goals.local_to_remote, _review, Origin.LOCAL))


def push(run: Run) -> Done:
    """Bring pending files to the remote; nobody asks the local database, which need not be there."""
    state = look(run, ["remote"])
    run.introduce()
    with run.console.step("preflight", f"look at {run.remote.name} and its history"):
        state = _look(run, state)
        run.shadow(state.files, run.remote_identity.major)  # all files apply, on a fresh database, in their order
    return carry_out(run, state, Goal(goals.push, _review, Origin.LOCAL))


def _look(run: Run, state: State) -> State:
    goals.refuse(goals.problems_of_push(state, facts(run, state), run.options))
    _prove_order(run, state)
    drift = changes(run, state, "remote")
    if drift.differences and not run.options.ignore_drift:
        what = f"{run.remote.label} differs from its own history:\n{listed(told(drift.differences))}"
        refuse_leftovers(run, state, drift, what)
        raise RefusedError(
            what,
            "`invoke remote-to-local` brings these changes into a migration first; --ignore-drift goes on "
            "without them.",
        )
    return replace(state.with_unrecorded("remote", drift.by_hand), drift=drift.differences)


def _prove_order(run: Run, state: State) -> None:
    """Build both orders, and compare: the files' own, and the one in which the remote is going to have them.

    Raises:
        RefusedError: they lead to different schemas.
    """
    late = _late(state)
    if not late:
        return
    had = histories.as_migrations(state.remote_history, state.folder.migrations)
    taken, last = state.versions, list[Migration]()
    for migration in late:
        version = next_version([*taken, *(m.version for m in last)]) or ""
        last.append(Migration(version, migration.name, migration.sql))
    major = run.remote_identity.major
    try:
        here, there = (run.shadow((*had, *order), major) for order in (late, last))
    except CliError as error:
        raise RefusedError(
            f"The order matters: not every migration can be applied in both. {error.message}",
            "`invoke resolve` gives these files later versions.",
        ) from None
    left = compare(run.catalog(here), run.catalog(there), run.claims, ("files' order", "remote's order"))
    if not left:
        names = ", ".join(m.file_name for m in late)
        run.console.say(f"{names}: the schema is the same in both orders (rows are not compared)", "note")
    else:
        raise RefusedError(
            "The order matters: applied after the later ones, these files lead to another schema:\n"
            + listed(told(left)),
            "`invoke resolve` gives them later versions.",
        )


def _late(state: State) -> list[Migration]:
    """Files that the remote has not had, older than the newest version that it has."""
    head = max(filter(str.isdigit, state.remote_history), default="")
    rows = state.rows_of(Status.PENDING, Status.LOCAL_STALE)
    return [row.file for row in rows if row.file and not row.remote and row.version < head]


def _generate(run: Run, state: State) -> State:
    found = changes(run, state, "local")
    state = state.with_unrecorded("local", found.by_hand)
    if found.differences:
        commit.check_early(run, WITHOUT_COMMIT)
        name = run.options.name or "local_changes"
        made = generate(run, run.local, found.base, name, state.versions, applied=rebuilt_ahead(run, state))
        refuse_unwritable(run, "The local database", made)
        state = state.joined_by(Origin.LOCAL, made.migrations)
    return apply_and_build(run, state)


def _review(run: Run, state: State) -> None:
    refuse_unfit(run, state)
    check_before_asking(run, state, Origin.LOCAL, WITHOUT_COMMIT)
    new = state.made(Origin.LOCAL)
    with run.remote.connection() as connection:
        found = review.show_all(run.console, state.pending, connection, new=new)
    save = f"invoke diff --env {run.settings.env} --name renamed" if new else ""
    review.refuse_blocking(found, run.options.allow_data_loss, run.remote.name, save)


# --- roles that the remote lacks, or has already ---


def refuse_unfit(run: Run, state: State) -> None:
    """Stop before a push that the remote would refuse for want of a role, or because it has one already.

    Looked for are the roles that `roles.sql` makes, and the platform's: with any other one, the files would not have
    applied to a shadow.

    Raises:
        RefusedError: names each with its place, and says what to do.
    """
    if not state.pending:
        return
    with run.remote.connection() as connection:
        there = {str(row[0]) for row in connection.execute("select rolname from pg_roles")}
    _refuse_missing(run, state, there)
    _refuse_made_twice(run, state, there)


def _refuse_made_twice(run: Run, state: State, there: set[str]) -> None:
    twice = {role: found for role, found in _made(state.pending).items() if role in there}
    if not twice:
        return
    listed = "\n".join(f"  - {quoted(role)} ({place})" for role, (place, _) in twice.items())
    statements = "\n".join(f"  {text};" for _, parsed in twice.values() if (text := _without_password(parsed)))
    raise RefusedError(
        f"{run.remote.label} has roles already that pending files make. Nothing was changed.\n{listed}",
        "Write these statements into supabase/roles.sql, which is run on new databases alone, and take them out of the "
        f"migrations; then run the same command again:\n{statements}",
    )


def _made(migrations: Iterable[Migration]) -> dict[str, tuple[str, Parsed]]:
    """The roles that files make by a statement of their own, and do not drop before, each with its place."""
    found: dict[str, tuple[str, Parsed]] = {}
    dropped: set[str] = set()
    for migration in sorted(migrations):
        for parsed in _parsed(migration.sql):
            if parsed.name == "drop_role_stmt":
                dropped |= set(_specified(parsed.node))
            elif parsed.name == "create_role_stmt" and parsed.node.role not in dropped:
                found.setdefault(parsed.node.role, (f"{migration.file_name}, line {parsed.statement.line}", parsed))
    return found


def _refuse_missing(run: Run, state: State, there: set[str]) -> None:
    made_there = _roles_sql(run.settings.root)
    missing = {
        role: place
        for role, place in _needed(state.pending).items()
        if role not in there and (role in PLATFORM or _makes(made_there, role))
    }
    if not missing:
        return
    listed = "\n".join(f"  - {quoted(role)} ({place})" for role, place in missing.items())
    statements = "\n".join(f"  {statement};" for statement in _statements(made_there, list(missing)))
    login = " Passwords are left out: give the role one there." if PASSWORD.search(made_there) else ""
    raise RefusedError(
        f"{run.remote.label} lacks roles that pending files need. Nothing was changed.\n{listed}",
        f"supabase/roles.sql is never run there.{login} Run this on {run.remote.name}, for example in the dashboard's "
        f"SQL editor, then run the same command again:\n{statements}",
    )


def _roles_sql(root: Path) -> str:
    path = root / "supabase" / "roles.sql"
    return read_sql(path) if path.is_file() else ""


def _makes(sql: str, role: str) -> bool:
    """Whether a text makes a role, as a statement of its own or inside of a block."""
    return bool(re.search(MAKES.format(re.escape(role)), sql, re.IGNORECASE))


def _needed(migrations: Iterable[Migration]) -> dict[str, str]:
    """The roles that files name and do not make, each with the place that names it first."""
    found: dict[str, str] = {}
    files = sorted(migrations)
    for migration in files:
        for parsed in _parsed(migration.sql):
            for role in _named(parsed):
                found.setdefault(role, f"{migration.file_name}, line {parsed.statement.line}")
    return {role: place for role, place in found.items() if not any(_makes(m.sql, role) for m in files)}


def _parsed(sql: str) -> tuple[Parsed, ...]:
    try:
        return parse(sql)
    except UnparsableSql:  # the shadow says it better
        return ()


def _named(parsed: Parsed) -> Iterator[str]:
    """The roles that have to be there when a statement runs."""
    if parsed.node is None or (parsed.name == "drop_role_stmt" and parsed.node.missing_ok):
        return
    if parsed.name == "variable_set_stmt" and parsed.node.name == "role" and parsed.node.args:
        yield str(parsed.node.args[0].a_const.sval.sval)
    yield from _specified(parsed.node)


def _specified(node: Node) -> Iterator[str]:
    for kind, found in walk(node):
        if kind == "RoleSpec" and enum_name(found, "roletype") == "ROLESPEC_CSTRING":
            yield str(found.rolename)
        elif kind == "GrantRoleStmt":
            yield from (str(granted.access_priv.priv_name) for granted in found.granted_roles)


def _statements(sql: str, roles: list[str]) -> Iterator[str]:
    """What `roles.sql` has about these roles, without passwords; a plain statement for a role of which it has none."""
    told = [parsed for parsed in _parsed(sql) if _about(parsed, roles)]
    texts = [text for parsed in told if (text := _without_password(parsed))]
    for role in roles:
        if not any(_makes(text, role) for text in texts):
            yield f"create role {quoted(role)}"
    yield from texts


def _about(parsed: Parsed, roles: list[str]) -> bool:
    named = set(_specified(parsed.node)) if parsed.node is not None else set()
    return not named.isdisjoint(roles) or any(_makes(parsed.statement.text, role) for role in roles)


def _without_password(parsed: Parsed) -> str:
    """The statement; empty where nothing is left of it, or where its password cannot be taken out."""
    if not PASSWORD.search(parsed.statement.text):
        return parsed.statement.text
    if parsed.name not in {"create_role_stmt", "alter_role_stmt"}:
        return ""
    kept = [option for option in parsed.node.options if option.def_elem.defname.lower() != "password"]
    without = replace(parsed, node=deepcopy(parsed.node))
    del without.node.options[:]
    without.node.options.extend(kept)
    return written(without) if kept or parsed.name == "create_role_stmt" else ""
