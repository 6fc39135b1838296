"""Bringing migrations to the remote, recording what a database has, and what a push that failed has left there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from ..checks.names import quoted
from ..databases.catalog import MIGRATIONS, Catalog, Difference, compare, read_catalog
from ..databases.catalog import told as differences_told
from ..databases.connection import connect
from ..databases.database import Database
from ..databases.database import push as push_by_cli
from ..databases.failures import AGAIN, ALREADY_THERE, Failure, FileFailedError, told
from ..errors import RefusedError, SbsyncError
from ..folders import state_dir
from ..plan import Push, Rerecord, partly
from ..plan.partly import Leftovers, Partly, is_atomic
from ..sqltext import Node, Parsed, UnparsableSql, enum_name, parse, walk, written
from ..state import State, histories
from ..state.histories import History
from ..state.migrations import Migration, read_sql
from .look import Changes, listed
from .session import Done, Run

# One run at a time per database; the number stands for this tool among the advisory locks of a server.
LOCK_KEY = 7_366_797_363_110_001
MAKES = r"\bcreate\s+(?:role|user|group)\s+\"?{}\"?(?![\w$])"
PLATFORM = ("anon", "authenticated", "service_role")  # what a migration may take for granted
PASSWORD = re.compile(r"\bpassword\b", re.IGNORECASE)


@contextmanager
def writing_lock(run: Run) -> Iterator[None]:
    """Hold the remote's lock of this tool, or refuse: the CLI takes none, and two pushes would both run the SQL."""
    with run.remote.connection() as connection:
        row = connection.execute("select pg_try_advisory_lock(%s)", (LOCK_KEY,)).fetchone()
        if not row or not row[0]:
            raise RefusedError(
                f"Another run is writing to {run.remote.label} at this moment. Nothing was changed.",
                "Wait until it has ended, then run again.",
            )
        yield


def push(run: Run, state: State, action: Push, done: Done) -> None:
    """Push the pending migrations, after recording those that the remote has without knowing.

    Refused where another run has written there since the plan was made. Where a migration fails, an SbsyncError says
    which ones the remote has and which not, as the remote says.
    """
    refuse_other_histories(run, state)
    if action.record:
        mark_applied(run, run.remote, action.record)
        done.recorded = tuple(m.version for m in action.record)
    try:
        if action.migrations:
            push_by_cli(
                run.cli, run.remote.endpoint, run.remote.label, state.files, action.migrations,
                include_all=run.options.include_all, lock_timeout=run.settings.lock_timeout,
            )  # fmt: skip
    except SbsyncError as error:
        raise _landed(run, state, action, error) from None
    done.pushed = tuple(m.version for m in action.migrations)


def refuse_other_histories(run: Run, state: State) -> None:
    """Refuse, right before it is written to, where the remote has not recorded what it had when the plan was made."""
    now = run.remote.history()
    if told_versions := other_versions(state.remote_history, now):
        raise RefusedError(
            f"{run.remote.label} has changed since this run looked at it: {told_versions}. Nothing was written there.",
            "Somebody else has pushed: run again.",
        )


def other_versions(before: History, now: History) -> str:
    """What a history has recorded since, or no longer has, in words; empty where it is the same."""
    new, gone = sorted(now.keys() - before.keys()), sorted(before.keys() - now.keys())
    edited = sorted(v for v in now.keys() & before.keys() if now[v] != before[v])
    parts = ((new, "recorded"), (gone, "no longer recorded"), (edited, "recorded otherwise"))
    return "; ".join(f"{', '.join(versions)} {word}" for versions, word in parts if versions)


