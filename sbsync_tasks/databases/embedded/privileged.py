"""What the platform lets `postgres` do beyond its attributes, on an embedded database.

There the extension supautils makes it possible: event triggers, publications of whole schemas, foreign data
wrappers and servers, extensions to another schema. Plain PostgreSQL asks for a superuser. So a file with such a
statement is pushed while `postgres` is one; what may never happen in auth, storage and realtime stays refused
(`60-limits.sql`). And where `vector` is a stand-in, its two index methods exist in name only: such an index is left
out. Files and histories keep every statement as it is written.
Source: supabase/supautils, README.md (privileged_role, privileged_extensions).
"""

from __future__ import annotations

import re
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any, Unpack

from sbsync_tasks.sqltext import Parsed, UnparsableSql, parse
from sbsync_tasks.supabase_cli import Pushed, PushOptions, SupabaseCli

from ...state import histories
from ...state.migrations import Migration
from . import as_admin, folder_of, superuser

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    import psycopg

    from sbsync_tasks.endpoint import Endpoint

KINDS = frozenset((
    "ALTER EVENT TRIGGER", "ALTER EXTENSION", "ALTER FOREIGN DATA", "ALTER SERVER", "ALTER USER MAPPING",
    "CREATE EVENT TRIGGER", "CREATE FOREIGN DATA", "CREATE FOREIGN TABLE", "CREATE SERVER", "CREATE USER MAPPING",
    "DROP EVENT TRIGGER", "DROP FOREIGN DATA", "DROP SERVER", "DROP USER MAPPING", "IMPORT",
))  # fmt: skip
OBJECTS = frozenset(("event trigger", "foreign data wrapper", "foreign server", "publication", "publication member"))
# What makes one of these a privileged statement: a phrase in it, or in the text that it runs.
IN_WORDS = frozenset((
    "ALTER PUBLICATION", "ALTER ROLE", "COMMENT", "CREATE PUBLICATION", "CREATE ROLE", "DO", "GRANT", "REVOKE",
))  # fmt: skip
PHRASES = re.compile(
    r"\bevent\s+trigger\b|\bfor\s+all\s+tables\b|\btables\s+in\s+schema\b|\bforeign\s+(data\s+wrapper|server)\b"
    r"|\bcreate\s+server\b|\b(alter|on)\s+extension\b|\buser\s+mapping\b"
    r"|\b(create|alter)\s+(role|user)\b[^;]*\b(bypassrls|replication)\b",
    re.IGNORECASE,
)
# Where webhooks were never enabled, a migration makes their tables. Here they are, and it makes none.
WEBHOOKS = re.compile(r"\bif\s+not\s+exists\s+supabase_functions\.", re.IGNORECASE)
WORTH_PARSING = re.compile(
    r"\b(event\s+trigger|extension|foreign|server|mapping|publication|bypassrls|replication)\b"
    rf"|{WEBHOOKS.pattern}",
    re.IGNORECASE,
)
VECTOR_INDEX = re.compile(r"\busing\s+\"?(hnsw|ivfflat)\b", re.IGNORECASE)
MAKES_EXTENSION = re.compile(r"\bcreate\s+extension\s+(?!if\s)\"?([\w-]+)", re.IGNORECASE)
ON_EXTENSION = re.compile(r"^\s*comment\s+on\s+extension\s+\"?([\w-]+)", re.IGNORECASE | re.MULTILINE)
MARK = "select 'an index of the extension vector, left out here: "

RESTORE = """
update supabase_migrations.schema_migrations set statements = (
  select array_agg(replace(s, %s, %s) order by n) from unnest(statements) with ordinality u(s, n)
) where version = %s
"""


