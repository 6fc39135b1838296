"""From files, histories and branches to the conflicts between them, each with its ways out. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from itertools import chain, combinations

from ..console import counted
from ..state.histories import Recorded, Row, Status, compare, no_version
from ..state.migrations import Migration
from ..state.same_sql import key, same
from . import Action, Plan, Put, Rerecord, edits
from .model import Conflict, Facts, Kind, Way
from .numbering import Moved, Pending, renumber

UNKNOWN = "unknown"  # a migration that was recorded without a name
EMPTY = (
    "-- Version {0} was recorded without a name and without statements: what it did is not known.\n"
    "-- This file holds its place, since the CLI pushes nothing while a recorded version has no file.\n"
)
ADOPTED = Way("Or `invoke remote-to-local`: it brings the file, and whatever else others have pushed, here.")


def diagnose(facts: Facts, now: datetime | None = None) -> tuple[Conflict, ...]:
    """Every conflict, each by its own cause.

    Args:
        facts: What is known.
        now: The time for new versions; the current one as a rule.
    """
    first = _first_pull(facts)
    if first:
        return (first,)
    return (*conflicts(facts, now), *_drift(facts))


def conflicts(facts: Facts, now: datetime | None = None) -> tuple[Conflict, ...]:
    """Those between the files and the histories alone; a first pull is none of them."""
    return tuple(_Diagnosis(facts, now).all())


def asks_branches(facts: Facts) -> tuple[str, ...]:
    """The versions whose files are worth looking for on git's branches."""
    rows = compare(facts.folder, facts.local, facts.remote)
    return tuple(row.version for row in rows if row.status in (Status.MISSING, Status.LOCAL_ONLY, Status.EDITED))


def _first_pull(facts: Facts) -> Conflict | None:
    if facts.folder.migrations or set(facts.local) - set(facts.remote):
        return None
    name, title = facts.remote_name, ""
    if facts.remote:
        what = f"{name} has {counted(len(facts.remote), 'recorded migration')}, and the folder has none: a first pull."
        title = f"`invoke remote-to-local` takes them over from the history of {name}, and rebuilds the local database."
    elif facts.drift:
        what = f"{name} has objects and no history, and there are no migration files: a first pull."
        title = f"`invoke remote-to-local` makes the first migration from what {name} has, and records it there."
    else:
        return None
    elsewhere = [where for found in facts.branches.values() for where in found.values()][:1]
    switch = (Way(f"Or is it the wrong branch? {_capital(where)} has files of these.") for where in elsewhere)
    return Conflict(Kind.FIRST_PULL, "", "", what, (Way(title), *switch))


def _drift(facts: Facts) -> Iterator[Conflict]:
    if facts.drift:
        what = f"{facts.remote_name} has changes that its own history does not record."
        title = "`invoke remote-to-local` brings them into a migration."
        if facts.left:
            what += f" A push that failed leaves such things. {facts.left.said}"
            title = f"The way on:\n{facts.left.way_on}"
        yield Conflict(Kind.DRIFT, "", "", what, (Way(title),), facts.drift)


