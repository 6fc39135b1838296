"""The proof at the end of a run: everything read again, what was compared, what differs, what was not compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..checks.finding import mask
from ..console import counted
from ..databases import catalog
from ..databases.catalog import NOT_COMPARED, Catalog, CatalogObject, Difference, told
from ..databases.database import Database
from ..generate import changes_alone
from ..plan import Prove, Record
from ..plan.goals import refuse
from ..process import in_parallel
from ..state import State, histories
from ..state.histories import History, as_migrations
from ..state.migrations import Migration
from ..supabase_cli import EngineRefusedError
from . import reset
from .files import problems
from .look import EXPOSED, look, look_at_histories
from .push import mark_applied, refuse_other_histories
from .session import Done, Run

LISTED = 20
ENGINE = "both schemas by the Supabase CLI's own diff engine"
FINGERPRINT = (
    "both schemas by a fingerprint of the catalogs (owners, privileges, RLS, policies, triggers, options, functions)"
)
HISTORIES = "both migration histories, statements included"
VECTOR = "indexes of the access methods hnsw and ivfflat: vector is a stand-in"
# For a terminal; the long lists stand in the JSON document.
NOT_COMPARED_IN_SHORT = (
    "rows, seeds, storage buckets and files, auth users, roles but for what they own and may do, server settings"
)


@dataclass(frozen=True, kw_only=True)
class Compared:
    """How two databases differ.

    Attributes:
        sql: What the CLI's engine would change to make them equal; empty where it calls them equal.
        differences: How the catalogs differ.
        line_ends: What differs in `CR LF` against `LF` alone. It never counts; but the CLI's engine cannot leave it
            out either, so what that says does not count then.
        platform: What differs in the platform's own objects; it never counts.
        exposed: Rights that expose data, each with the name of the database that has it.
        stand_ins: Extensions that are stand-ins, likewise.
        refused: Why the CLI's engine wrote nothing, where that is so: then the catalogs alone count.
    """

    sql: str
    differences: tuple[Difference, ...]
    line_ends: tuple[CatalogObject, ...] = ()
    platform: tuple[Difference, ...] = ()
    exposed: tuple[tuple[str, str], ...] = ()
    stand_ins: tuple[tuple[str, str], ...] = ()
    refused: str = ""


@dataclass(frozen=True, kw_only=True)
class Proof(Compared):
    """What a comparison of two databases and their histories has shown.

    Attributes:
        databases: What the two sides are called.
        histories: Versions that are not recorded alike.
        pending: Files that the remote has not had, set apart by name.
        unrecorded: Files whose effect the remote has, and which its history does not know.
        known_drift: Differences that were there before and were ignored as asked. The CLI's engine cannot leave them
            out, so what it says of a drifting remote does not count.
        schemas: The only schemas that were looked at (`SBSYNC_SCHEMAS`); empty for all of the user's.
        bare: Versions that a history holds without their statements.
    """

    databases: tuple[str, str]
    histories: tuple[str, ...]
    pending: tuple[str, ...] = ()
    unrecorded: tuple[str, ...] = ()
    known_drift: tuple[Difference, ...] = ()
    schemas: tuple[str, ...] = ()
    bare: tuple[str, ...] = ()

    @property
    def _without_engine(self) -> str:
        """Why the CLI's engine does not count; empty where it does."""
        if self.known_drift:
            return "it drifts"
        return "line ends differ, which it cannot leave out" if self.line_ends else self.refused

    @property
    def compared(self) -> tuple[str, ...]:
        """What was compared, one statement each."""
        where = (f"of the schemas {', '.join(self.schemas)} alone (SBSYNC_SCHEMAS)",) if self.schemas else ()
        engine = () if self._without_engine else (ENGINE,)
        return (*where, *engine, FINGERPRINT, HISTORIES)

    @property
    def not_compared(self) -> tuple[str, ...]:
        """What was not, one statement each."""
        schemas = (
            ("every schema that SBSYNC_SCHEMAS does not name, and what stands in no schema",) if self.schemas else ()
        )
        why = self._without_engine
        engine = (f"the remote by the CLI's own diff engine: {why}",) if why else ()
        bare = (f"statements of {', '.join(self.bare)}: recorded without them",) if self.bare else ()
        vector = (VECTOR,) if any(extension == "vector" for _, extension in self.stand_ins) else ()
        return (*schemas, *engine, *bare, *vector, *NOT_COMPARED)

    @property
    def compared_in_short(self) -> str:
        """What was compared, for a terminal."""
        where = f"schemas {', '.join(self.schemas)} alone" if self.schemas else "schemas"
        how = (
            "by catalog fingerprint" if self._without_engine else "by the CLI's diff engine and by catalog fingerprint"
        )
        bare = f"; without statements: {', '.join(self.bare)}" if self.bare else ""
        return f"{where} ({how}) and migration histories{bare}"

    @property
    def holds(self) -> bool:
        """Whether nothing differs but what is set apart by name."""
        return not (self.sql or self.differences or self.histories)

    @property
    def in_sync(self) -> bool:
        """Whether nothing differs and nothing is set apart."""
        return self.holds and not (self.pending or self.unrecorded or self.known_drift)

    @property
    def verdict(self) -> str:
        """The outcome in a few words."""
        if not self.holds:
            return "different"
        apart = [
            f"{len(found)} {word}"
            for found, word in (
                (self.pending, "pending"), (self.unrecorded, "not recorded on the remote"),
                (self.known_drift, "known to drift"), (self.line_ends, "different in line ends alone"),
            )
            if found
        ]  # fmt: skip
        return "equal as far as compared" + (f", apart from {', '.join(apart)}" if apart else "")

    def lines(self) -> list[str]:
        """What differs, one line each."""
        unlike = (f"history: {version} is not everywhere the same; see `invoke status`" for version in self.histories)
        found = [*told(self.differences), *unlike]
        if self.sql and not self.differences:
            found.append("the CLI's diff engine finds differences that the catalogs do not show")
        return found

    def document(self) -> dict[str, Any]:
        """The proof as JSON data."""
        return {
            "verdict": self.verdict,
            "in_sync": self.in_sync,
            "databases": list(self.databases),
            "differences": [_as_data(d) for d in self.differences],
            "diff": self.sql,
            "histories_differ": list(self.histories),
            "pending": list(self.pending),
            "unrecorded_on_remote": list(self.unrecorded),
            "known_drift": [_as_data(d) for d in self.known_drift],
            "platform": [_as_data(d) for d in self.platform],
            "exposed": [{"database": database, "right": right} for database, right in self.exposed],
            "stand_ins": [{"database": database, "extension": extension} for database, extension in self.stand_ins],
            "line_ends": [str(it) for it in self.line_ends],
            "compared": list(self.compared),
            "not_compared": list(self.not_compared),
        }


