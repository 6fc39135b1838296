"""Rebuilding the local database from the migrations, or bringing it up without losing its data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..console import counted
from ..databases.catalog import Difference, subjects, told
from ..databases.catalog.facts import identity
from ..databases.database import Database, clusters_of, push, read_back
from ..databases.failures import FileFailedError, explained
from ..databases.shadows import NextLocal
from ..errors import RefusedError, SbsyncError
from ..plan import BringUp, Rebuild
from ..platform import MANAGED_SCHEMAS, SERVICE_ROLES, is_managed
from ..state import State
from ..state.histories import History, as_migrations
from ..state.migrations import Migration
from ..supabase_cli import CliError
from . import backup
from .look import answers, listed
from .push import each_statement, mark_applied
from .session import Done, Run

if TYPE_CHECKING:
    import psycopg

RIGHTS = ("acl", "default acl")
KEPT = ("default acl", "foreign data wrapper", "foreign server")
KEPT_IN_PUBLIC = (
    "collation", "conversion", "operator", "operator class", "operator family", "sequence", "text search configuration",
    "text search dictionary",
)  # fmt: skip
KEPT_EXTENSIONS = (
    "pg_graphql", "pg_net", "pg_stat_statements", "pgcrypto", "pgjwt", "pgsodium", "supabase_vault", "uuid-ossp",
)  # fmt: skip
CALLED = re.compile(r"EXECUTE FUNCTION (\w+)\.")
CONDITION = re.compile(r"\b(if|case|exception)\b", re.IGNORECASE)
MAKES_ROLE = re.compile(r"\bcreate\s+(?:role|user)\s+\"?(\w+)", re.IGNORECASE)
PATIENCE = "5s"  # for the locks of a try
# Rows that it leaves; a migration may make one under a number of its own.
LARGE_OBJECTS = "select lo_unlink(oid) from pg_largeobject_metadata where lomowner::regrole::text !~ %s"


def refuse_what_stays(run: Run, state: State) -> None:
    """Refuse a rebuild of a local database by URL that could not end in what the migrations say.

    It has something that stays, and that no migration makes, or that one makes again and that cannot be dropped; or a
    schema that must not be dropped.
    """
    if run.local.kind != "url":
        return
    _refuse_schemas(run, state.files)
    major = run.local_identity.major
    base = _as_built(run, state.local_history, state.files)
    had = {} if base is None else run.catalog(run.shadow(base, major), ())
    # What cannot be dropped, the later files take back again.
    undone = base is not None and set(base) <= set(state.files)
    found = run.differences(run.shadow(state.files, major), run.local, ())
    ours = {d for d in found if had.get(d.object) == d.right and (undone or d.object.kind not in RIGHTS)}
    kept = told(d for d in found if stays(d) and d not in ours)
    kept += [f"{what}: this server has it, and {file} makes it" for what, file in _made_anyway(run, state.files)]
    kept += _not_to_be_dropped(run, state.files)
    if kept:
        raise RefusedError(
            f"The CLI's reset of a database by its URL would leave this in {run.local.label}, which no migration "
            "makes, or which one would make again:\n" + listed(kept) + "\nNothing was changed.",
            "Drop it there yourself, or name a new database in SBSYNC_LOCAL; `invoke local-to-remote --no-reset` keeps "
            "the local one as it is. Roles belong to the server, so let a migration make one only where it is missing.",
        )


def clear(run: Run, migrations: Sequence[Migration]) -> None:
    """Drop what the CLI's reset would leave of these migrations, and large objects, in one transaction."""
    statements = _to_be_dropped(run, migrations)
    with run.local.connection() as connection, connection.transaction():
        for statement in statements:
            connection.execute(statement.encode())
        connection.execute(LARGE_OBJECTS, (SERVICE_ROLES,))


def _refuse_schemas(run: Run, files: Sequence[Migration]) -> None:
    found = _dropped(run)
    wrong = [f"schema {name}: it belongs to the role {owner}, and who resets is no member of that role"
             for name, owner, may in found if not may]  # fmt: skip
    brought = {name for name, _, may in found if may and is_managed(name)}
    made = {_file_of(f"schema {name}", files) and name for name in brought}
    wrong += [f"schema {name}: it would be dropped, and no migration makes it" for name in sorted(brought - made)]
    if wrong:
        raise RefusedError(
            f"The CLI's reset of a database by its URL drops every schema of {run.local.label} that is not "
            "supabase_admin's:\n" + listed(wrong) + "\nNothing was changed.",
            "Let supabase_admin own the platform's schemas there (ALTER SCHEMA … OWNER TO), grant the role of your own "
            "ones to who resets, or name a new database in SBSYNC_LOCAL; `invoke local-to-remote --no-reset` keeps "
            "the local one as it is.",
        )