@dataclass(frozen=True)
class _Diagnosis:
    """The conflicts of a folder with files, found one kind after the other."""

    facts: Facts
    now: datetime | None

    def all(self) -> Iterator[Conflict]:
        yield from (self._duplicate(version) for version in self.facts.folder.duplicates)
        for file in self.facts.folder.misnamed:
            what, way = f"supabase/migrations/{file.name} {file.why}.", Way(self.facts.ways.get(file.name, ""))
            yield Conflict(Kind.MISNAMED, "", file.name, what, (way,))
        squashed = edits.squash(self.rows)
        if squashed:
            yield squashed
        for row in self.rows:
            if not squashed or row.version > squashed.version:
                yield from self._of(row)

    def _of(self, row: Row) -> Iterator[Conflict]:
        match row:
            case Row() if row.version in self.renamed:
                yield self._renamed(row, self.renamed[row.version])
            case Row(file=None):
                yield self._lost(row)
            case Row(file=Migration() as file, remote=Recorded() as recorded) if row.version in self.shared:
                yield self._shared(row, file, recorded)
            case Row(status=Status.EDITED, file=Migration() as file, remote=Recorded() as recorded):
                yield self._edited(row, file, recorded)
            case Row(file=Migration() as file) if self._late(row):
                yield self._out_of_order(row, file)

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """The three-way comparison, without the versions of which it is not clear which file is theirs."""
        rows = compare(self.facts.folder, self.facts.local, self.facts.remote)
        unclear = set(self.facts.folder.duplicates)
        return tuple(row for row in rows if row.version not in unclear)

    @cached_property
    def head(self) -> str:
        """The newest version that the remote has had; empty for none."""
        return max(filter(str.isdigit, self.facts.remote), default="")

    def _late(self, row: Row) -> bool:
        by_hand = self.renamed.values()
        return bool(row.file and not row.remote and row.version < self.head and row.file not in by_hand)

    # --- files under another name than the one that was recorded ---

    @cached_property
    def renamed(self) -> dict[str, Migration]:
        """Versions recorded without a file, whose very statements stand in a file of another version: that file."""
        found: dict[str, Migration] = {}
        lost = [row for row in self.rows if row.file is None]
        texts = {row.file: key(row.file.sql) for row in self.rows if row.file and lost}
        for row in lost:
            recorded, had = (row.remote, self.facts.remote) if row.remote else (row.local, self.facts.local)
            if recorded and recorded.statements:
                wanted = key(recorded.text)
                file = next((m for m, text in texts.items() if text == wanted and m.version not in had), None)
                if file and file not in found.values():
                    found[row.version] = file
        return found

    def _renamed(self, row: Row, file: Migration) -> Conflict:
        where = self.facts.remote_name if row.remote else "The local database"
        what = f"{where} has recorded these statements as {row.version}; their file is now {file.file_name}."
        if row.remote:
            back = Migration(row.version, file.name, file.sql)
            actions: list[Action] = [Put(back, file.file_name)]
            if file.version in self.facts.local and row.version not in self.facts.local:
                actions.append(Rerecord(((file.version, row.version),)))
            way = Way("Give the file back the version that the remote has.", tuple(actions))
        else:
            way = Way("Record it locally as what it is called now.", (Rerecord(((row.version, file.version),)),))
        return Conflict(Kind.RENAMED, row.version, file.name, what, (way,))

    # --- recorded, and no file ---

    def _lost(self, row: Row) -> Conflict:
        kind = Kind.MISSING if row.status is Status.MISSING else Kind.LOCAL_ONLY
        # An environment is called what it is called.
        name = self.facts.remote_name if kind is Kind.MISSING else "The local database"
        recorded = row.remote or row.local
        assert recorded is not None  # noqa: S101 - there is no row without a file and without a record
        what = f"{name} has recorded {row.version} ({row.name or 'without a name'}), and there is no file."
        if not row.version.isdigit():
            return Conflict(kind, row.version, row.name, what, (Way(no_version(row.version)),))
        if row.version in self.facts.branches:
            what += f" {_whose(recorded, self.facts.branches[row.version])}"
        local = self.lost_locally.get(row.version)
        if kind is Kind.LOCAL_ONLY:
            drop = Way("If it is not wanted: `invoke reset` rebuilds the local database without it, backed up.")
            ways = [*([self._pending_again(local)] if local else []), drop]
        elif put := self._restored(recorded, name):
            ways = [self._brought_back(put, local), ADOPTED]
        else:
            ways = _without_statements(recorded)
        return Conflict(kind, row.version, row.name, what, tuple(ways))

    def _pending_again(self, put: Put) -> Way:
        title = f"Bring the file back, from {put.source}."
        moves = chain.from_iterable(self.moves.values())
        moved = next((m for m in moves if (m[0].migration, m[0].file) == (put.migration, "")), None)
        if moved is None:
            return Way(f"{title} It is then pending on {self.facts.remote_name}.", (put,))
        title += " It gets a later version, so that the remote can have it after what it has had."
        return Way(title, tuple(self._actions(moved)))

    def _brought_back(self, put: Put, local: Put | None) -> Way:
        """Where the local database has had another migration of that version, that one comes back, too."""
        title = f"Bring the file back, from {put.source}."
        if local is None:
            return Way(title, (put,))
        other = self._pending_again(local)
        title = f"{title} The local database has had another migration of that version: {other.title}"
        return Way(title, (*other.actions, put))

    @cached_property
    def lost_locally(self) -> dict[str, Put]:
        """By version: the files of what only the local database has recorded, as far as they can be restored."""
        rows = [r for r in self.rows if r.version.isdigit() and r.version not in self.renamed and _only_local(r)]
        puts = [self._restored(row.local, "the local database") for row in rows if row.local]
        return {put.migration.version: put for put in puts if put}

    def _restored(self, recorded: Recorded, where: str, name: str = "") -> Put | None:
        """The file of a record: as a branch has it, where that is what was recorded, else from the record itself."""
        on_branch = _same_as(recorded, self.facts.branches.get(recorded.version, {}))
        if on_branch:
            made, source = on_branch
        elif recorded.statements is not None:
            made, source = recorded.as_migration(), f"the history of {where}"
        else:
            return None
        return Put(replace(made, name=name or made.name), source=source)

    # --- edited ---

    def _edited(self, row: Row, file: Migration, recorded: Recorded) -> Conflict:
        name = self.facts.remote_name
        changes = edits.compare(file.sql, recorded.statements or ())
        put = self._restored(recorded, name, file.name)
        assert put is not None  # noqa: S101 - a record without statements is never called edited
        way = Way(
            f"Put back what {name} has had, from {put.source}. A push would never bring the edit there: what it should "
            "change belongs in a migration of its own.",
            (replace(put, replaces=file.file_name),),
        )
        differ = "1 statement differs" if len(changes) == 1 else f"{len(changes)} statements differ"
        what = f"{file.file_name} is not what {name} has had: {differ}."
        return Conflict(Kind.EDITED, row.version, row.name, what, (way,), tuple(edits.told(changes)))

    # --- one version, and two migrations ---

    @cached_property
    def shared(self) -> dict[str, Migration]:
        """By version: files of other migrations than those that the remote has recorded, and of no older one."""
        rows = [row for row in self.rows if row.status is Status.EDITED and row.file]
        lost = [row.remote for row in self.rows if row.file is None and row.remote and row.remote.statements]
        others = {r.version: r.file for r in rows if r.file and edits.is_another(r.file, r.remote)}
        return {v: file for v, file in others.items() if not any(recorded.matches(file) for recorded in lost)}

    def _shared(self, row: Row, file: Migration, recorded: Recorded) -> Conflict:
        name = self.facts.remote_name
        put = self._restored(recorded, name)
        assert put is not None  # noqa: S101 - a record without statements is no other migration
        what = (
            f"{file.file_name} and what {name} has had as {put.migration.file_name} are two migrations of one version."
        )
        title = f"{file.file_name} gets a later version, and the other one comes into the folder, from {put.source}."
        way = Way(title, (*self._moves(file), put))
        return Conflict(Kind.DUPLICATE, row.version, row.name, what, (way,))

    # --- versions that cannot stay ---

    def _out_of_order(self, row: Row, file: Migration) -> Conflict:
        what = f"{file.file_name} has not reached {self.facts.remote_name}, which has had a later one ({self.head})."
        later = Way("Give it a later version.", self._moves(file))
        keep = Way("Or `invoke push --include-all` pushes it as it is, where both orders lead to the same schema.")
        return Conflict(Kind.OUT_OF_ORDER, row.version, row.name, what, (later, keep))

    def _duplicate(self, version: str) -> Conflict:
        files = [m for m in self.facts.folder.migrations if m.version == version]
        names = " and ".join(m.file_name for m in files)
        keeper = self.keepers[version]
        what = f"{names} claim the same version: the CLI would apply the first and fail at the next."
        if keeper is None:
            hint = "Keep the file that was applied, and remove or rename the other: the statements do not tell which."
            return Conflict(Kind.DUPLICATE, version, "", what, (Way(hint),))
        moving = [m for m in files if self._moves_away(m, keeper)]
        if keeper in moving:
            title = f"All get later versions, as {self.facts.remote_name} has had a later one ({self.head})."
        else:
            applied = " was applied and" if version in {**self.facts.local, **self.facts.remote} else ""
            title = f"{keeper.file_name}{applied} keeps the version; a later one for the rest."
        actions = tuple(a for m in moving for a in self._moves(m))
        return Conflict(Kind.DUPLICATE, version, "", what, (Way(title, actions),))

    def _moves_away(self, migration: Migration, keeper: Migration) -> bool:
        version = migration.version
        return migration != keeper or (version not in self.facts.remote and version < self.head)

    @cached_property
    def keepers(self) -> dict[str, Migration | None]:
        """By duplicate version: the file that keeps it; None where that cannot be told."""
        return {version: self._keeper(version) for version in self.facts.folder.duplicates}

    def _keeper(self, version: str) -> Migration | None:
        files = sorted(m for m in self.facts.folder.migrations if m.version == version)
        if any(same(a.sql, b.sql) for a, b in combinations(files, 2)):
            return None  # one of them is superfluous, and which one only the user can say
        recorded = self.facts.remote.get(version) or self.facts.local.get(version)
        if recorded is None:
            return files[0]
        fitting = [m for m in files if recorded.matches(m)]
        named = [m for m in fitting or files if m.name == recorded.name]
        clear = fitting if len(fitting) == 1 else named
        return clear[0] if clear else None

    def _moves(self, migration: Migration) -> Plan:
        group = self.moves[Pending(migration, migration.file_name, moves=True)]
        # What is brought back and moves along says so itself.
        return tuple(a for moved in group if moved is group[0] or moved[0].file for a in self._actions(moved))

    @cached_property
    def moves(self) -> Mapping[Pending, Sequence[Moved]]:
        """New versions for everything that needs one, worked out together, so that they fit each other."""
        facts = self.facts
        known = {*facts.local, *facts.remote, *(m.version for m in facts.folder.migrations)}
        return renumber(self._pending(), known, now=self.now)

    def _pending(self) -> Iterator[Pending]:
        for row in self.rows:
            if row.file and not row.remote and (self._late(row) or row.version > self.head):
                yield Pending(row.file, row.file.file_name, self._late(row))
        for migration in self.facts.folder.migrations:
            keeper = self.keepers.get(migration.version)
            if keeper and (migration != keeper or migration.version not in self.facts.remote):
                yield Pending(migration, migration.file_name, self._moves_away(migration, keeper))
        yield from (Pending(m, m.file_name, moves=True) for m in self.shared.values())
        restored = [put.migration for put in self.lost_locally.values()]
        had = self.facts.remote
        yield from (Pending(m, "", moves=m.version < self.head or m.version in had) for m in restored)

    def _actions(self, moved: Moved) -> Iterator[Action]:
        pending, new = moved
        old = pending.migration
        lost = None if pending.file else self.lost_locally.get(old.version)
        yield Put(new, pending.file, lost.source if lost else "")
        recorded = self.facts.local.get(old.version)
        if lost or (pending.file and recorded and self._is_its_own(old, recorded)):
            yield Rerecord(((old.version, new.version),))

    def _is_its_own(self, migration: Migration, recorded: Recorded) -> bool:
        """Whether a local record is this file's, and not that of another file with the version."""
        keeper = self.keepers.get(migration.version)
        if migration.version in self.shared:
            return recorded.matches(migration)
        if keeper is None:
            return True
        return recorded.matches(migration) and (migration == keeper or not recorded.matches(keeper))