def _landed(run: Run, state: State, action: Push, error: SbsyncError) -> SbsyncError:
    """The error with what is in the way there, and with what the remote has now, as its history and catalog say."""
    failure = error.failure if isinstance(error, FileFailedError) else None
    try:
        with run.remote.connection() as connection:
            now = histories.read(connection)
            in_the_way = told(connection, failure) if failure else ""
    except SbsyncError as unreachable:
        return SbsyncError(
            f"{error.message}\nWhat of it the remote has cannot be told: {unreachable.message}",
            "Run again when it can be reached: what is true is read from there, and the rest is done.",
        )
    beyond, left = _left_behind(run, state, now)
    done = [m.file_name for m in action.migrations if m.version in now]
    lacking = [m.file_name for m in action.migrations if m.version not in now]
    there = (
        f"On the remote now: {', '.join(done) or 'none of the pending migrations'}. Not there: "
        f"{', '.join(lacking) or 'none'}."
    )
    stayed_there = left.said if left else _parts_stay(failure)
    hint = error.hint or "Correct what failed, then run the same command again."
    return SbsyncError(
        "\n".join(filter(None, (error.message, in_the_way, there, beyond, stayed_there))),
        _way_on(failure, hint, left) if left else hint if beyond or stayed_there else f"{hint} It goes on from there.",
    )


def _parts_stay(failure: Failure | None) -> str:
    """For a file that is not applied all or nothing, and of which no schema shows how much is there: rows, say."""
    if failure is None or failure.migration is None or is_atomic(failure.migration):
        return ""
    return (
        f"{failure.migration.file_name} is not applied all or nothing: what stands before the statement that failed "
        "may be there already, as far as it changes rows."
    )


def _left_behind(run: Run, state: State, now: History) -> tuple[str, Leftovers | None]:
    """What the remote has beyond its history since the push, in words, and what of it the push explains."""
    try:
        base = histories.as_migrations(now, state.files)
        held, found = run.catalog(run.shadow(base, run.remote_identity.major)), run.catalog(run.remote)
        differences = compare(held, found, run.claims, (MIGRATIONS, run.remote.name))  # the pending files' claims, too
        left = _stayed(run, base, differences, [m for m in state.files if m.version not in now])
    except SbsyncError as error:
        return f"Whether something else of it stayed there cannot be told: {error.message}", None
    beyond = [d for d in differences if d not in state.drift]
    words = f"Beyond its history the remote has now:\n{listed(differences_told(beyond))}" if beyond else ""
    return words, left


def _way_on(failure: Failure | None, hint: str, left: Leftovers) -> str:
    """The cause's way out, then that of what was left; where it is in its own way, that alone."""
    if failure and failure.sqlstate in ALREADY_THERE:
        return left.way_on
    return f"{hint.replace(f', {AGAIN}', '')} Then:\n{left.way_on}"


# --- recording without running, and what a push that failed has left ---


def mark_applied(run: Run, database: Database, migrations: Sequence[Migration]) -> None:
    """Mark these, named one by one, as applied in a database's history, which is kept first."""
    keep_history(run, database)
    run.cli.mark_applied(database.endpoint, migrations)


def rerecord(run: Run, _state: State, action: Rerecord, done: Done) -> None:
    """Change versions in the local history, all or none, rows and their statements staying what they are."""
    kept = keep_history(run, run.local)
    with run.local.connection() as connection, connection.transaction():
        for old, new in action.versions:
            changed = connection.execute(
                "update supabase_migrations.schema_migrations set version = %s where version = %s", (new, old)
            )
            if changed.rowcount != 1:
                raise RefusedError(f"The local history no longer has {old}; it is left as it is.", "Run again.")
    done.kept = (*done.kept, kept)


