"""Files and histories as a model: random ones, and what actions and remedies make of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from hypothesis import strategies as st

from sbsync_tasks.plan import Action, BringUp, Commit, Plan, Push, Put, Rebuild, Record, Rerecord, Write
from sbsync_tasks.plan.model import Facts
from sbsync_tasks.state import Side, State
from sbsync_tasks.state.histories import History, Recorded
from sbsync_tasks.state.migrations import Folder, Migration

NOW = datetime(2026, 6, 1, tzinfo=UTC)
A, B, C = (Migration(f"2026010{n}000000", name, f"create table {name} (id int);\n") for n, name in enumerate("abc", 1))
VERSIONS = tuple(f"2026010{n}000000" for n in range(1, 6))
NAMES = ("a", "b")
TEXTS = tuple(f"create table t{n} (id int);\n" for n in range(4))


def recorded(migration: Migration, version: str = "", statements: tuple[str, ...] = ()) -> Recorded:
    """What a push records of a migration."""
    statements = statements or (migration.sql.strip().rstrip(";"),)
    return Recorded(version or migration.version, migration.name, statements)


def history(*rows: Recorded) -> History:
    """Rows as a history."""
    return {row.version: row for row in sorted(rows, key=lambda r: r.version)}


def looked_at(folder: Folder, local: History, remote: History) -> State:
    """What a first look at these finds."""
    return State.of(folder, {"local": Side(local), "remote": Side(remote)})


@dataclass(frozen=True)
class World:
    """What a run changes.

    Attributes:
        files: The folder.
        local: The local database's history.
        remote: The remote's.
        kept: Texts that gave way, and are kept.
        committed: The files that were committed.
    """

    files: tuple[Migration, ...]
    local: History
    remote: History
    kept: frozenset[str] = frozenset()
    committed: frozenset[Migration] = frozenset()

    @property
    def state(self) -> State:
        """What a first look at it finds."""
        return looked_at(Folder(tuple(sorted(self.files)), ()), self.local, self.remote)

    @property
    def facts(self) -> Facts:
        """What conflicts are found from."""
        return Facts(self.state.folder, self.local, self.remote, "staging")

    def after(self, actions: Plan) -> World:
        """The world once a plan was carried out."""
        world = self
        for action in actions:
            world = world._done(action)
        return world

    def _done(self, action: Action) -> World:
        changes: dict[str, object] = {}
        match action:
            case Write():
                gone = {was for was, _ in action.renamed}
                changes["files"] = (*(m for m in self.files if m not in gone), *action.migrations)
            case Put():
                return self._put(action)
            case Rerecord():
                return self._rerecorded(action)
            case Rebuild():
                changes["local"] = history(*map(recorded, action.migrations))
            case BringUp():
                changes["local"] = _with(self.local, (*action.record, *action.apply))
            case Push():
                changes["remote"] = _with(self.remote, (*action.record, *action.migrations))
            case Record():
                changes["remote"] = _with(self.remote, action.migrations)
            case Commit():
                changes["committed"] = self.committed | set(action.migrations)
        return replace(self, **changes)  # type: ignore[arg-type]

    def _put(self, put: Put) -> World:
        gone = tuple(m for m in self.files if m.file_name == put.replaces)
        assert len(gone) == bool(put.replaces)
        files = (*(m for m in self.files if m not in gone), put.migration)
        return replace(self, files=files, kept=self.kept | {m.sql for m in gone})

    def _rerecorded(self, remedy: Rerecord) -> World:
        rows = dict(self.local)
        for old, new in remedy.versions:
            assert new not in rows
            rows[new] = replace(rows.pop(old), version=new)
        return replace(self, local=history(*rows.values()))


def _with(before: History, migrations: tuple[Migration, ...]) -> History:
    assert not before.keys() & {m.version for m in migrations}
    return history(*before.values(), *map(recorded, migrations))


migrations = st.builds(Migration, st.sampled_from(VERSIONS), st.sampled_from(NAMES), st.sampled_from(TEXTS))


@st.composite
def histories(draw: st.DrawFn) -> History:
    """A history; a row may have lost its statements, or its name as well."""
    rows = draw(st.lists(migrations, max_size=4, unique_by=lambda m: m.version))
    bare = draw(st.sets(st.sampled_from(VERSIONS), max_size=1))
    return history(*(Recorded(m.version, m.name, None) if m.version in bare else recorded(m) for m in rows))


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Anything at all; a version may stand on two files."""
    files = draw(st.lists(migrations, max_size=5, unique_by=lambda m: m.file_name))
    return World(tuple(files), draw(histories()), draw(histories()))


@st.composite
def sound(draw: st.DrawFn) -> World:
    """One that stops nothing: both databases have had a part of the files, the remote the first ones."""
    texts = draw(st.lists(st.sampled_from(range(9)), max_size=len(VERSIONS), unique=True))
    files = [Migration(v, f"m{n}", f"create table t{n} (id int);\n") for v, n in zip(VERSIONS, texts, strict=False)]
    had = draw(st.integers(0, len(files)))
    local = draw(st.sets(st.sampled_from(range(len(files))))) if files else set()
    stale = draw(st.booleans())
    rows = [recorded(files[n]) for n in local]
    if stale and rows:
        rows[-1] = replace(rows[-1], statements=("select 'an earlier text'",))
    return World(tuple(files), history(*rows), history(*map(recorded, files[:had])))