def _only_local(row: Row) -> bool:
    """Whether only the local database has recorded what it has of this version, and no file has it."""
    if row.status is Status.MISSING and row.local and row.local.statements is not None:
        return edits.is_another(row.local.as_migration(), row.remote)
    return row.status is Status.LOCAL_ONLY


def _without_statements(recorded: Recorded) -> list[Way]:
    """Of a row that says nothing but a version nobody knows what it did, and the CLI's push asks for a file of it."""
    empty = Migration(recorded.version, recorded.name or UNKNOWN, EMPTY.format(recorded.version))
    shows = "What it did and the files do not is drift then, which `invoke remote-to-local` brings into a migration."
    if not recorded.name:
        return [Way(f"Write an empty file of that version, which says so. {shows}", (Put(empty, source="empty"),))]
    return [
        Way("Bring its file back, from a colleague or a backup."),
        Way(f"Or write supabase/migrations/{empty.file_name} with nothing but a comment. {shows}"),
    ]


def _same_as(recorded: Recorded, branches: Mapping[Migration, str]) -> tuple[Migration, str] | None:
    return next(((file, where) for file, where in branches.items() if recorded.matches(file)), None)


def _whose(recorded: Recorded, branches: Mapping[Migration, str]) -> str:
    found = _same_as(recorded, branches)
    if found and recorded.statements is None:
        return f"Its statements were not recorded; {found[1]} has a file of it, which is taken at its word."
    if found:
        return f"{_capital(found[1])} has had it, with these very statements."
    for where in branches.values():
        return f"{_capital(where)} has a file of it, with other statements."
    return "No branch has had it" + ("." if recorded.statements else ", and its statements were not recorded.")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
