"""PostgreSQL's own programs: running them, and what an archive of theirs lists."""

from __future__ import annotations

import re
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, NoReturn

from sbsync_tasks import process
from sbsync_tasks.errors import SbsyncError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from sbsync_tasks.endpoint import Endpoint

SETTINGS = {"LC_ALL": "C", "PGAPPNAME": "sbsync backup"}
# pg_dump waits this long for a table that somebody holds locked, then fails.
LOCK_WAIT = "30s"
# Of more than one word; an entry's kind is not set apart from what follows it.
KINDS = (
    "ACCESS METHOD", "BLOB METADATA", "CHECK CONSTRAINT", "DATABASE PROPERTIES", "DEFAULT ACL", "EVENT TRIGGER",
    "FK CONSTRAINT", "FOREIGN DATA WRAPPER", "FOREIGN TABLE", "INDEX ATTACH", "MATERIALIZED VIEW DATA",
    "MATERIALIZED VIEW", "OPERATOR CLASS", "OPERATOR FAMILY", "PROCEDURAL LANGUAGE", "PUBLICATION TABLES IN SCHEMA",
    "PUBLICATION TABLE", "ROW SECURITY", "SECURITY LABEL", "SEQUENCE OWNED BY", "SEQUENCE SET", "SHELL TYPE",
    "STATISTICS DATA", "SUBSCRIPTION TABLE", "TABLE ATTACH", "TABLE DATA", "TEXT SEARCH CONFIGURATION",
    "TEXT SEARCH DICTIONARY", "TEXT SEARCH PARSER", "TEXT SEARCH TEMPLATE", "USER MAPPING",
)  # fmt: skip
ENTRY = re.compile(rf"\d+; \d+ \d+ ((?:{'|'.join(KINDS)})|[A-Z]+) (.*)")
NO_SCHEMA = "-"
ROLE = re.compile(r"^CREATE ROLE (.+);$", re.MULTILINE)
# Since November 2026 (15.20) the server numbers each column among the column's options. An older pg_dump takes the
# number for the user's, and an older server refuses it.
COLUMN_OPTIONS = re.compile(
    rb"""^(ALTER (?:FOREIGN )?TABLE ONLY (?:[^;"]|"[^"]*")+ SET \()([^()]*\bpg_attver=[^()]*)(\);\n)""", re.MULTILINE
)
ROWS, FOREIGN_KEY = "TABLE DATA", "FK CONSTRAINT"
# How the list names a constraint that is commented on.
ON_CONSTRAINT = re.compile("^CONSTRAINT (.+) ON (.+)$")


def sql(name: str) -> bytes:
    """A statement of this package."""
    return files(__package__).joinpath("sql", f"{name}.sql").read_bytes()


def run(argv: Sequence[str]) -> str:
    """Run a program that needs no database and return what it prints.

    Raises:
        SbsyncError: it failed.
    """
    done = process.run(argv, env=SETTINGS)
    if not done.ok:
        _failed(argv[0], done.code, done.errors)
    return done.stdout


def run_on(endpoint: Endpoint, *commands: Sequence[str]) -> None:
    """Run several programs on a database at the same time; whatever happens, none of them is left running.

    Raises:
        SbsyncError: one of them failed.
    """
    with ExitStack() as stack:
        target = ("--no-password", f"--dbname={endpoint.url}")
        settings = SETTINGS | {"PGPASSWORD": endpoint.password}
        running = [stack.enter_context(process.started([*argv, *target], env=settings)) for argv in commands]
        for argv, child in zip(commands, running, strict=True):
            _, errors = child.communicate()
            if child.returncode:
                _failed(argv[0], child.returncode, errors)


def _failed(name: str, status: int, errors: bytes) -> NoReturn:
    lines = errors.decode(errors="replace").splitlines()
    ended = f"{name} ended with status {status} and gave no reason."
    told = [line for line in lines if "error:" in line] or lines or [ended]
    shown = " ".join(told[:2])
    raise SbsyncError(f"The backup failed: {shown}", hint_for(shown))


