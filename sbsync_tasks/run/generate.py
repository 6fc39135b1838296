"""Migrations made from a database's changes, and proved on a fresh shadow."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from ..checks.finding import mask
from ..databases import catalog
from ..databases.catalog import Catalog, Claims, Difference, told
from ..databases.connection import connect
from ..databases.database import Database
from ..databases.embedded.binaries import find_client_tools
from ..databases.embedded.privileged import as_pushed
from ..databases.failures import FileFailedError
from ..errors import RefusedError, SbsyncError
from ..generate import Part, changes_alone, engine_parts, enum_values_apart, text_of
from ..generate.ahead import instead_of
from ..generate.complete import Bench, Missing, complete
from ..generate.facts import Archive, Both
from ..generate.kept import Identities, identities, positions, replaced_tables
from ..state import Origin, State
from ..state.migrations import Migration, next_version
from ..supabase_cli import CliError, EngineRefusedError
from .files import put_aside
from .look import LISTED, Changes, listed
from .session import Run

if TYPE_CHECKING:
    from ..endpoint import Endpoint

ENUM_VALUE_USED_TOO_EARLY = "55P04"
_DENIED = (
    "A migration runs as `postgres`, which today's platform does not let do that: take it back there, or move the "
    "object to a schema of your own (ALTER … SET SCHEMA), and run again."
)
_BY_HAND = (
    "Add these by hand, save the whole as a file in supabase/migrations, and run again: it is recognised by its effect."
)


@dataclass(frozen=True)
class Generated:
    """Migrations made from a difference, proved on a fresh shadow.

    Attributes:
        migrations: The new migrations, in order.
        unwritable: Differences that could not be carried.
        parts: The statements of each migration, with where they come from.
        missing: What could not be carried, with both definitions.
        refused: Statements of the engine's that do not apply, with PostgreSQL's words.
        cause: Why the CLI's engine wrote nothing, where that is so.
    """

    migrations: tuple[Migration, ...]
    unwritable: tuple[Difference, ...] = ()
    parts: tuple[tuple[Part, ...], ...] = ()
    missing: tuple[Missing, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()
    cause: EngineRefusedError | None = None


@dataclass
class _Generator:
    """What one generation works with: what `generate` is given, and what it has found out.

    Attributes:
        refused: Why the engine has written nothing, where that was so; it may have gone on since.
        claims: What the base has statements about.
    """

    run: Run
    database: Database
    base: tuple[Migration, ...]
    name: str
    versions: Sequence[str]
    before: str
    refused: EngineRefusedError | None = None
    major: int = field(init=False)
    claims: Claims = field(init=False)

    def __post_init__(self) -> None:
        self.major = self.run.major(self.database)
        self.claims = self.run.claims_of(self.shadow(()))

    @cached_property
    def _there(self) -> Catalog:
        """The catalog of where the changes are, read once: what is proved is one moment's."""
        return self.run.catalog(self.database)

    def made(self) -> Generated:
        """The migrations, proved."""
        shadow = self.shadow(())
        sql = self._asked(shadow.endpoint)
        sql = changes_alone(catalog.without_platform(sql, self.run.catalog(shadow), self._there, self.claims))
        parts = engine_parts(sql)
        as_written = self._proved((parts,), sql) if parts and not self._gives_up(parts) else None
        return as_written or self._completed(sql)

    def _asked(self, source: Endpoint) -> str:
        """The engine's script; empty, and the cause kept, where it refuses to write one."""
        try:
            return self.run.cli.diff(source, self.database.endpoint, self.run.settings.schemas)
        except EngineRefusedError as error:
            self.refused = error
            return ""

    def _gives_up(self, parts: Sequence[Part]) -> bool:
        """Whether the script loses what another statement keeps."""
        asked = instead_of(parts)
        if not asked:
            return False
        with self.shadow(()).connection() as shadow, self.database.connection() as target:
            both = Both(shadow, target, self.run.settings.schemas)
            return any(any(each(both)) for each in asked)

    def _proved(self, files: Sequence[Sequence[Part]], sql: str = "") -> Generated | None:
        """These statements as files; None where they do not apply, or do not make the shadow what the database is.

        The engine's own `sql` may get further files: an enum's new values stand in one of their own.
        """
        before = _identities(self.shadow(()))  # read while its server runs: a copy of it stops it
        made = self.numbered([sql] if sql else [text_of(parts) for parts in files])
        try:
            shadow = self.shadow(made)
        except CliError as error:
            too_early = sql and error.sqlstate == ENUM_VALUE_USED_TOO_EARLY
            return self._proved(enum_values_apart(files[0])) if too_early else None
        if replaced_tables(before, after := _identities(shadow)) or not self.exactly(shadow):
            return None
        known = {part.text for parts in files for part in parts}
        further = [part for part in positions(before, after) if part.text not in known]
        if not further:
            return Generated(made, parts=tuple(map(tuple, files)))
        return self._proved(((*files[0], *further),)) if sql else None

    def _completed(self, sql: str) -> Generated:
        """The engine's script made to apply, and completed, on a scratch copy; then proved on a fresh shadow."""
        with self._bench(sql) as bench:
            completed = complete(bench, sql)
        early, parts = completed.early, completed.parts
        files, made, shadow = self._applied([(*early, *parts)], [early, parts])  # one file is one transaction
        left = self.left(shadow)
        cause = self.refused if self.refused and any(self.refused.about in str(d.object) for d in left) else None
        return Generated(made, left, tuple(files), completed.missing, completed.refused, cause)

    def _applied(
        self, files: Sequence[tuple[Part, ...]], otherwise: Sequence[tuple[Part, ...]] = ()
    ) -> tuple[list[tuple[Part, ...]], tuple[Migration, ...], Database]:
        """These files on a shadow; others instead where a new value of an enum is used in the file that adds it."""
        kept = [each for each in files if each]
        made = self.numbered([text_of(each) for each in kept])
        try:
            return kept, made, self.shadow(made)
        except CliError as error:
            if otherwise and error.sqlstate == ENUM_VALUE_USED_TOO_EARLY:
                return self._applied(otherwise)
            raise self._undone(made, error) from None

    @contextmanager
    def _bench(self, sql: str) -> Iterator[Bench]:
        run = self.run
        kinds = () if sql else {d.object.kind for d in self.left(self.shadow(()))}
        with (
            run.shadows.scratch(self.base, self.major, run.seeds_of(self.database, self.base)) as endpoint,
            as_pushed(run.settings.root, endpoint, sql, kinds),
            connect(endpoint, "a scratch copy of the shadow") as scratch,
            self.database.connection() as target,
        ):
            right, schemas = self._there, run.settings.schemas

            def left() -> Catalog:
                return catalog.read_catalog(scratch, schemas)

            def ask() -> str:
                """What the engine still finds, without what is the platform's."""
                return changes_alone(catalog.without_platform(self._asked(endpoint), left(), right, self.claims))

            def differences() -> tuple[Difference, ...]:
                """How the two differ, line ends included."""
                here = left()
                line_ends = catalog.in_line_ends_alone(here, right, self.claims)
                rest = (Difference(fact, here[fact], right[fact]) for fact in line_ends)
                return (*catalog.compare(here, right, self.claims), *rest)

            archive = Archive(lambda: find_client_tools(self.major, run.settings.pg_bindir), self.database.endpoint)

            def nobodys(texts: Sequence[str]) -> Collection[str]:
                return catalog.nobodys(texts, left(), right, self.claims) if texts else ()

            yield Bench(scratch, target, schemas, ask=ask, differences=differences, nobodys=nobodys, archive=archive)

    def shadow(self, made: Sequence[Migration]) -> Database:
        """A shadow of the base and these."""
        return self.run.shadow((*self.base, *made), self.major, self.database)

    def exactly(self, shadow: Database) -> bool:
        """Whether the catalogs of a shadow and of the database are equal, line ends included."""
        line_ends = catalog.in_line_ends_alone(self.run.catalog(shadow), self._there, self.run.claims_of(shadow))
        return not self.left(shadow) and not line_ends

    def left(self, shadow: Database) -> tuple[Difference, ...]:
        """What the catalogs of a shadow and of the database do not share."""
        return self.run.differences(shadow, self.database, found=self._there)

    def numbered(self, texts: Sequence[str]) -> tuple[Migration, ...]:
        """These texts as migrations; a RefusedError where there is no room for their versions."""
        made: list[Migration] = []
        for number, text in enumerate(texts, 1):
            version = next_version([*self.versions, *(m.version for m in made)], before=self.before)
            if version is None:
                raise RefusedError(
                    f"There is no room for a new version before {self.before}.",
                    "Give the unapplied files later versions.",
                )
            name = f"{self.name}_{number}" if len(texts) > 1 else self.name
            made.append(Migration(version, name, text.strip() + "\n"))
        return tuple(made)

    def _undone(self, made: Sequence[Migration], error: CliError) -> SbsyncError:
        own = isinstance(error, FileFailedError) and error.failure.migration in made
        why = error.failure.words if isinstance(error, FileFailedError) and own else error.message
        what = f"The generated migration cannot be applied to a fresh database: {why}"
        return SbsyncError(
            what,
            f"{_draft(self.run, made)} Correct it, save it as a file in supabase/migrations, and run again.",
        )


