"""All that is in a database, to be compared with another: pg_dump's words, and a checksum of each table's rows."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import Path

import psycopg

from sbsync_tasks.endpoint import Endpoint
from tests.support.dumped import dump

# Tables, materialized views and sequences; a view that was never filled cannot be read.
RELATIONS = """
select c.oid::regclass::text, case c.relkind when 'S' then 'last_value, is_called' else '*' end
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'm', 'S') and c.relispopulated and n.nspname !~ '^(pg_|information_schema)'
"""
ROWS = """
select count(*), md5(string_agg(md5(t::text), '' order by t::text collate "C")) from (select {} from only {}) t
"""


def checksums(endpoint: Endpoint) -> dict[str, tuple[int, str]]:
    """How many rows each relation has itself, and what they are; a sequence has its value in its row."""
    with psycopg.connect(**endpoint.conninfo(), autocommit=True) as connection:
        connection.execute("set search_path = ''; set row_security = off")
        found = connection.execute(RELATIONS).fetchall()
        return {name: connection.execute(ROWS.format(what, name).encode()).fetchone() for name, what in found}


def schema(tools: Path, endpoint: Endpoint) -> str:
    """The dump of the schema, without the two lines that are never the same."""
    return re.sub(r"^\\(un)?restrict .*$", "", dump(tools, endpoint), flags=re.MULTILINE)


@dataclass(frozen=True)
class Contents:
    """All that is in a database at one moment."""

    schema: str
    rows: dict[str, tuple[int, str]]

    def unlike(self, other: Contents) -> list[str]:
        """How the other one differs: lines of the dump, and names of tables whose rows are others."""
        lines = difflib.unified_diff(self.schema.split("\n"), other.schema.split("\n"), n=0, lineterm="")
        names = sorted(self.rows.keys() | other.rows.keys())
        pairs = [(n, self.rows.get(n), other.rows.get(n)) for n in names]
        return [*lines, *(f"{name}: {here}, {there}" for name, here, there in pairs if here != there)]


def contents(tools: Path, endpoint: Endpoint) -> Contents:
    """What is there now."""
    return Contents(schema(tools, endpoint), checksums(endpoint))
