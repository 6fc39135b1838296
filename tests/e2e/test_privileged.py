"""Files that the platform lets `postgres` run and plain PostgreSQL does not, pushed by the real CLI."""

from __future__ import annotations

from pathlib import Path

import pytest

from sbsync_tasks.databases.embedded import RAISED, Clusters, as_admin, folder_of
from sbsync_tasks.databases.embedded.binaries import find_binaries
from tests.support.project import Project

pytestmark = [pytest.mark.e2e, pytest.mark.cli]
EVENTS = """
create function public.note() returns event_trigger language plpgsql as $$ begin end $$;
create event trigger note on ddl_command_end execute function public.note();
create publication everything for all tables;
create extension citext;
alter extension citext set schema extensions;
create extension postgres_fdw with schema extensions;
create server elsewhere foreign data wrapper postgres_fdw options (host '127.0.0.1');
create user mapping for postgres server elsewhere options (user 'u');
create foreign table public.far (a int) server elsewhere;
create role worker bypassrls;
comment on extension pgcrypto is 'digests';
"""
# What public projects have besides, each once
MET = """
create extension wrappers with schema extensions;
create foreign data wrapper stripe_wrapper
  handler extensions.stripe_fdw_handler validator extensions.stripe_fdw_validator;
create server stripe_server foreign data wrapper stripe_wrapper options (api_key_name 'stripe');
create foreign table public.payers (id text, email text) server stripe_server options (object 'customers');
create view public.emails as select email from public.payers;
create extension pg_hashids with schema extensions;
create table public.links (id bigint primary key, slug text not null default extensions.id_encode(1));
insert into storage.buckets (id, name) values ('old', 'old');
delete from storage.objects where bucket_id = 'old';
delete from storage.buckets where id = 'old';
create schema if not exists supabase_functions;
create table if not exists supabase_functions.hooks (id bigserial primary key, hook_name text not null);
insert into supabase_functions.hooks (hook_table_id, hook_name) values (1, 'met');
"""
VECTORS = """
create extension if not exists vector with schema extensions;
create table public.docs (id bigint primary key, embedding extensions.vector(3));
-- close ones first
create index docs_near on public.docs using hnsw (embedding extensions.vector_cosine_ops) with (m = 16);
create index docs_id on public.docs using btree (id);
select cron.schedule('nightly', '0 3 * * *', 'select 1');
drop extension pg_graphql;
"""


@pytest.mark.matrix
def test_both_directions_carry_what_only_the_platform_allows(project: Project):
    project.migration("20270101000000", "events", EVENTS)
    project.migration("20270102000000", "vectors", "create extension pg_cron with schema extensions;\n" + VECTORS)
    project.migration("20270103000000", "met", MET)
    project.sync("local-to-remote", "--allow-data-loss", "extension pg_graphql")
    for database in (project.local, project.remote):
        assert database.rows("select evtowner::regrole::text from pg_event_trigger where evtname = 'note'") == [
            ("postgres",)
        ]
        assert database.value("select puballtables from pg_publication where pubname = 'everything'")
        assert database.has("public.far")
        assert database.value("select rolbypassrls from pg_roles where rolname = 'worker'")
        assert database.value("select count(*) from pg_attribute where attrelid = 'public.emails'::regclass") == 1
        assert database.value("select count(*) from storage.buckets where id = 'old'") == 0
        assert database.value("select extnamespace::regnamespace::text from pg_extension where extname = 'citext'") == (
            "extensions"
        )
        assert not database.value("select rolsuper from pg_roles where rolname = 'postgres'")
        # The history says what the file says, though the index is left out
        recorded = database.history()["20270102000000"]["statements"]
        assert any(s.startswith("-- close ones first\ncreate index docs_near") for s in recorded)
        assert database.has("public.docs_id")
        assert not database.has("public.docs_near")
    again = project.sync("local-to-remote").text
    assert "equal as far as compared" in again
    assert "stand-ins on local, not the real extensions: pg_cron, pg_hashids, vector, wrappers" in again
    assert project.task("remote-to-local", "--yes").code == 0


@pytest.mark.matrix
def test_what_the_platform_refuses_stays_refused(project: Project):
    before = project.snapshot()
    project.migration("20270101000000", "ok", "create event trigger e on sql_drop execute function auth.uid();")
    project.migration("20270102000000", "refused", "alter system set work_mem = '1GB';")
    assert project.task("local-to-remote", "--yes").code != 0
    after = project.snapshot()
    assert (after.schemas, after.histories) == (before.schemas, before.histories)


def test_a_run_that_was_killed_meanwhile_leaves_no_superuser(tmp_path: Path):
    clusters = Clusters(tmp_path, find_binaries(None))
    try:
        endpoint = clusters.start("one")
        folder = folder_of(tmp_path, endpoint)
        assert folder
        (folder / RAISED).touch()
        with as_admin(folder, endpoint.port) as connection:
            connection.execute("alter role postgres superuser")
        clusters.start("one")
        assert not (folder / RAISED).exists()
        with as_admin(folder, endpoint.port) as connection:
            asked = connection.execute("select rolsuper from pg_roles where rolname = 'postgres'").fetchone()
            assert asked == (False,)
    finally:
        clusters.remove_all()