def _draft(run: Run, made: Sequence[Migration]) -> str:
    """Keep migrations outside of the migrations' folder, but for a dry run; where they are, in a sentence."""
    if run.options.dry_run:
        return "Without --dry-run its draft is kept."
    return f"The draft is kept in {put_aside(run, 'drafts', made)}."


def _identities(shadow: Database) -> Identities:
    with shadow.connection() as connection:
        return identities(connection)


def generate(
    run: Run, database: Database, base: Sequence[Migration], name: str, versions: Sequence[str], before: str = ""
) -> Generated:
    """Make migrations that take a shadow of `base` to the schema of `database`, and prove them.

    The engine's output is review SQL, not a promise: it is applied to a fresh shadow by the CLI's own push, and the
    catalogs are compared. Where it does not apply, leaves something out, or loses rows that can be kept, it is worked
    on (see the package `generate`) and proved again. What does not prove equal is handed out as `unwritable`.

    The new versions are later than the known `versions`, and earlier than `before`, where that is one.

    Raises:
        RefusedError: there is no room for the new versions.
        SbsyncError: the SQL cannot be applied; a draft of it is kept.
    """
    return _Generator(run, database, tuple(base), name, versions, before).made()


def joined(
    run: Run, state: State, found: Changes, side: str, name: str, versions: Sequence[str], before: str = ""
) -> State:
    """The state with the changes of a database, `local` or `remote`, as migrations that are yet to be written.

    The rest is as for `generate`; refused where not every change can be written.
    """
    made = generate(run, run.database(side), found.base, name, versions, before)
    refuse_unwritable(run, "The local database" if side == "local" else "The remote", made)
    return state.joined_by(Origin.LOCAL if side == "local" else Origin.REMOTE, made.migrations)


