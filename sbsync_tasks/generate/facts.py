"""What two databases hold of the user's, as statements: what one has and the other lacks is what to write.

One table of kinds: each query of `sql/` prints what it finds as the statement that makes it, in PostgreSQL's own words
(`pg_get_…def`, `pg_get_expr`, `pg_identify_object`), and is run on both sides. What these words leave out comes from
pg_dump: the entry of its archive for one object, found by its oid.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from .. import process, sqltext
from ..backups.programs import run_on, without_column_versions
from ..databases.catalog import SETTINGS, Difference
from ..endpoint import Endpoint
from ..errors import SbsyncError
from ..folders import private_tempdir
from ..platform import MANAGED_SCHEMAS, OPEN_SCHEMAS, PLATFORM_EXTENSIONS, SERVICE_ROLES
from . import Part, added

if TYPE_CHECKING:
    import psycopg

Rows = list[tuple[Any, ...]]
Stage = Literal["create", "attribute"]
_SCOPE = "scope"
# A line of the archive's list: its number, the object's catalog and oid, what it is.
_ENTRY = re.compile(rb"^\d+; (\d+) (\d+) .*$", re.MULTILINE)
_FRAME = re.compile(r"^\s*(SET\s|SELECT pg_catalog\.set_config)", re.IGNORECASE)
_META = re.compile(rb"^\\(un)?restrict .*$\n?", re.MULTILINE)
_NO_DATA = re.compile(r"\s+WITH NO DATA$")
_GRANTABLE = " with grant option"
_CLAIMED = "a migration has a statement about this, and the engine leaves the platform's objects out"


def read(connection: psycopg.Connection[Any], queries: Iterable[str], schemas: Sequence[str] = ()) -> list[Rows]:
    """All rows of each query, which may use the names that `sql/scope.sql` gives to what is the user's.

    Names come out qualified. Nothing is written, and settings are as before afterwards; an open transaction stays open.
    """
    from psycopg.rows import tuple_row

    settings = dict(SETTINGS) | {
        "sbsync.managed": MANAGED_SCHEMAS, "sbsync.open": "\n".join(OPEN_SCHEMAS),
        "sbsync.service_roles": SERVICE_ROLES, "sbsync.schemas": "\n".join(schemas),
        "sbsync.extensions": "\n".join(PLATFORM_EXTENSIONS),
    }  # fmt: skip
    setting = "select set_config(key, value, true) from unnest(%s::text[], %s::text[]) as s (key, value)"
    scope = _texts("sql")[_SCOPE]
    with connection.transaction(force_rollback=True), connection.cursor(row_factory=tuple_row) as cursor:
        cursor.execute(setting, ([*settings], [*settings.values()]), prepare=False)
        return [cursor.execute((scope + query).encode(), prepare=False).fetchall() for query in queries]


@cache
def _texts(folder: str) -> dict[str, str]:
    found = sorted(files(__package__).joinpath(folder).iterdir(), key=lambda file: file.name)
    return {file.name.removesuffix(".sql"): file.read_text(encoding="utf-8") for file in found}


def query(name: str) -> str:
    """One of `queries/`, which finds what no statement makes."""
    return _texts("queries")[name]


@dataclass(frozen=True)
class Both:
    """A copy of what the migrations make and the changed database, asked the same.

    Attributes:
        scratch: A connection to the copy.
        target: A connection to the changed database.
        schemas: The only schemas to look at; empty for all of the user's.
    """

    scratch: psycopg.Connection[Any]
    target: psycopg.Connection[Any]
    schemas: Sequence[str] = ()
    _there: dict[str, Rows] = field(default_factory=dict, init=False, repr=False, compare=False)

    def read(self, name: str) -> tuple[Rows, Rows]:
        """All rows of a query, from the copy and from the changed database, which is asked each query once."""
        if name not in self._there:
            (self._there[name],) = read(self.target, [query(name)], self.schemas)
        (here,) = read(self.scratch, [query(name)], self.schemas)
        return here, self._there[name]


@dataclass(frozen=True)
class Fact:
    """One object or one attribute of an object.

    Attributes:
        stage: Whether it is a whole object or an attribute of one.
        make: The statement that brings it about; None where only pg_dump can write it.
        undo: The statement that takes it away; None where it cannot be absent.
        again: It is taken away before it is made otherwise.
        definition: What is compared where there is no statement.
        oids: The object's catalog and oid; empty for an attribute.
    """

    stage: Stage
    make: str | None
    undo: str | None
    again: bool
    definition: str | None
    oids: tuple[int, ...]

    def same(self, other: Fact) -> bool:
        """Whether both databases have it alike."""
        return (self.make, self.definition) == (other.make, other.definition)


Facts = Mapping[str, Fact]


def read_facts(connection: psycopg.Connection[Any], schemas: Sequence[str] = ()) -> Facts:
    """All facts of a database by what they are called, such as `default of public.t.c`."""
    kinds = [text for name, text in _texts("sql").items() if name != _SCOPE]
    return {
        key: Fact(stage, make, undo, again, definition, tuple(oids) if oids[0] else ())
        for rows in read(connection, kinds, schemas)
        for key, stage, make, undo, again, definition, *oids in rows
    }


@dataclass(frozen=True)
class Archive:
    """The schema of one database, as pg_dump writes it.

    Attributes:
        tools: Finds the folder of pg_dump and pg_restore.
        endpoint: The database.
    """

    tools: Callable[[], Path]
    endpoint: Endpoint

    def statements(
        self, oids: Iterable[tuple[int, ...]], managed: Collection[str] = ()
    ) -> dict[tuple[int, ...], tuple[str, ...]]:
        """What makes these objects, each by its catalog and oid; without owners, privileges and comments.

        Args:
            oids: Which ones.
            managed: The managed schemas that some of them stand in.

        Raises:
            SbsyncError: pg_dump is missing, is older than the server, or failed.
        """
        tools = self.tools()
        with private_tempdir() as place:
            archive = place / "schema.dump"
            # Exclusions, not a choice of schemas: that would leave out casts and whatever stands in no schema.
            argv = [
                str(tools / "pg_dump"), "--format=custom", "--schema-only", f"--file={archive}",
                *(f"--exclude-schema={name}" for name in _managed() if name not in managed),
            ]  # fmt: skip
            run_on(self.endpoint, argv)
            listed = _restored(tools, "--list", str(archive))
            if b"Archive created" not in listed:
                raise SbsyncError("pg_restore ended without an error, and gave no list of what pg_dump has written.")
            entries = {(int(m[1]), int(m[2])): m[0] for m in _ENTRY.finditer(listed)}
            return {key: _written(tools, archive, entries[key]) for key in oids if key in entries}


def _written(tools: Path, archive: Path, entry: bytes) -> tuple[str, ...]:
    chosen = archive.with_name("list")
    chosen.write_bytes(entry + b"\n")
    options = ("--no-owner", "--no-privileges", "--no-comments", "--file=-")
    text = _restored(tools, f"--use-list={chosen}", *options, str(archive))
    text = without_column_versions(_META.sub(b"", text))
    texts = [statement.text for statement in sqltext.split(text.decode())]
    return tuple(_NO_DATA.sub("", text) for text in texts if not _FRAME.match(text))


def _restored(tools: Path, *arguments: str) -> bytes:
    done = process.run([str(tools / "pg_restore"), *arguments], env={"LC_ALL": "C"})
    if not done.ok:
        raise SbsyncError(f"pg_restore failed: {done.stderr.strip()}")
    return done.output


def _managed() -> list[str]:
    """The schemas that are left out, as pg_dump's patterns."""
    names = MANAGED_SCHEMAS.removeprefix("^(").removesuffix(")$").split("|")
    return [name.replace(".*", "*") for name in names if name != "pg_.*"]


