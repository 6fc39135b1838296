"""Extensions that plain PostgreSQL lacks: what stands in for them can be made, dropped, pinned and used."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from sbsync_tasks.databases.embedded import Clusters
from sbsync_tasks.databases.embedded.base import EMPTY, STAND_INS
from sbsync_tasks.databases.embedded.binaries import find_binaries
from tests.support.project import Data
from tools.extension_facts import facts

pytestmark = pytest.mark.e2e
FACTS = Path(__file__).parents[1] / "facts"  # of the real ones, by tools/extension_facts.py
# What a stand-in leaves out: index methods exist in name only, and masks need pgsodium's provider of security labels
LEFT_OUT = {
    "vector": re.compile(r"operator class .* using (hnsw|ivfflat)"),
    "pgsodium": re.compile(
        r"(function|view) "
        r"(.*mask.*|seclabel|.*security_label.*|(en|de)crypted_columns?\(|quote_assoc|version|.*_update_agg)"
    ),
}
# Names that begin so are an extension's own affair
INNER = re.compile(r"(function|table|view|sequence|type) (\w+\.)?\"?_")
FROM_THE_START = {"pg_graphql", "pg_stat_statements", "pgcrypto", "supabase_vault", "uuid-ossp"}
USES = (  # a call of each, and what it answers; a call that has no answer raises
    ("select cron.schedule('nightly', '0 3 * * *', 'select 1')", 1),
    ("select jobname || ' ' || schedule || ' ' || username from cron.job", "nightly 0 3 * * * postgres"),
    ("select cron.unschedule('nightly')", True),
    ("select net.http_post('http://example.org', '{\"a\": 1}')", 1),
    ("select method || ' ' || url from net.http_request_queue", "POST http://example.org"),
    ("select count(vault.create_secret('s', 'n'))", 1),
    ("select decrypted_secret from vault.decrypted_secrets where name = 'n'", "s"),
    ("select pgmq.create('jobs')", ""),
    ("select pgmq.send('jobs', '{\"n\": 1}')", 1),
    ("select message ->> 'n' from pgmq.read('jobs', 30, 1)", "1"),
    ("select pgmq.archive('jobs', 1)", True),
    ("select count(*) from pgmq.a_jobs", 1),
    ("select '[1,2,3]'::extensions.vector(3) operator(extensions.<->) '[1,2,5]'", 2.0),
    ("select extensions.avg(v)::text from (values ('[1,2]'::extensions.vector), ('[3,4]')) t(v)", "[2,3]"),
    ("select (array[1, 2, 3]::extensions.vector)::text", "[1,2,3]"),
    ("select ('[1,0,3]'::extensions.vector::extensions.sparsevec)::text", "{1:1,3:3}/3"),
    ("select '{1:1,3:3}/3'::extensions.sparsevec operator(extensions.<->) '{3:3}/3'", 1.0),
    ("select has_function_privilege('anon', 'extensions.hnsw_bit_support(internal)', 'execute')", True),
    ("select valid from extensions.verify(extensions.sign('{\"a\": 1}', 'key'), 'key')", True),
    ("select extensions.urlencode('a b&c'::varchar)", "a%20b%26c"),
    ("select extensions.json_matches_schema('{}', '{}')", True),
    ("select cardinality(index_statements) from extensions.index_advisor('select 1')", 0),
    ("select graphql.resolve('{ a }') ? 'errors'", True),
    ("select status::text from pgsodium.create_key()", "valid"),
    ("select extensions.ok(true)", None),
    ("select extensions.id_decode_once(extensions.id_encode(1234, 'salt', 8), 'salt', 8)", 1234),
    ("select length(extensions.id_encode(array[1, 2], '', 10))", 10),
)  # fmt: skip


@pytest.fixture
def database(tmp_path) -> Iterator[Data]:
    """A fresh embedded database."""
    clusters = Clusters(tmp_path, find_binaries(17))
    try:
        yield Data(clusters.start("stand-ins"))
    finally:
        clusters.remove_all()


def test_the_platforms_extensions_are_there_from_the_start_and_can_be_dropped_and_made_again(database):
    there = {name for (name,) in database.rows("select extname from pg_extension")}
    assert there == {*FROM_THE_START, "plpgsql"}
    for name in sorted(FROM_THE_START):
        schema = STAND_INS[name].schema if name in STAND_INS else "extensions"
        database.run(f'drop extension "{name}"', f'create extension "{name}" with schema {schema}')


def test_every_stand_in_can_be_made_in_each_pinned_version_and_used(database):
    database.run("create schema if not exists pgmq", "create schema pgsodium")
    for name, one in STAND_INS.items():
        schema = one.schema or "extensions"
        for version in one.pinned:
            database.run(
                f"drop extension if exists {name}",
                f"create extension {name} with schema {schema} version '{version}' cascade",
                f"drop extension {name} cascade",
            )
    for name in (*STAND_INS, *EMPTY):
        schema = STAND_INS[name].schema if name in STAND_INS else ""
        database.run(f"create extension if not exists {name} with schema {schema or 'extensions'} cascade")
    for statement, expected in USES:
        rows = database.rows(statement)
        assert (rows[0][0] if rows else None) == expected, statement
    assert {f.name for f in database.catalog() if f.kind == "stand-in"} >= {*STAND_INS} - {"hypopg", "pgtap", "vector"}
    # Whatever schema was asked for, as on the platform
    place = "select extnamespace::regnamespace::text from pg_extension where extname = 'pg_cron'"
    assert database.value(place) == "pg_catalog"


def test_each_has_the_signatures_of_the_real_one(database):
    """Types, tables, functions with their defaults, operators, casts: as the catalogs of the real one have them."""
    database.run("create schema pgmq", "create schema pgsodium")
    found = {}
    for name, one in STAND_INS.items():
        database.run(f"create extension if not exists {name} with schema {one.schema or 'extensions'} cascade")
        with database.connection() as connection:
            ours = {line for line in facts(connection, name) if not INNER.match(line)}
        real = {line for line in (FACTS / f"{name}.txt").read_text().splitlines()[1:] if not INNER.match(line)}
        apart = LEFT_OUT.get(name, re.compile("(?!)"))
        lacking = {line for line in real - ours if not apart.match(line)}
        found[name] = sorted({*(f"lacks {line}" for line in lacking), *(f"has {line}" for line in ours - real)})
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_nothing_is_sent_and_nothing_runs(database):
    database.run("create extension http with schema extensions")
    with pytest.raises(psycopg.Error, match="no request is sent from this database"):
        database.run("select extensions.http_get('http://127.0.0.1:1/')")
    for missing in ("postgis", "timescaledb", "plv8"):
        with pytest.raises(psycopg.errors.FeatureNotSupported, match=f'extension "{missing}" is not available'):
            database.run(f"create extension {missing}")


def test_a_webhook_is_noted_and_what_postgres_may_set_for_a_role_holds(database):
    database.run(
        "create table public.orders (id int)",
        "create trigger told after insert on public.orders for each row execute function"
        " supabase_functions.http_request('https://example.org', 'POST', '{}', '{}', '1000')",
        "insert into public.orders values (1), (2)",
        "alter role authenticator set pgrst.db_aggregates_enabled to 'true'",
        "alter role authenticator set pgrst.db_schemas = 'public, api'",
        "alter role postgres set safeupdate.enabled = 'on'",
    )
    assert database.rows("select hook_name from supabase_functions.hooks") == [("told",), ("told",)]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        database.run("alter role authenticator set app.secret = 'x'")