def refuse_unwritable(run: Run, whose: str, made: Generated) -> None:
    """Refuse where changes are left over: they must not be lost. Each has both definitions and the statement to write.

    The rest is kept as a draft.
    """
    if not made.unwritable:
        return
    each = [mask(line) for missing in made.missing[:LISTED] for line in _in_words(missing)]
    known = made.cause.about.rpartition(" ")[2] if made.cause else ""  # what its cause says need not be said again
    refused = [(text, why) for text, why in made.refused if not known or known not in text]
    each += [f"PostgreSQL refuses: {mask(' '.join(text.split()))};\n    {mask(why)}" for text, why in refused[:LISTED]]
    cause, way_out = (made.cause.message, made.cause.hint) if made.cause else ("", "")
    hints = [f"Everything else is in it, and applies. {_draft(run, made.migrations)}"] if made.migrations else []
    denied = [missing for missing in made.missing if missing.denied]
    if denied:
        hints.append(_DENIED)
    if not denied or made.refused or len(denied) < len(made.missing):
        hints.append(_BY_HAND)
    raise RefusedError(
        f"{whose} has changes that could not be carried into a migration:\n"
        + "\n".join(part for part in (listed(told(made.unwritable)), *each, cause) if part),
        " ".join([way_out, *(hints[:1] if made.migrations else [])]) if way_out else " ".join(hints),
    )  # fmt: skip


def _in_words(missing: Missing) -> list[str]:
    """What could not be carried, for a reader who has to write it."""
    definitions = [f"    the migrations make: {missing.here or 'nothing'}",
                   f"    the database has: {missing.there or 'nothing'}"]  # fmt: skip
    return [
        missing.what,
        *(definitions if missing.here or missing.there else []),
        *([f"    {'it takes' if missing.denied else 'to write'}: {missing.statement};"] if missing.statement else []),
        *([f"    why it is not in the draft: {missing.why}"] if missing.why else []),
    ]
