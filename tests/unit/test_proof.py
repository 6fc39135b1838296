"""What a proof says, and when it may be believed."""

import json

import pytest

from sbsync_tasks.databases.catalog import NOT_COMPARED, CatalogObject, Claims, Difference, compare, in_line_ends_alone
from sbsync_tasks.run.proof import ENGINE, FINGERPRINT, HISTORIES, Proof, engine_and_catalogs, except_for

NAMES = ("staging", "local")
HERE = Difference(CatalogObject("owner", "table public.a", "public", "table public.a"), "x", "y", NAMES)
THERE = Difference(CatalogObject("owner", "table public.b", "public", "table public.b"), None, "y", NAMES)


def proof(**given):
    return Proof(**{"databases": ("staging", "local"), "sql": "", "differences": (), "histories": (), **given})


def test_nothing_differs():
    made = proof()
    assert (made.holds, made.in_sync, made.verdict, made.lines()) == (True, True, "equal as far as compared", [])


@pytest.mark.parametrize(
    "given", [{"sql": "drop table a;"}, {"differences": (HERE,)}, {"histories": ("20260101000000",)}]
)
def test_anything_that_differs_breaks_it(given):
    made = proof(**given, pending=("p.sql",))
    assert (made.holds, made.in_sync, made.verdict) == (False, False, "different")
    assert len(made.lines()) == 1


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"pending": ("a.sql", "b.sql")}, "2 pending"),
        ({"unrecorded": ("a.sql",)}, "1 not recorded on the remote"),
        ({"known_drift": (HERE,)}, "1 known to drift"),
        ({"pending": ("a.sql",), "known_drift": (HERE,)}, "1 pending, 1 known to drift"),
    ],
)
def test_what_is_set_apart_is_neither_a_difference_nor_in_sync(given, words):
    made = proof(**given)
    assert (made.holds, made.in_sync) == (True, False)
    assert made.verdict == f"equal as far as compared, apart from {words}"


def test_each_difference_has_its_line():
    made = proof(sql="x", differences=(HERE, THERE), histories=("1", "2"))
    lines = made.lines()
    assert lines[:2] == [HERE.summary, THERE.summary]
    assert "public.a" in lines[0]
    assert lines[2:] == [f"history: {v} is not everywhere the same; see `invoke status`" for v in "12"]


def test_the_engine_alone_may_see_a_difference():
    (line,) = proof(sql="alter table a add b int;").lines()
    assert "diff engine" in line


def test_as_data_it_says_what_it_covers_and_what_not():
    made = json.loads(json.dumps(proof(sql="s", differences=(THERE,), pending=("p.sql",)).document()))
    assert made["in_sync"] is False
    definitions = {"staging": None, "local": "y"}
    assert made["differences"] == [{"kind": "owner", "name": "table public.b", "definitions": definitions}]
    assert made["databases"] == ["staging", "local"]
    assert (made["diff"], made["pending"]) == ("s", ["p.sql"])
    assert made["compared"] == [ENGINE, FINGERPRINT, HISTORIES]
    assert made["not_compared"] == list(NOT_COMPARED)
    assert any("rows" in text for text in made["not_compared"])


def test_definitions_stand_as_they_are_but_for_what_looks_like_a_credential():
    token = "Bearer abcdefghij0123456789"
    hook = Difference(CatalogObject("trigger", "hook on public.a"), f"call('{token}')", None, NAMES)
    made = proof(differences=(hook,))
    (shown,) = made.document()["differences"]
    assert shown["definitions"] == {"staging": "call('Bearer ***')", "local": None}
    assert token not in json.dumps(made.document()) + "".join(made.lines())


def test_what_the_platform_brings_counts_for_nothing_and_stands_in_the_data():
    made = proof(platform=(HERE,), exposed=(("staging", "anon on auth.users: SELECT"),))
    assert (made.holds, made.in_sync, made.lines()) == (True, True, [])
    assert made.document()["platform"][0]["name"] == "table public.a"
    assert made.document()["exposed"] == [{"database": "staging", "right": "anon on auth.users: SELECT"}]


def test_what_stood_in_is_named_and_what_it_lacks_is_not_compared():
    made = proof(stand_ins=(("local", "vector"), ("local", "pg_cron")))
    assert made.in_sync
    assert made.document()["stand_ins"][0] == {"database": "local", "extension": "vector"}
    assert any("hnsw" in text for text in made.not_compared)
    assert not any("hnsw" in text for text in proof(stand_ins=(("local", "pg_cron"),)).not_compared)


def test_a_proof_of_some_schemas_says_so_everywhere():
    made = proof(schemas=("public", "app"))
    assert "public, app alone" in made.compared_in_short
    assert "public, app" in made.document()["compared"][0]
    assert "SBSYNC_SCHEMAS" in made.document()["not_compared"][0]


def test_with_known_drift_the_engine_is_not_claimed():
    made = proof(known_drift=(HERE,))
    assert ENGINE not in made.document()["compared"]
    assert "engine" not in made.compared_in_short
    assert any("engine" in text for text in made.document()["not_compared"])


def test_versions_without_statements_are_named():
    made = proof(bare=("20260101000000",))
    assert "20260101000000" in made.compared_in_short
    assert any("20260101000000" in text for text in made.document()["not_compared"])


def test_only_the_very_difference_that_was_known_is_excused():
    changed = Difference(HERE.object, "x", "z")
    assert except_for((HERE,), (changed, HERE, THERE)) == (changed, THERE)
    assert except_for((), (HERE,)) == (HERE,)


# --- line ends ---

FUNCTION, COMMENT = CatalogObject("function", "public.f()"), CatalogObject("table", "public.t")


def test_line_ends_are_no_difference_and_are_told():
    left, right = {FUNCTION: "begin\r\nend", COMMENT: "a"}, {FUNCTION: "begin\nend", COMMENT: "a"}
    assert (compare(left, right), in_line_ends_alone(left, right)) == ((), (FUNCTION,))
    made = proof(line_ends=in_line_ends_alone(left, right))
    assert (made.holds, made.in_sync) == (True, True)
    assert made.verdict == "equal as far as compared, apart from 1 different in line ends alone"
    assert ENGINE not in made.compared  # it cannot leave them out


@pytest.mark.parametrize(("one", "other"), [("a\rb", "a\nb"), ("a\r\nb", "ab"), ("a\r\nb", "a\nB"), ("a\n\nb", "a\nb")])
def test_anything_beside_line_ends_is_one(one, other):
    left, right = {FUNCTION: one}, {FUNCTION: other}
    assert [d.object for d in compare(left, right)] == [FUNCTION]
    assert in_line_ends_alone(left, right) == ()
    assert in_line_ends_alone({FUNCTION: one}, {}) == ()


@pytest.mark.parametrize(
    ("script", "counts"),
    [
        ("COMMENT ON EXTENSION citext IS 'own';", False),
        ("COMMENT ON EXTENSION citext IS 'own'; CREATE TABLE public.t ();", True),
    ],
)
def test_what_no_migration_would_carry_is_no_difference(mocker, script, counts):
    run = mocker.Mock(**{"cli.diff.return_value": script, "claims_of.return_value": Claims()})
    compared = engine_and_catalogs(run, mocker.Mock(), mocker.Mock(), {}, {})
    assert bool(compared.sql) is counts
    assert "EXTENSION" not in compared.sql