def _as_data(difference: Difference) -> dict[str, Any]:
    both = zip(difference.names, (difference.left, difference.right), strict=True)
    definitions = {name: definition if definition is None else mask(definition) for name, definition in both}
    return {"kind": difference.object.kind, "name": difference.object.name, "definitions": definitions}


def except_for(known: Sequence[Difference], differences: Sequence[Difference]) -> tuple[Difference, ...]:
    """The differences that are not among those known before."""
    return tuple(d for d in differences if d not in known)


# --- making it ---


# Not compared: roles belong to a server, whoever makes one becomes a member of it, and no migration can undo that. One
# that owns something, or has a right, is a difference of that object.
OF_ROLES = ("grant_role_stmt", "create_role_stmt", "alter_role_stmt", "alter_role_set_stmt", "drop_role_stmt")


def engine_and_catalogs(run: Run, left: Database, right: Database, one: Catalog, other: Catalog) -> Compared:
    """Compare two databases, by the CLI's engine and by their catalogs.

    What the engine says does not count where line ends alone differ: its own SQL (LF alone) does not end that.
    """
    sql, refused = _engine(run, left, right)
    names, claims = (left.name, right.name), run.claims_of(left)
    named = tuple(zip(names, (one, other), strict=True))
    differences = catalog.compare(one, other, claims, names)
    line_ends = catalog.in_line_ends_alone(one, other, claims)
    return Compared(
        sql="" if line_ends and not differences else catalog.without_platform(sql, one, other, claims, OF_ROLES),
        differences=differences, line_ends=line_ends, platform=catalog.platform(one, other, claims, names),
        exposed=tuple((name, right) for name, found in named for right in catalog.exposed(found)),
        stand_ins=tuple((name, extension) for name, found in named for extension in catalog.stand_ins(found)),
        refused=refused,
    )  # fmt: skip


