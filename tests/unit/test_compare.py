"""Comparing catalogs: what a stand-in cannot have is no difference."""

import pytest

from sbsync_tasks import sqltext
from sbsync_tasks.databases.catalog import CatalogObject, Claims, compare, stand_ins, told, without_platform

TABLE = {CatalogObject("schema", "app", "app"): "", CatalogObject("table", "app.docs", "app"): "table"}
NEAR = {
    CatalogObject("index", "app.near", "app", "table app.docs"): (
        "CREATE INDEX near ON app.docs USING hnsw (embedding extensions.vector_l2_ops) WITH (m='16')"
    )
}
BY_ID = {
    CatalogObject("index", "app.by_id", "app", "table app.docs"): "CREATE INDEX by_id ON app.docs USING btree (id)"
}
VECTOR = {CatalogObject("stand-in", "vector"): "a stand-in for vector: …"}
GRAPHQL = {CatalogObject("stand-in", "pg_graphql"): "a stand-in for pg_graphql: …"}
REAL = TABLE | NEAR | BY_ID


@pytest.mark.parametrize("turn", [lambda a, b: (a, b), lambda a, b: (b, a)])
def test_an_index_that_no_stand_in_has_is_no_difference(turn):
    assert compare(*turn(REAL, TABLE | BY_ID | VECTOR)) == ()
    assert [d.object.name for d in compare(*turn(REAL, TABLE | VECTOR))] == ["app.by_id"]
    assert [d.object.name for d in compare(*turn(REAL, TABLE | BY_ID))] == ["app.near"]


def test_the_engines_statements_about_it_are_left_out():
    make = "CREATE INDEX near ON app.docs USING hnsw (embedding extensions.vector_l2_ops);\n"
    other = "CREATE INDEX other ON app.docs USING btree (id);\n"
    here, there = TABLE | BY_ID | VECTOR, REAL
    assert without_platform(make, here, there) == ""
    assert without_platform("DROP INDEX app.near;\n", there, here) == ""
    assert without_platform(make + other, here, there).strip() == other.strip()
    assert without_platform(make, TABLE, REAL) == make


def test_the_platforms_own_are_not_named():
    assert stand_ins(VECTOR | GRAPHQL) == ("vector",)


@pytest.mark.parametrize(("left", "right"), [("local", "staging"), ("staging", "local")])
def test_each_line_names_the_database_that_it_is_about(left, right):
    note = CatalogObject("column", "app.docs.note", "app", "table app.docs")
    here, there = TABLE | {note: "text"}, TABLE | BY_ID | {note: "integer"}
    one, other = told(compare(here, there, names=(left, right)))
    assert other.startswith("index app.by_id") or one.startswith("index app.by_id")
    lines = f"{one}\n{other}"
    assert f"only on {right}" in lines
    assert f"only on {left}" not in lines
    assert f"{left} text" in lines
    assert f"{right} integer" in lines


# --- what migrations claim is found out when it counts ---

STORAGE = {CatalogObject("schema", "storage", "storage", whose="service"): ""}
BUCKETS = CatalogObject("table", "storage.buckets", "storage", whose="service")
GRANTED = CatalogObject("acl", "anon on table storage.buckets", "storage", "table storage.buckets", "service")
PUBLIC = {
    CatalogObject("schema", "public", "public", whose="service"): "",
    CatalogObject("default acl", "supabase_admin in schema public: tables", "public", whose="service"): "anon: SELECT",
}


def test_migrations_are_parsed_where_the_platforms_objects_differ_and_only_once(mocker):
    parse = mocker.spy(sqltext, "parse")
    claims, text = Claims(), "grant select on storage.buckets to anon; -- asked for once"
    platforms = STORAGE | PUBLIC | {BUCKETS: "table"}
    one, other = REAL | platforms | {GRANTED: "SELECT"}, TABLE | platforms | {GRANTED: "SELECT"}
    claims.add([text])
    assert [d.object.name for d in compare(one, other, claims)] == ["app.by_id", "app.near"]
    make = "CREATE TABLE app.new (id int);\n"
    assert without_platform(make, one, other, claims) == make
    assert [call.args[0] for call in parse.call_args_list] == [make]
    del other[GRANTED]
    for _ in range(2):
        claims.add([text])
        assert "anon on table storage.buckets" in [d.object.name for d in compare(one, other, claims)]
    assert [call.args[0] for call in parse.call_args_list] == [make, text]
    assert not [d for d in compare(one, other) if d.object == GRANTED]
