"""Migrations generated on one server: more kinds of change, older CLIs, random schemas, what is refused, what it costs.

Everything else of a run, in both directions, is the subject of test_changes.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import psycopg
import pytest

from sbsync_tasks.databases.catalog import Catalog, read_catalog
from sbsync_tasks.databases.database import Database
from sbsync_tasks.errors import RefusedError
from sbsync_tasks.generate import engine_parts
from sbsync_tasks.run.generate import Generated, refuse_unwritable
from sbsync_tasks.supabase_cli import SupabaseCli
from tests.e2e.test_changes import CASES
from tests.support.campaign import Rounds
from tests.support.grammar import Schema
from tests.support.lab import Lab, Pair

OLDER = ("2.115.0", "2.122.1", "3.0.0")
# Every second case alone, with the newest CLI and the older ones in turn. All of them are run in test_changes.py.
CELLS = [
    (case.name, ("", *OLDER)[number % (len(OLDER) + 1)]) for number, case in enumerate(sorted(CASES.iterdir())[::2])
]


@pytest.fixture(scope="module")
def lab(newest: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("lab")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(folder))  # the CLI leaves its libraries there
        made = Lab(folder / "project", newest)
        try:
            yield made
        finally:
            made.close()


def text(case: str, name: str) -> str:
    path = CASES / case / name
    return path.read_bytes().decode() if path.exists() else ""


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the engine has answered so far."""
    given: list[str] = []
    ask = SupabaseCli.diff

    def asked(*arguments: object) -> str:
        given.append(ask(*arguments))  # type: ignore[arg-type]
        return given[-1]

    monkeypatch.setattr(SupabaseCli, "diff", asked)
    return given


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The databases whose catalogs have been read so far."""
    read: list[str] = []

    def reading(connection: psycopg.Connection[tuple[object, ...]], schemas: Sequence[str] = ()) -> Catalog:
        read.append(connection.info.dbname)
        return read_catalog(connection, schemas)

    monkeypatch.setattr("sbsync_tasks.run.session.read_catalog", reading)
    monkeypatch.setattr("sbsync_tasks.databases.catalog.read_catalog", reading)
    return read


@pytest.mark.matrix
@pytest.mark.parametrize(("case", "version"), CELLS)
def test_a_change_is_carried(
    cli: Callable[[str], Path],
    newest: Path,
    lab: Lab,
    answers: list[str],
    readings: list[str],
    case: str,
    version: str,
) -> None:
    lab.use(cli(version) if version else newest)
    try:
        with lab.pair(text(case, "base.sql"), text(case, "change.sql"), text(case, "rows.sql")) as pair:
            made = pair.generated()
            assert not made.unwritable, made.missing
            assert pair.target
            assert readings.count(pair.target.endpoint.database) == 1
            pair.check(made)
            costs_little(pair, made, answers)
    finally:
        lab.use(newest)


def costs_little(pair: Pair, made: Generated, answers: Sequence[str]) -> None:
    """One call where the engine's script is all that is needed, else two more at most; no statement without need."""
    parts = [part for file in made.parts for part in file]
    if pair.scratches:
        assert pair.scratches == 1
        assert len(answers) <= 3
        assert not any(map(pair.is_enough, answers[:1]))
    else:
        (answer,) = answers
        assert {p.text for p in parts if p.origin != "added"} <= {p.text for p in engine_parts(answer)}
        assert all(p.text.startswith("SELECT setval(") for p in parts if p.origin == "added")


@pytest.mark.campaign
def test_random_schemas_are_carried_or_refused_by_name(lab: Lab, rounds: Rounds) -> None:
    outcomes = Counter(became_of(lab, random) for random in rounds(sample=6, full=300))
    print(dict(outcomes))
    assert outcomes["proved"] > outcomes["refused"]


def became_of(lab: Lab, random: Random) -> str:
    """Make one random schema from another, rows in it; what is neither proved nor refused by name fails."""
    base, changed = Schema(random), Schema(random)
    with lab.pair(base.sql(), "", base.rows()) as pair:
        target = pair.another("postgres")
        lab.apply(target, changed.sql())
        pair.target = Database("local", "embedded", target, "local", "local", cluster=pair.names[-1])
        made = pair.generated()
        if made.unwritable:
            said = [*(missing.what for missing in made.missing), *(sql for sql, _ in made.refused)]
            assert said, made.unwritable
            return "refused"
        try:
            pair.check(made)
        except (psycopg.DataError, psycopg.IntegrityError):
            pair.check(made, rows=False)
            return "forbidden by the rows of the base"
        return "proved"


@pytest.mark.matrix
def test_nothing_is_written_about_schemas_that_were_not_chosen(lab: Lab, newest: Path) -> None:
    tables = "create table {0}.t (id int primary key, a text); create table {0}.u (id int primary key);"
    renamed = "alter table {0}.t rename a to b; alter table {0}.u rename to w;"
    lab.settings = replace(lab.settings, schemas=("app",))
    try:
        base = "create schema app; " + tables.format("app") + tables.format("public")
        with lab.pair(base, renamed.format("app") + renamed.format("public")) as pair:
            (file,) = pair.generated().parts
    finally:
        lab.use(newest)
    texts = [part.text for part in file]
    assert texts == ["ALTER TABLE app.u RENAME TO w", "ALTER TABLE app.t RENAME COLUMN a TO b"]


@pytest.mark.matrix
def test_what_cannot_be_carried_is_said_so_that_a_reader_can_write_it(lab: Lab) -> None:
    base = "create table public.t (id int primary key, a text[]);"
    change = (
        "alter table public.t drop column a; alter table public.t add column a int not null default 7;"
        "comment on table public.t is 'other';"
    )
    with lab.pair(base, change) as pair:
        made = pair.generated()
        with pytest.raises(RefusedError) as caught:
            refuse_unwritable(pair.run, "local", made)
        said = f"{caught.value.message}\n{caught.value.hint}"
        for words in (
            "column public.t.a", "text[]", "integer", 'PostgreSQL refuses: ALTER TABLE "public"."t" ALTER COLUMN "a"',
            "cannot cast type text[] to integer", "Everything else is in it, and applies.", ".sbsync/drafts/",
        ):  # fmt: skip
            assert words in said, said
        (draft,) = made.migrations
        assert "COMMENT ON TABLE" in draft.sql
        there = pair.another(pair.names[0])
        lab.apply(there, draft.sql)