def _engine(run: Run, left: Database, right: Database) -> tuple[str, str]:
    """The engine's script, and why there is none where it refuses to write one."""
    try:
        return changes_alone(run.cli.diff(left.endpoint, right.endpoint, run.settings.schemas)), ""
    except EngineRefusedError as error:
        return "", error.message


def prove(run: Run, state: State, action: Prove, done: Done) -> None:
    """Read everything again, and compare."""
    match action.side:
        case "local":
            reset.refuse_other_than_files(run, done)
        case "remote":
            done.proof = remote_against_files(run, state, look(run, ["remote"]))
        case _:
            done.proof = both(run, state, look(run))


def both(run: Run, state: State, now: State) -> Proof:
    """Compare both databases as they are now; the state that was planned on only says what is known to be apart."""
    unrecorded = {m.version for m in state.to_record}
    seeded = run.made_by_seeds(now.folder.migrations)
    if state.drift or seeded or any(m.version not in unrecorded for m in now.pending):
        found = _each_against_its_own(run, now, state)
    else:
        catalogs = (now.sides[side].catalog for side in ("remote", "local"))
        found = engine_and_catalogs(run, run.remote, run.local, *catalogs)
    return Proof(
        **vars(found), databases=(run.remote.name, run.local.name),
        histories=_histories_differ(now),
        pending=tuple(m.file_name for m in now.pending if m.version not in unrecorded),
        unrecorded=tuple(m.file_name for m in now.pending if m.version in unrecorded),
        known_drift=state.drift, schemas=run.settings.schemas,
        bare=_bare(now.local_history, now.remote_history),
    )  # fmt: skip


def _bare(*found: History) -> tuple[str, ...]:
    """The versions that were recorded without their statements: they are taken at their word."""
    return tuple(sorted({r.version for history in found for r in history.values() if r.statements is None}))


def histories_again(run: Run, state: State, proof: Proof) -> Proof:
    """After versions were recorded on the remote: the proof with the part that this has changed."""
    now = look_at_histories(run)
    ours = {m.version: m for m in state.files}  # what a hook has made of them since is told at the commit
    folder = replace(now.folder, migrations=tuple(ours.get(m.version, m) for m in now.folder.migrations))
    now, remote = State.of(folder, now.sides), now.remote_history
    recorded = {m.file_name for m in state.files if m.version in remote}
    return replace(
        proof, histories=_histories_differ(now),
        unrecorded=tuple(name for name in proof.unrecorded if name not in recorded),
    )  # fmt: skip


def remote_against_files(run: Run, state: State, now: State, pending: tuple[Migration, ...] = ()) -> Proof:
    """The remote against a shadow of the files; the local database is not looked at.

    Files that are `pending` it rightly lacks: they are set apart by name. After a push there are none.
    """
    history = now.remote_history
    files = {m.version: m for m in state.files if m not in pending}
    shadow = run.shadow(tuple(files.values()), run.remote_identity.major)
    found = _against(run, shadow, now, "remote")
    rest, sql = except_for(state.drift, found.differences), "" if state.drift else found.sql
    unlike = {v for v, m in files.items() if not _matches(history, v, m)} | (set(history) - set(files))
    return Proof(
        **vars(replace(found, sql=sql, differences=rest)), databases=(run.remote.name, "the migration files"),
        histories=tuple(sorted(unlike)), pending=tuple(m.file_name for m in pending), known_drift=state.drift,
        schemas=run.settings.schemas, bare=_bare(history),
    )  # fmt: skip