class PlatformCli(SupabaseCli):
    """The CLI, whose push to an embedded database may do what the platform allows."""

    def push(  # noqa: D102
        self, target: Endpoint, migrations: Iterable[Migration], **how: Unpack[PushOptions]
    ) -> Pushed:
        every, seed, roles = tuple(sorted(migrations)), how.pop("seed", False), how.pop("roles", False)
        push = partial(super().push, target, **how)
        more = any(is_privileged(m) or VECTOR_INDEX.search(m.sql) for m in every)
        folder = folder_of(self.config.root, target) if more else None
        if folder is None:
            return push(every, seed=seed, roles=roles)
        with as_admin(folder, target.port) as connection:
            had = histories.read(connection)
            left_out = _left_out(every) if _vector_stands_in(connection) else {}
        parts = list(_parts([_without(m, left_out.get(m, ())) for m in every], had))
        pushed = []
        for number, (seen, privileged) in enumerate(parts):
            first, last = number == 0, number == len(parts) - 1
            with superuser(folder, target.port) if privileged else nullcontext():
                pushed.append(push(seen, roles=roles and first, seed=seed and last))
        if left_out:  # the history is to say what the files say
            with as_admin(folder, target.port) as connection:
                for migration, texts in left_out.items():
                    for number, text in enumerate(texts):
                        connection.execute(RESTORE, (_mark(number), text, migration.version))
        return Pushed(tuple(n for p in pushed for n in p.migrations), tuple(n for p in pushed for n in p.seeds))


def _parts(migrations: Sequence[Migration], had: Collection[str]) -> Iterator[tuple[tuple[Migration, ...], bool]]:
    """The pushes that a list of migrations takes: privileged files apart, so that no other file is privileged.

    Yields:
        What the CLI is to see, those already applied included; and whether those that are not are privileged.
    """
    pending = [m for m in migrations if m.version not in had]
    seen = [m for m in migrations if m.version in had]
    for privileged, part in groupby(pending, is_privileged) if pending else [(False, iter(()))]:
        seen += part
        yield tuple(sorted(seen)), privileged


def is_privileged(migration: Migration) -> bool:
    """Whether the file has a statement that the platform lets `postgres` run, and plain PostgreSQL does not."""
    parsed = _parsed(migration.sql) if WORTH_PARSING.search(migration.sql) else ()
    texts = [p.statement.text for p in parsed]
    # The owner of an extension, who makes it in the same file, needs no right to comment on it.
    made = {found[1] for text in texts if (found := MAKES_EXTENSION.search(text))}
    own = {text for text in texts if (found := ON_EXTENSION.search(text)) and found[1] in made}
    return any(_privileged(p) for p in parsed if p.statement.text not in own)


def as_pushed(root: Path, target: Endpoint, sql: str, kinds: Collection[str] = ()) -> AbstractContextManager[None]:
    """Let `postgres` do in an embedded database, for a while, what it may do while this is pushed to it.

    Args:
        root: The project's folder.
        target: The database.
        sql: What is pushed.
        kinds: Of the objects that it is about, where the SQL is not known yet.
    """
    privileged = is_privileged(Migration("", "", sql)) or not OBJECTS.isdisjoint(kinds)
    folder = folder_of(root, target) if privileged else None
    return superuser(folder, target.port) if folder else nullcontext()


def _privileged(parsed: Parsed) -> bool:
    kind, text = parsed.statement.kind, parsed.statement.text
    if kind == "CREATE TABLE":
        return bool(WEBHOOKS.search(text))
    return kind in KINDS or (kind in IN_WORDS and bool(PHRASES.search(text)))


def _parsed(sql: str) -> tuple[Parsed, ...]:
    try:
        return parse(sql)
    except UnparsableSql:  # the push says it better
        return ()


def _left_out(migrations: Sequence[Migration]) -> dict[Migration, tuple[str, ...]]:
    """The statements of each that make an index of `vector`."""
    texts = {
        m: [p.statement.text for p in _parsed(m.sql) if p.name == "index_stmt"]
        for m in migrations if VECTOR_INDEX.search(m.sql)
    }  # fmt: skip
    return {m: found for m, made in texts.items() if (found := tuple(filter(VECTOR_INDEX.search, made)))}


def _mark(number: int) -> str:
    return f"{MARK}{number}'"


def _without(migration: Migration, texts: Sequence[str]) -> Migration:
    sql = migration.sql
    for number, text in enumerate(texts):
        sql = sql.replace(text, _mark(number), 1)
    return replace(migration, sql=sql)


def _vector_stands_in(connection: psycopg.Connection[Any]) -> bool:
    """Whether `create extension vector` makes, or has made, the stand-in."""
    return bool(connection.execute(
        "select from pg_available_extensions where name = 'vector' and comment like 'a stand-in for %'"
    ).rowcount)  # fmt: skip
