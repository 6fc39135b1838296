"""What a push that failed has left: how much of a file, and the way on."""

import pytest

from sbsync_tasks.databases.catalog import CatalogObject, Difference
from sbsync_tasks.plan import partly
from sbsync_tasks.state.migrations import Migration

INDEX = CatalogObject("index", "public.a_e")
DEFINITION = "CREATE UNIQUE INDEX a_e ON public.a USING btree (e)"
LEFT = Difference(INDEX, None, f"{DEFINITION}\ninvalid")
HALF_DROPPED = Difference(INDEX, DEFINITION, f"{DEFINITION}\ninvalid")
TWO = "alter table public.a add column k int;\ncreate unique index concurrently a_e on public.a (e);\n"
DROP, REINDEX = "drop index concurrently if exists public.a_e;", "reindex index concurrently public.a_e;"


@pytest.mark.parametrize(
    ("sql", "atomic"),
    [
        (TWO, False),
        ("create unique index concurrently a_e on public.a (e);", True),
        ("begin; select 1; commit;", False),
        ("select 1; select 2;", True),
        ("selec 1", True),
    ],
)
def test_which_files_may_stay_in_part(sql, atomic):
    assert partly.is_atomic(Migration("1", "m", sql)) is atomic
    assert bool(partly.statements(Migration("1", "m", sql))) is (sql != "selec 1")


def test_a_procedure_that_is_called_may_end_transactions_of_its_own():
    texts = ("call public.p();", TWO, "create table t ();")
    assert [partly.may_leave_parts(Migration("1", "m", text)) for text in texts] == [True, True, False]


@pytest.mark.parametrize(("found", "cure", "fact"), [(LEFT, DROP, None), (HALF_DROPPED, REINDEX, DEFINITION)])
def test_an_invalid_index_is_dropped_or_built_again(found, cure, fact):
    (this,) = partly.invalid([found, Difference(CatalogObject("table", "public.t"), None, "invalid")])
    assert partly.cure(this) == cure
    table = CatalogObject("table", "public.a")
    mended = partly.mended({INDEX: found.right, table: ""}, [this])
    assert mended == {table: "", **({INDEX: fact} if fact else {})}


def test_what_is_invalid_on_both_sides_or_not_at_all_is_none():
    assert partly.invalid([Difference(INDEX, "x\ninvalid", "y\ninvalid"), Difference(INDEX, None, DEFINITION)]) == ()


def left(sql=TWO, fitting=(1,), broken=(LEFT,)):
    part = partly.Partly(Migration("1", "m", sql), min(fitting), max(fitting)) if fitting else None
    return partly.Leftovers("staging", partly.invalid(broken), part)


def numbered(way):
    return [line for line in way.splitlines() if line.startswith("  ")]


def test_finished_by_hand_or_adopted():
    found = left()
    assert "m.sql is there in part, its first statement (line 1: `alter table" in found.said
    assert "Invalid, and used by no query: public.a_e." in found.said
    drop, finish, again = numbered(found.way_on)
    assert DROP in drop
    assert "line 2: `create unique index concurrently" in finish
    assert "`invoke local-to-remote` again: it knows the file by its effect" in again
    assert "Or adopt what is there, instead of the last two: Take its first statement" in found.way_on
    assert "`invoke psql --remote`" in found.way_on


def test_all_of_it_is_there():
    found = left(fitting=(2,), broken=())
    assert numbered(found.way_on) == found.way_on.splitlines()
    assert "by its effect" in found.way_on
    assert "its first 2 statements (to line 2: " in found.said


def test_nothing_but_the_index_is_there():
    found = left("create unique index concurrently a_e on public.a (e);", (0,))
    assert found.said == "Invalid, and used by no query: public.a_e."
    drop, again = numbered(found.way_on)
    assert DROP in drop
    assert again.endswith("`invoke local-to-remote` again.")


def test_no_file_explains_it():
    assert len(numbered(left(fitting=()).way_on)) == 2


def test_rows_that_may_have_been_changed_are_told_and_the_rest_is_never_recorded_unseen():
    found = left("alter table a add k int;\nupdate a set k = 1;\ncreate index concurrently i on a (k);", (1, 2))
    assert "Whether line 2: `update a set k = 1` was run, too, the schemas do not tell" in found.said
    steps = numbered(found.way_on)
    assert [step.partition("`invoke ")[2].partition("`")[0] for step in steps] == [
        "", "", "remote-to-local", "local-to-remote",
    ]  # fmt: skip
    assert "Or " not in found.way_on


def test_credentials_are_masked():
    sql = "comment on table a is 'sb_secret_9fQ2xLkd83vbA9fQ2xLkd';\ncreate index concurrently i on a (k);"
    found = left(sql, (1,))
    assert "9fQ2xLkd83vbA" not in found.said + found.way_on