def hint_for(text: str) -> str:
    """The way on from what PostgreSQL or one of its programs said."""
    if "No space left" in text:
        return "Free space on the disk, or set SBSYNC_BACKUP_DIR to another place."
    if "permission denied" in text or "row-level security" in text:
        return "Connect as its owner, or grant the role SELECT on it (and BYPASSRLS)."
    # pg_dump puts its --lock-wait-timeout into the statement timeout.
    if "statement timeout" in text or "lock timeout" in text:
        return f"Somebody holds a table locked for more than {LOCK_WAIT}; run the command again."
    return "Nothing was changed in the database; run the command again."


def without_column_versions(script: bytes) -> bytes:
    """A script of pg_restore's without the numbers that a newer server gives to columns."""

    def kept(found: re.Match[bytes]) -> bytes:
        options = [option for option in found[2].split(b", ") if not option.startswith(b"pg_attver=")]
        return found[1] + b", ".join(options) + found[3] if options else b""

    return COLUMN_OPTIONS.sub(kept, script)


@dataclass(frozen=True)
class Entry:
    """One entry of an archive: its line, as pg_restore lists it and takes it back, and what stands in it.

    The kind is such as `TABLE DATA`; what has no schema or owner has an empty one.
    """

    line: str
    kind: str
    schema: str
    name: str
    owner: str


def entries(listed: str, roles: Collection[str], schemas: Collection[str] = ()) -> tuple[Entry, ...]:
    """Take the list of an archive apart.

    Args:
        listed: What `pg_restore --list` prints.
        roles: The roles that may own something, since names may hold spaces.
        schemas: Those that the list does not name itself, likewise.
    """
    found = [(line, match[1], match[2]) for line in listed.splitlines() if (match := ENTRY.fullmatch(line))]
    made = {_owned(rest, roles)[0].removeprefix(f"{NO_SCHEMA} ") for _, kind, rest in found if kind == "SCHEMA"}
    return tuple(_entry(*one, roles, {*schemas, *made}) for one in found)


def _entry(line: str, kind: str, rest: str, roles: Collection[str], schemas: Collection[str]) -> Entry:
    told, owner = _owned(rest, roles)
    schema = max((s for s in schemas if told.startswith(f"{s} ")), key=len, default=told.partition(" ")[0])
    name = told[len(schema) + 1 :]
    return Entry(line, kind, "" if schema == NO_SCHEMA else schema, name, owner)


def _owned(rest: str, roles: Collection[str]) -> tuple[str, str]:
    """What stands before an entry's owner, and the owner."""
    if rest.endswith(" "):
        return rest[:-1], ""
    owner = max((r for r in roles if rest.endswith(f" {r}")), key=len, default=rest.rpartition(" ")[2])
    return rest[: -len(owner) - 1], owner


def one_line(name: str) -> str:
    """A name as pg_restore lists it: on one line."""
    return name.replace("\n", " ").replace("\r", " ")


def without_foreign_keys(every: Collection[Entry]) -> tuple[Entry, ...]:
    """All entries but the foreign keys and what is said about them."""
    keys = {(e.schema, e.name.replace('"', "")) for e in every if e.kind == FOREIGN_KEY}
    return tuple(e for e in every if (e.schema, ON_CONSTRAINT.sub(r"\2 \1", e.name).replace('"', "")) not in keys)


def roles_in(script: str) -> Mapping[str, tuple[str, ...]]:
    """The roles that pg_dumpall's script makes, each with its statements.

    What is switched off by default is left out of them: only a superuser may name it.
    """
    lines = [line for line in script.splitlines() if line.startswith(("CREATE ROLE", "ALTER ROLE", "GRANT"))]
    return {_unquoted(name): tuple(_about(name, lines)) for name in ROLE.findall(script)}


def _about(name: str, lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        if line.startswith((f"CREATE ROLE {name};", f"ALTER ROLE {name} ")):
            yield re.sub(r" NO(SUPERUSER|REPLICATION|BYPASSRLS|CREATEROLE|CREATEDB)\b", "", line)
        elif line.startswith("GRANT ") and re.search(rf" TO {re.escape(name)}( WITH .*)?( GRANTED BY .*)?;$", line):
            yield re.sub(r" GRANTED BY .*;$", ";", line)


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name