def claimed(differences: Iterable[Difference]) -> Iterator[Part]:
    """What makes the first database have the privileges and the row level security of the second.

    Args:
        differences: In what is the user's; those of the user's own objects are left to others.
    """
    for this in differences:
        if this.object.whose and this.left != this.right:
            for text in _statements(this):
                yield added(text, _CLAIMED)


def _statements(this: Difference) -> Iterator[str]:
    if this.object.kind == "acl":
        yield from _rights(this)
    elif this.object.kind == "rls" and this.left and this.right:
        old, new = _switches(this.left), _switches(this.right)
        yield from (f"ALTER TABLE {this.object.name} {word} ROW LEVEL SECURITY" for word in new if word not in old)


def _rights(this: Difference) -> Iterator[str]:
    role, _, on = this.object.name.partition(" on ")
    if on.startswith("column "):  # it would have to stand inside the list of privileges
        return
    had, has = _privileges(this.left), _privileges(this.right)
    for privilege, grantable in sorted(had.items()):
        if privilege not in has:
            yield f"REVOKE {privilege} ON {on} FROM {role}"
        elif grantable and not has[privilege]:
            yield f"REVOKE GRANT OPTION FOR {privilege} ON {on} FROM {role}"
    for privilege, grantable in sorted(has.items()):
        if privilege not in had or (grantable and not had[privilege]):
            yield f"GRANT {privilege} ON {on} TO {role}{_GRANTABLE.upper() if grantable else ''}"


def _privileges(definition: str | None) -> dict[str, bool]:
    """Each privilege, and whether it may be granted on."""
    privileges = definition.split(", ") if definition else []
    return {privilege.removesuffix(_GRANTABLE): privilege.endswith(_GRANTABLE) for privilege in privileges}


def _switches(definition: str) -> tuple[str, str]:
    """`on, forced` as the words of ALTER TABLE."""
    state, _, forced = definition.partition(", ")
    return "ENABLE" if state == "on" else "DISABLE", "FORCE" if forced else "NO FORCE"