def _each_against_its_own(run: Run, now: State, state: State) -> Compared:
    """With files pending the databases differ rightly: each is compared with what it is meant to hold.

    That is, the local database with all files, and the remote with its history and the files whose effect it has.
    """
    had = {*now.remote_history, *(m.version for m in state.to_record)}
    remote_files = [m for m in now.folder.migrations if m.version in had and m.version not in now.remote_history]
    remote_base = (*as_migrations(now.remote_history, now.folder.migrations), *remote_files)
    local_shadow = run.shadow(now.folder.migrations, run.local_identity.major, run.local)
    remote_shadow = run.shadow(remote_base, run.remote_identity.major)
    local, remote = in_parallel(
        lambda: _against(run, local_shadow, now, "local"),
        lambda: _against(run, remote_shadow, now, "remote"),
    )
    rest = except_for(state.drift, remote.differences)
    sql = "\n\n".join(s for s in (local.sql, remote.sql if rest or not state.drift else "") if s)
    return Compared(
        sql=sql, differences=(*local.differences, *rest), line_ends=(*local.line_ends, *remote.line_ends),
        platform=(*local.platform, *remote.platform), exposed=(*local.exposed, *remote.exposed),
        stand_ins=(*local.stand_ins, *remote.stand_ins), refused=local.refused or remote.refused,
    )  # fmt: skip


def _against(run: Run, shadow: Database, now: State, side: str) -> Compared:
    return engine_and_catalogs(run, shadow, run.database(side), run.catalog(shadow), now.sides[side].catalog)


def _histories_differ(now: State) -> tuple[str, ...]:
    """Versions that the files and both histories do not hold alike, but for those that are pending."""
    files = {m.version: m for m in now.files}
    versions = sorted({*now.local_history, *now.remote_history, *files} - {m.version for m in now.pending})
    different = set(histories.unlike(now.local_history, now.remote_history, versions))
    different |= {v for v in versions if v not in files}
    different |= {v for v, m in files.items() if not _matches(now.local_history, v, m)}
    return tuple(sorted(different))


def _matches(history: History, version: str, migration: Migration) -> bool:
    return version in history and history[version].matches(migration)


def look_and_prove(run: Run, *, remote: bool = False) -> Proof:
    """The proof of the two databases as they are; with `remote`, of the remote and the files alone.

    Refused where the CLI would skip a file: what the files say is not what a proof would be about.
    """
    state = look(run, ["remote"]) if remote else look(run)
    refuse(problems(run, state.folder))
    return remote_against_files(run, state, state, state.pending) if remote else both(run, state, state)


def record(run: Run, state: State, action: Record, done: Done) -> None:
    """Mark the migrations whose effect the remote has as applied there, unless another run has written there since."""
    refuse_other_histories(run, state)
    mark_applied(run, run.remote, action.migrations)
    done.recorded = tuple(m.version for m in action.migrations)
    if done.proof:
        done.proof = histories_again(run, state, done.proof)


# --- telling it ---


def tell(run: Run, made: Proof) -> None:
    """The proof in words."""
    console, both = run.console, f"{made.databases[1]} and {made.databases[0]}"
    if made.holds:
        console.say(f"{both} are {made.verdict}.", "ok")
    else:
        console.say(f"{both} are different:", "error")
        lines = made.lines()
        for line in lines[:LISTED]:
            console.say(f"    {line}")
        if len(lines) > LISTED:
            console.say(f"    … and {len(lines) - LISTED} more (--json has all)")
    for name in made.pending:
        console.say(f"pending on the remote: {name}", "note")
    for name in made.unrecorded:
        console.say(f"not recorded on the remote: {name}", "note")
    if made.unrecorded:
        console.say("the next run of either scenario records them there (without running them)", "note")
    _aside(run, made)
    console.say(f"compared: {made.compared_in_short}", "note")
    console.say(f"not compared: {NOT_COMPARED_IN_SHORT} (`invoke verify --json` has the whole list)", "note")


def _aside(run: Run, made: Proof) -> None:
    """What does not count, and what exposes data whether or not it differs."""
    console = run.console
    for line in told(made.known_drift):
        console.say(f"drift, ignored as asked: {line}", "warning")
    for it in made.line_ends[:LISTED]:
        console.say(f"the same but for its line ends (CR LF against LF): {it}", "note")
    if made.refused:
        console.say(f"without the CLI's diff engine: {made.refused}", "note")
    for database, right in made.exposed:
        console.say(f"{database}: {right}. {EXPOSED}", "warning")
    for database in made.databases:
        if names := [extension for where, extension in made.stand_ins if where == database]:
            console.say(f"stand-ins on {database}, not the real extensions: {', '.join(names)}", "note")
    if made.platform:
        count = counted(len({d.object.object for d in made.platform}), "object")
        more = "`invoke verify --json` names them"
        console.say(f"the platform's own: {count} differ, which stops nothing ({more})", "note")
