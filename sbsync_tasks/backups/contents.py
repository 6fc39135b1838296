"""What an archive of pg_dump lists, entry by entry, and which of it a restore takes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

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
ROWS, FOREIGN_KEY = "TABLE DATA", "FK CONSTRAINT"
# How the list names what is commented on or granted.
SCHEMA, ON_CONSTRAINT = "SCHEMA ", re.compile("^CONSTRAINT (.+) ON (.+)$")
# What a user makes on the tables of others.
ON_TABLES = ("POLICY", "TRIGGER")


@dataclass(frozen=True)
class Entry:
    """One entry of an archive.

    Attributes:
        line: As pg_restore lists it, and takes it back.
        kind: Such as `TABLE DATA`.
        schema: The object's schema; empty for what has none.
        name: The object's name, as the list has it.
        owner: Whose it is; empty where nobody is named.
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


@dataclass(frozen=True)
class Ours:
    """What of a database a restore has cleared, and may make anew.

    Attributes:
        roles: The roles whose objects we may make.
        kept: The schemas that are as they were.
        tidied: Those of them from which all was taken that is not the platform's.
        there: The policies and triggers in the kept schemas, each as its schema and `table name`.
        service: Tells the roles of the platform's services.
    """

    roles: Collection[str]
    kept: Collection[str]
    tidied: Collection[str]
    there: Collection[tuple[str, str]]
    service: re.Pattern[str]

    def takes(self, entry: Entry) -> bool:
        """Whether an entry of the schema's archive is restored."""
        schema = entry.schema or (entry.name.removeprefix(SCHEMA) if entry.name.startswith(SCHEMA) else "")
        if entry.kind == "EXTENSION":
            return True  # it is made only where it is not there yet
        if entry.kind == "SCHEMA":
            return entry.name not in self.kept and entry.owner in self.roles
        if schema in self.kept and entry.kind in ON_TABLES:
            return (schema, entry.name) not in self.there
        if schema in self.kept and schema not in self.tidied:
            return False
        if entry.kind != "DEFAULT ACL" and (not schema or schema in self.kept) and self.service.search(entry.owner):
            return False  # what the platform brings outside the user's schemas: the server has its own
        return entry.owner in self.roles
