"""The proof at the end of a run: what was compared, what differs, and what was not compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..checks.finding import mask
from ..databases.catalog import NOT_COMPARED, CatalogObject, Difference, told

ENGINE = "both schemas by the Supabase CLI's own diff engine"
FINGERPRINT = (
    "both schemas by a fingerprint of the catalogs (owners, privileges, RLS, policies, triggers, options, functions)"
)
HISTORIES = "both migration histories, statements included"
EXPOSED = "No age of the platform grants this, and it exposes data: take it back with REVOKE."
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
        return [
            *told(self.differences),
            *(f"history: {version} is not everywhere the same; see `invoke status`" for version in self.histories),
            *(["the CLI's diff engine finds differences that the catalogs do not show"] if self._only_sql else []),
        ]

    @property
    def _only_sql(self) -> bool:
        return bool(self.sql) and not self.differences

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
    definitions = dict(zip(difference.names, map(_masked, (difference.left, difference.right)), strict=True))
    return {"kind": difference.object.kind, "name": difference.object.name, "definitions": definitions}


def _masked(definition: str | None) -> str | None:
    return definition if definition is None else mask(definition)


def except_for(known: Sequence[Difference], differences: Sequence[Difference]) -> tuple[Difference, ...]:
    """The differences that are not among those known before."""
    return tuple(d for d in differences if d not in known)