def _to_be_dropped(run: Run, migrations: Sequence[Migration]) -> dict[str, str]:
    """What stays of what the migrations make, or have made: the statements, and what each drops."""
    major = run.local_identity.major
    base = _as_built(run, run.local.history(), migrations)
    dropped = [name for name, *_ in _dropped(run)]
    there = _remaining(run.local, dropped)
    shadows = (run.shadow(files, major) for files in (migrations, base) if files is not None) if there else ()
    made = {statement for shadow in shadows for statement in _remaining(shadow, dropped)}
    brought = _remaining(run.shadow((), major), dropped) if made else {}
    return {statement: name for statement, name in there.items() if statement in made and statement not in brought}


def _as_built(run: Run, history: History, files: Sequence[Migration]) -> tuple[Migration, ...] | None:
    """The migrations of the local history, where a fresh database takes them; a reset is the cure where it does not."""
    try:
        base = as_migrations(history, files)
        run.shadow(base, run.local_identity.major)
    except SbsyncError:
        return None
    return base


def _dropped(run: Run) -> list[tuple[Any, ...]]:
    with run.local.connection() as connection:
        return answers(connection, "dropped")[0]


def _remaining(database: Database, dropped: Sequence[str]) -> dict[str, str]:
    parameters = {"dropped": list(dropped), "managed": MANAGED_SCHEMAS, "service_roles": SERVICE_ROLES}
    with database.connection() as connection:
        return dict(answers(connection, "remaining", **parameters)[0])


def _not_to_be_dropped(run: Run, files: Sequence[Migration]) -> list[str]:
    """What of that the server does not let go; tried, and rolled back."""
    statements = _to_be_dropped(run, files)
    with run.local.connection() as connection, connection.transaction(force_rollback=True):
        connection.execute("select set_config('lock_timeout', %s, true)", (PATIENCE,))
        refused = {name: _refusal(connection, statement) for statement, name in statements.items()}
    makers = {name: _file_of(name, files) or "a migration" for name, said in refused.items() if said}
    return [
        f"{name}: {file} makes it again, and it cannot be dropped ({refused[name]})" for name, file in makers.items()
    ]


def _refusal(connection: psycopg.Connection[Any], statement: str) -> str:
    import psycopg

    try:
        with connection.transaction():
            connection.execute(statement.encode())
    except psycopg.Error as error:
        return error.diag.message_primary or type(error).__name__
    return ""


def _file_of(name: str, files: Iterable[Migration]) -> str:
    """The first file that makes an object; empty where none says so in plain statements."""
    wanted = identity(name)
    made = ((file, p) for file, p in each_statement(files) if p.name.startswith("create"))
    return next((file.file_name for file, p in made if any(s.object == wanted for s in subjects(p))), "")


def stays(this: Difference) -> bool:
    """Whether the local database (the second one) has this beyond the shadow, and would still have it."""
    kind, schema, about = this.object.kind, this.object.schema, this.object.about
    if this.right is None or (this.left is not None and kind not in RIGHTS):
        return False
    to_be_revoked = kind == "acl" and this.object.whose  # only what a migration claims is a difference there
    if to_be_revoked or not _words(this.right) - _words(this.left or ""):
        return False
    if kind == "trigger":
        called = CALLED.search(this.right)
        return bool(called and is_managed(called[1]))
    if is_managed(schema):
        return kind != "policy"
    if schema == "public":
        # A sequence that is about a table goes with it.
        return (kind in KEPT_IN_PUBLIC and not about) or (about == "schema public" and kind != "owner")
    return kind in KEPT


def _words(definition: str) -> set[str]:
    return set(re.split(r"\n|, ", definition)) - {""}


def _made_anyway(run: Run, files: Iterable[Migration]) -> Iterator[tuple[str, str]]:
    """Roles, and extensions that stay, that a file makes in every case, and that are there."""
    parsed = [(file.file_name, p) for file, p in each_statement(files)]
    made = {f"role {p.node.role}": file for file, p in parsed if p.name == "create_role_stmt"}
    blocks = [(file, p.statement.text) for file, p in parsed if p.name == "do_stmt"]
    made |= {f"role {n}": file for file, text in blocks if not CONDITION.search(text) for n in MAKES_ROLE.findall(text)}
    made |= {
        f"extension {p.node.extname}": file for file, p in parsed
        if p.name == "create_extension_stmt" and not p.node.if_not_exists and p.node.extname in KEPT_EXTENSIONS
    }  # fmt: skip
    if made:
        with run.local.connection() as connection:
            there = connection.execute(
                "select 'role ' || rolname from pg_roles union all select 'extension ' || extname from pg_extension"
            ).fetchall()
        yield from ((what, made[what]) for (what,) in there if what in made)


