"""When two names are taken for one table or one type."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from sbsync_tasks.generate.ahead import partition_indexes
from sbsync_tasks.generate.kept import Named, _moved, _pairs

if TYPE_CHECKING:
    from sbsync_tasks.generate.facts import Both

ALPHA, BETA = "public.alpha", "public.beta"


def table(name: str, *columns: str, marks: str = "") -> Named:
    schema, _, own = name.partition(".")
    parts = (column.split() for column in columns)
    shape = frozenset((f"{place} {kind}", column) for place, column, kind in parts)
    return Named("table", schema, own, "", shape, frozenset(marks.split()))


def enum(name: str, definition: str) -> Named:
    schema, _, own = name.partition(".")
    return Named("type", schema, own, definition, frozenset(), frozenset())


def paired(here: Sequence[Named], there: Sequence[Named]) -> list[tuple[str, str]]:
    named = [{f"{each.schema}.{each.name}": each for each in side} for side in (here, there)]
    return [(f"{old.schema}.{old.name}", f"{new.schema}.{new.name}") for old, new in _pairs(*named)]


@pytest.mark.parametrize(
    ("new", "same"),
    [
        (table(BETA, "1 id int", marks="alpha_pkey"), True),  # an index keeps its name
        (table(BETA, "1 id int", "2 more text", marks="alpha_pkey"), True),
        (table(BETA, "1 id int", marks="beta_pkey"), False),  # a new table
        (table(BETA, "2 id int", marks="alpha_pkey"), False),
        (table(BETA, "1 number int", marks="alpha_pkey"), True),  # its columns may have got other names, too
        (table(BETA, "1 number int", marks="alpha_pkey another"), True),
        (table("other.alpha", "1 number int"), False),
        (table("other.alpha", "1 id int", marks="x"), True),
        (table("other.beta", "1 id int"), False),
    ],
)
def test_a_table_is_known_by_its_name_or_by_an_index(new: Named, *, same: bool) -> None:
    found = paired([table(ALPHA, "1 id int", marks="alpha_pkey")], [new])
    assert found == ([(ALPHA, f"{new.schema}.{new.name}")] if same else [])


def test_where_columns_have_other_names_all_indexes_are_called_as_before() -> None:
    here = [table(ALPHA, "1 id int", marks="alpha_pkey by_name")]
    assert paired(here, [table(BETA, "1 number int", marks="by_name beta_pkey")]) == []
    assert paired(here, [table(BETA, "1 number int", marks="by_name alpha_pkey")]) == [(ALPHA, BETA)]


def test_a_table_that_is_still_there_has_no_other_name() -> None:
    here = table(ALPHA, "1 id int", marks="key")
    assert paired([here], [here, table(BETA, "1 id int", marks="key")]) == []


def test_where_two_may_be_meant_the_one_that_kept_its_name_is_or_none() -> None:
    there = [table("other.alpha", "1 id int", marks="key"), table("other.beta", "1 id int", marks="key")]
    assert paired([table(ALPHA, "1 id int", marks="key")], there) == [(ALPHA, "other.alpha")]
    assert paired([table("public.gamma", "1 id int", marks="key")], there) == []
    both = [table(ALPHA, "1 id int", marks="key"), table(BETA, "1 id int", marks="key")]
    assert paired(both, there) == [(ALPHA, "other.alpha"), (BETA, "other.beta")]


def test_a_type_is_known_by_what_it_is() -> None:
    here = [enum(ALPHA, "'a', 'b'")]
    assert paired(here, [enum(BETA, "'a', 'b'")]) == [(ALPHA, BETA)]
    assert paired(here, [enum(BETA, "'a', 'c'")]) == []


@pytest.mark.parametrize(
    ("taken", "names"),
    [
        ("", "legacy.orders>orders_legacy legacy.orders_legacy>public"),
        ("public.orders", "legacy.orders>orders_legacy legacy.orders_legacy>public"),
        ("legacy.orders_legacy", "legacy.orders>public public.orders>orders_legacy"),
        (
            "public.orders legacy.orders_legacy",
            "legacy.orders>sbsync_spare legacy.sbsync_spare>public public.sbsync_spare>orders_legacy",
        ),
    ],
)
def test_a_table_enters_its_new_schema_under_a_name_that_is_free_in_both(taken: str, names: str) -> None:
    old, new = table("legacy.orders", "1 id int"), table("public.orders_legacy", "1 id int")
    text = _moved(old, new, {"legacy.orders", *taken.split()}).text
    steps = text.removeprefix("ALTER TABLE ").split(";\nALTER TABLE ")
    said = " ".join(step.replace(" RENAME TO ", ">").replace(" SET SCHEMA ", ">") for step in steps)
    assert said == names


def test_another_name_or_another_schema_alone_is_one_statement() -> None:
    old, taken = table(ALPHA), {ALPHA, BETA, "other.alpha"}
    assert _moved(old, table(BETA), taken).text == "ALTER TABLE public.alpha RENAME TO beta"
    assert _moved(old, table("other.alpha"), taken).text == "ALTER TABLE public.alpha SET SCHEMA other"


def test_indexes_that_exchange_their_names_go_over_spare_ones_together() -> None:
    sides = ("s.a s.b t.a s.x s.k", "s.b s.a t.b s.y s.k")
    rows = tuple([(known, *each.split(".")) for known, each in enumerate(side.split())] for side in sides)
    parts = partition_indexes(cast("Both", SimpleNamespace(read=lambda _query: rows)))
    steps = [part.text.removeprefix("ALTER INDEX ").split(";\nALTER INDEX ") for part in parts]
    assert [" ".join(each.replace(" RENAME TO ", ">") for each in several) for several in steps] == [
        "t.a>b", "s.x>y", "s.a>sbsync_spare_1 s.b>sbsync_spare_2 s.sbsync_spare_1>b s.sbsync_spare_2>a"
    ]  # fmt: skip
