"""Migrations generated on one server: more kinds of change, older CLIs, random schemas, what is refused, what it costs.

Everything else of a run, in both directions, is the subject of test_changes.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from sbsync_tasks.databases import Database
from sbsync_tasks.errors import RefusedError
from sbsync_tasks.generate import engine_parts
from sbsync_tasks.steps.generate import refuse_unwritable
from sbsync_tasks.supabase_cli import SupabaseCli
from tests.e2e.test_changes import CASES, GENERATED
from tests.support.campaign import Rounds
from tests.support.grammar import Schema, rows
from tests.support.lab import Lab

OLDER = ("2.115.0", "2.122.1", "3.0.0")
NAMES = sorted(folder.name for folder in CASES.iterdir())
# Each older CLI with a third of every second case.
OLDER_CELLS = sorted(
    {*((OLDER[number % 3], name) for number, name in enumerate(NAMES[::2])), ("2.115.0", "partitions")}
)


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


def carried(lab: Lab, case: str) -> None:
    with lab.pair(text(case, "base.sql"), text(case, "change.sql"), text(case, "rows.sql")) as pair:
        made = pair.generated()
        assert not made.unwritable, made.missing
        pair.check(made)


@pytest.mark.matrix
@pytest.mark.parametrize("case", sorted(GENERATED))
def test_a_change_is_carried(lab: Lab, case: str) -> None:
    carried(lab, case)


@pytest.mark.matrix
@pytest.mark.parametrize(("version", "case"), OLDER_CELLS)
def test_an_older_cli_carries_it_as_well(
    cli: Callable[[str], Path], newest: Path, lab: Lab, version: str, case: str
) -> None:
    lab.use(cli(version))
    try:
        carried(lab, case)
    finally:
        lab.use(newest)


@pytest.mark.campaign
def test_random_schemas_are_carried_or_refused_by_name(lab: Lab, rounds: Rounds) -> None:
    for random in rounds(sample=6, full=300):
        base, changed = Schema(random).sql(), Schema(random).sql()
        with lab.pair(base, "", rows(base)) as pair:
            target = pair.another("postgres")
            lab.apply(target, changed)
            pair.target = Database("local", "embedded", target, "local", "local", cluster=pair.names[-1])
            made = pair.generated()
            if made.unwritable:
                said = [*(missing.what for missing in made.missing), *(sql for sql, _ in made.refused)]
                assert said, made.unwritable
                continue
            with suppress(psycopg.DataError, psycopg.IntegrityError):  # the rows of the base forbid it
                pair.check(made)


@pytest.mark.matrix
def test_what_the_engine_carries_alone_costs_one_call_and_gets_no_statement_more(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[str] = []
    ask = SupabaseCli.diff

    def asked(*arguments: object) -> str:
        answers.append(ask(*arguments))  # type: ignore[arg-type]
        return answers[-1]

    monkeypatch.setattr(SupabaseCli, "diff", asked)
    case = "keys-deferrable"
    with lab.pair(text(case, "base.sql"), text(case, "change.sql"), text(case, "rows.sql")) as pair:
        (file,) = pair.generated().parts
        assert pair.scratches == 0
    (answer,) = answers
    assert file == engine_parts(answer)


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