def refuse_unseen_loss(run: Run, state: State) -> None:
    """With `SBSYNC_SCHEMAS`, refuse a rebuild that would drop what no comparison looked at."""
    if not run.settings.schemas or run.options.discard_local:
        return
    base = as_migrations(state.local_history, state.folder.migrations)
    shadow = run.shadow(base, run.local_identity.major, run.local)
    seen = set(run.differences(shadow, run.local))
    unseen = [d for d in run.differences(shadow, run.local, ()) if d not in seen]
    if unseen:
        raise RefusedError(
            f"A rebuild of {run.local.name} would drop what stands outside SBSYNC_SCHEMAS "
            f"({', '.join(run.settings.schemas)}):\n" + listed(told(unseen)),
            "--no-reset keeps the local database as it is; or widen SBSYNC_SCHEMAS, so that it is looked at.",
        )


def rebuild(run: Run, _state: State, action: Rebuild, done: Done) -> None:
    """Back the local database up, build it again from all migrations, and run the seeds."""
    migrations = action.migrations
    prepare(run, migrations, action.major)
    done.backups = (*done.backups, backup.whole_local(run))
    if run.local.kind == "embedded":
        seeds = _swap_embedded(run)
    elif run.local.kind == "stack":
        with explained(migrations, run.local.label, fresh=True):
            seeds = run.stack.reset(migrations)
    else:
        clear(run, migrations)
        with explained(migrations, run.local.label, fresh=True):
            seeds = run.cli.reset(run.local.endpoint, migrations)
    run.forget_local()
    read_back(run.local.endpoint, run.local.label, migrations)
    if action.seeds:
        ran = f"{counted(len(seeds), 'seed file')} run: {', '.join(seeds)}" if seeds else "no seed file was run"
        run.console.say(ran, "note")
    done.seeds = seeds


def prepare(run: Run, migrations: Sequence[Migration], major: int | None = None) -> None:
    """Begin to build the database that a rebuild would put in the local one's place; embedded ones only.

    It is a copy of the shadow of these migrations, thrown away unless the rebuild is approved: what the run still
    looks at, and the user reads, meanwhile takes as long as the seeds do.
    """
    wanted = tuple(sorted(migrations))
    if run.local.kind != "embedded" or not run.options.reset or run.options.dry_run:
        return
    if run.next_local and run.next_local.migrations == wanted:
        return
    if run.next_local:
        run.next_local.close()
    major = major or run.local_identity.major
    clusters = clusters_of(run.settings, major)
    run.next_local = NextLocal(clusters, run.cli, run.shadow(wanted, major).cluster, wanted)


def _swap_embedded(run: Run) -> tuple[str, ...]:
    """Only what is complete takes the local database's place."""
    local = run.local
    assert run.next_local is not None  # noqa: S101 - made for every embedded database that is rebuilt
    try:
        return run.next_local.replace(local.cluster)
    except CliError as error:
        what = "The seeds do not fit the migrations" if isinstance(error, FileFailedError) else "The seeds were not run"
        hint = error.hint or "See what the migrations set for the whole database or for a role: it holds afterwards."
        raise CliError(f"{what}: {error.message}", f"{local.name} is as it was. {hint}") from None


def bring_up(run: Run, state: State, action: BringUp, done: Done) -> None:
    """Without a reset: record what the local database has, apply what it has not (after a backup)."""
    if action.apply:
        done.backups = (*done.backups, backup.whole_local(run))
    if action.record:
        mark_applied(run, run.local, action.record)
    if action.apply:
        push(run.cli, run.local.endpoint, run.local.label, state.files, action.apply, include_all=True)


def refuse_other_than_files(run: Run, done: Done) -> None:
    """Compare the rebuilt database with the migrations: only what the seeds have made may differ."""
    run.made_by_seeds(done.state.files)
    left = run.differences(run.shadow(done.state.files, run.local_identity.major, run.local), run.local)
    if left:
        raise SbsyncError(f"{run.local.label} is not what the migrations say:\n" + listed(told(left)))