def keep_history(run: Run, database: Database) -> Path:
    """Write a history's rows, all columns, to `.sbsync/histories/<time>-<environment or local>.json`."""
    with database.connection() as connection:
        rows = histories.read_rows(connection)
    name = "local" if database.side == "local" else run.settings.env
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    path = state_dir(run.settings.root, "histories") / f"{moment}-{name}.json"
    path.touch(mode=0o600, exist_ok=False)
    path.write_text(json.dumps(rows, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


LOOKED_AT = 3  # files: the one that failed is the first that is pending, unless others have come before it since


def of_remote(run: Run, state: State, found: Changes) -> Leftovers | None:
    """What of the remote's changes a failed push explains; None where it explains nothing."""
    pending = [m for m in state.files if m.version not in state.remote_history]
    return _stayed(run, found.base, found.differences, pending)


def _stayed(
    run: Run, base: Sequence[Migration], differences: Sequence[Difference], pending: Sequence[Migration]
) -> Leftovers | None:
    """How much of a pending file is there is tried: its statements are run one by one on a copy of a shadow."""
    if not differences:
        return None
    broken = partly.invalid(differences)
    suspects = [m for m in pending if partly.may_leave_parts(m)][:LOOKED_AT]
    found = partly.mended(run.catalog(run.remote), broken)
    tried = ((file, tuple(_fitting(run, base, file, found))) for file in suspects)
    part = next((Partly(file, min(fits), max(fits)) for file, fits in tried if fits), None)
    if not broken and not (part and part.least):
        return None
    return Leftovers(run.remote.name, broken, part)


def refuse_leftovers(run: Run, state: State, found: Changes, what: str) -> None:
    """Stop, saying `what`, where the remote has what a failed push left: neither a push nor a pull gets past it."""
    left = of_remote(run, state, found)
    if left:
        raise RefusedError(f"{what}\n{left.said}", left.way_on)


def _fitting(run: Run, base: Sequence[Migration], file: Migration, found: Catalog) -> Iterator[int]:
    """After how many of a file's statements the shadow is what was found; stops at the first that fails there."""
    import psycopg
    from psycopg.pq import TransactionStatus

    try:
        with (
            run.shadows.scratch(base, run.remote_identity.major) as endpoint,
            connect(endpoint, "a scratch copy of the shadow") as scratch,
        ):
            for number, statement in enumerate((None, *partly.statements(file))):
                if statement:
                    scratch.execute(statement.text.encode())
                idle = scratch.info.transaction_status == TransactionStatus.IDLE
                if idle and not compare(read_catalog(scratch, run.settings.schemas), found, run.claims):
                    yield number
    except (SbsyncError, psycopg.Error):
        return


# --- roles that the remote lacks, or has already ---


def refuse_unfit(run: Run, state: State) -> None:
    """Refuse a push that the remote would refuse for want of a role, or because it has one already.

    Looked for are the roles that `roles.sql` makes, and the platform's: with any other one, the files would not have
    applied to a shadow.
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
    for file, parsed in each_statement(sorted(migrations)):
        if parsed.name == "drop_role_stmt":
            dropped |= set(_specified(parsed.node))
        elif parsed.name == "create_role_stmt" and parsed.node.role not in dropped:
            found.setdefault(parsed.node.role, (f"{file.file_name}, line {parsed.statement.line}", parsed))
    return found


def each_statement(files: Iterable[Migration]) -> Iterator[tuple[Migration, Parsed]]:
    """All that can be parsed of these files, each with its file; what cannot, a shadow says better."""
    for file in files:
        with suppress(UnparsableSql):
            yield from ((file, parsed) for parsed in parse(file.sql) if parsed.node is not None)


def _refuse_missing(run: Run, state: State, there: set[str]) -> None:
    path = run.settings.root / "supabase" / "roles.sql"
    made_there = read_sql(path) if path.is_file() else ""
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


def _makes(sql: str, role: str) -> bool:
    """Whether a text makes a role, as a statement of its own or inside of a block."""
    return bool(re.search(MAKES.format(re.escape(role)), sql, re.IGNORECASE))


def _needed(migrations: Iterable[Migration]) -> dict[str, str]:
    """The roles that files name and do not make, each with the place that names it first."""
    found: dict[str, str] = {}
    files = sorted(migrations)
    for file, parsed in each_statement(files):
        for role in _named(parsed):
            found.setdefault(role, f"{file.file_name}, line {parsed.statement.line}")
    return {role: place for role, place in found.items() if not any(_makes(m.sql, role) for m in files)}


def _named(parsed: Parsed) -> Iterator[str]:
    """The roles that have to be there when a statement runs."""
    if parsed.name == "drop_role_stmt" and parsed.node.missing_ok:
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
    about = (parsed for _, parsed in each_statement([Migration("", "roles", sql)]) if _about(parsed, roles))
    texts = [text for parsed in about if (text := _without_password(parsed))]
    for role in roles:
        if not any(_makes(text, role) for text in texts):
            yield f"create role {quoted(role)}"
    yield from texts


def _about(parsed: Parsed, roles: list[str]) -> bool:
    return not set(_specified(parsed.node)).isdisjoint(roles) or any(
        _makes(parsed.statement.text, role) for role in roles
    )


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
