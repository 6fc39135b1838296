"""Ages of the platform, made from one small base: what differs among them is nobody's doing."""

from __future__ import annotations

# Each is run by the superuser after plain_base.sql. Roles are made first where an age has more of them.
AGES = {
    "plain": "",
    # Other privileges and owners, fewer default ones; the service roles own the schemas.
    "owners": """
        create role supabase_realtime_admin noinherit;
        create role dashboard_user createdb createrole;
        grant supabase_realtime_admin to postgres;
        alter schema auth owner to supabase_auth_admin;
        alter schema storage owner to supabase_storage_admin;
        alter schema extensions owner to postgres;
        alter function auth.uid() owner to supabase_auth_admin;
        alter function auth.role() owner to supabase_auth_admin;
        grant all on schema auth, extensions to dashboard_user;
        revoke all on all functions in schema storage from public;
        grant execute on function storage.foldername(text) to service_role, dashboard_user;
        revoke insert, update on storage.objects from anon;
        create table realtime.messages (topic text not null, payload jsonb, id uuid not null default gen_random_uuid());
        alter table realtime.messages owner to supabase_realtime_admin;
        alter table realtime.messages enable row level security;
        grant select, insert on realtime.messages to anon, authenticated, postgres;
        alter default privileges for role supabase_admin in schema public grant all on tables to anon, authenticated;
        alter default privileges for role supabase_storage_admin in schema storage grant all on tables to postgres;
    """,
    # Extra columns, constraints, tables, types, functions, triggers and event triggers; a schema that no list has.
    "grown": """
        create role supabase_etl_admin;
        create type auth.factor_type as enum ('totp', 'phone');
        alter type auth.factor_type owner to supabase_auth_admin;
        alter table auth.users add column is_anonymous boolean not null default false,
          add constraint users_phone_key unique (phone);
        create table auth.mfa_factors (id uuid primary key, kind auth.factor_type);
        alter table auth.mfa_factors owner to supabase_auth_admin;
        create function auth.jwt() returns jsonb language sql stable as $$ select '{}'::jsonb $$;
        alter function auth.jwt() owner to supabase_auth_admin;
        create function storage.extension(name text) returns text language sql immutable as $$ select 'x' $$;
        create function storage.enforce() returns trigger language plpgsql as $$ begin return new; end $$;
        alter function storage.enforce() owner to supabase_storage_admin;
        create trigger enforce before insert on storage.objects for each row execute function storage.enforce();
        create table storage.migrations (id int primary key, name text);
        alter table storage.migrations owner to supabase_storage_admin;
        grant all on storage.migrations to anon, authenticated;
        create function extensions.pgrst_watch() returns event_trigger language plpgsql as $$ begin end $$;
        alter function extensions.pgrst_watch() owner to postgres;
        create event trigger pgrst_watch on ddl_command_end execute function extensions.pgrst_watch();
        create schema supabase_new;
        create table supabase_new.pipelines (id int primary key);
        grant usage on schema supabase_new to anon, postgres;
        create publication supabase_realtime_internal for table storage.objects;
        alter publication supabase_realtime_internal owner to supabase_admin;
        create table realtime.messages (topic text not null, id uuid not null, at date) partition by range (at);
        alter table realtime.messages owner to supabase_auth_admin;
        alter table realtime.messages enable row level security;
        grant select, insert on realtime.messages to anon, authenticated, service_role, postgres;
    """,
    # As hosted projects were in 2023: managed schemas of extensions and services, roles and privileges of their own.
    "early": """
        create role supabase_functions_admin noinherit createrole login;
        create role pgbouncer login;
        create role pgsodium_keyholder;
        create role pgsodium_keyiduser;
        create role supabase_replication_admin login replication;
        grant pgsodium_keyholder to service_role;
        create schema pgbouncer authorization pgbouncer;
        create function pgbouncer.get_auth(name text) returns table (username text, password text) language sql as
          $$ select ''::text, ''::text $$;
        create schema supabase_functions authorization supabase_functions_admin;
        create table supabase_functions.hooks (id bigint generated always as identity primary key, hook_name text);
        alter table supabase_functions.hooks owner to supabase_functions_admin;
        grant all on all tables in schema supabase_functions to postgres, anon, authenticated, service_role;
        create schema net;
        create table net.http_request_queue (id bigint primary key, url text);
        create function net.http_get(url text) returns bigint language sql as 'select 1::bigint';
        grant usage on schema net to anon, authenticated, service_role, supabase_functions_admin;
        create schema cron;
        create table cron.job (jobid bigint primary key, schedule text, command text);
        grant usage on schema cron to postgres with grant option;
        create schema pgsodium;
        create table pgsodium.key (id uuid primary key);
        create schema pgsodium_masks;
        grant all on schema pgsodium to pgsodium_keyiduser;
        create schema graphql;
        create function graphql_public.graphql(query text) returns jsonb language sql as $$ select '{}'::jsonb $$;
        grant usage on schema graphql_public, graphql to anon, authenticated, service_role;
        create function extensions.grant_pg_net_access() returns event_trigger language plpgsql as $$ begin end $$;
        alter function extensions.grant_pg_net_access() owner to postgres;
        create event trigger issue_pg_net_access on ddl_command_end when tag in ('CREATE EXTENSION')
          execute function extensions.grant_pg_net_access();
        create function extensions.set_graphql_placeholder() returns event_trigger language plpgsql as $$ begin end $$;
        create event trigger issue_graphql_placeholder on sql_drop
          execute function extensions.set_graphql_placeholder();
        create table realtime.subscription (id bigint generated always as identity primary key, entity regclass);
        create function realtime.to_regrole(name text) returns regrole language sql as 'select name::regrole';
        create table realtime.messages (id uuid primary key, topic text not null);
        alter table realtime.messages owner to supabase_auth_admin;
        alter table realtime.messages enable row level security;
        alter table storage.objects add column path_tokens text[]
          generated always as (string_to_array(name, '/')) stored;
        create index name_prefix_search on storage.objects (name text_pattern_ops);
        alter default privileges in schema storage grant all on tables to anon, authenticated, service_role, postgres;
        alter default privileges for role postgres in schema graphql_public grant all on functions to anon;
        alter default privileges for role supabase_admin in schema graphql grant all on tables to postgres;
        grant all on storage.buckets, storage.objects to anon, authenticated with grant option;
        comment on table auth.users is 'Auth: Stores user login data within a secure schema.';
        comment on schema public is 'standard public schema';
    """,
    # As they are from the end of 2026 on: new objects get no rights, and `postgres` may do less.
    "late": """
        create role supabase_realtime_admin noinherit;
        create role dashboard_user createdb createrole;
        create role supabase_etl_admin login replication;
        create role supabase_read_only_user login bypassrls;
        alter default privileges for role postgres in schema public
          revoke select, insert, update, delete on tables from anon, authenticated, service_role;
        alter default privileges for role postgres in schema public
          revoke usage, select on sequences from anon, authenticated, service_role;
        alter default privileges for role postgres in schema public
          revoke execute on functions from anon, authenticated, service_role;
        create schema _realtime authorization supabase_admin;
        create table _realtime.tenants (id uuid primary key, name text);
        create schema _analytics;
        create schema pgmq;
        create table pgmq.meta (queue_name text primary key);
        grant usage on schema pgmq to postgres;
        create schema etl authorization supabase_etl_admin;
        create schema _supavisor;
        create table realtime.messages (topic text not null, id uuid not null, inserted_at timestamp not null)
          partition by range (inserted_at);
        create table realtime.messages_2026_11_28 partition of realtime.messages
          for values from ('2026-11-28') to ('2026-11-29');
        alter table realtime.messages owner to supabase_realtime_admin;
        alter table realtime.messages_2026_11_28 owner to supabase_realtime_admin;
        alter table realtime.messages enable row level security;
        grant select, insert on realtime.messages to anon, authenticated, service_role, postgres;
        create publication supabase_realtime_messages_publication for table realtime.messages;
        alter publication supabase_realtime_messages_publication owner to supabase_admin;
        create table storage.buckets_vectors (id text primary key);
        alter table storage.buckets_vectors owner to supabase_storage_admin;
        alter table storage.buckets_vectors enable row level security;
        create function storage.protect_delete() returns trigger language plpgsql as $$ begin return old; end $$;
        alter function storage.protect_delete() owner to supabase_storage_admin;
        create trigger protect_objects_delete before delete on storage.objects
          for each statement execute function storage.protect_delete();
        create table auth.oauth_clients (id uuid primary key);
        alter table auth.oauth_clients owner to supabase_auth_admin;
        grant select on auth.oauth_clients to postgres, dashboard_user;
        alter default privileges for role supabase_auth_admin in schema auth grant select on tables to dashboard_user;
        create function extensions.pgrst_drop_watch() returns event_trigger language plpgsql as $$ begin end $$;
        create event trigger pgrst_drop_watch on sql_drop execute function extensions.pgrst_drop_watch();
        revoke all on all tables in schema auth from postgres;
        grant select, references, trigger on auth.users to postgres;
        revoke usage on schema extensions from public;
    """,
    # What single images brought: guards of `auth`, schemas and roles for services that few projects use, grant options.
    "guarded": """
        create sequence auth.changes_seq;
        create sequence auth.lock_seq increment by -1 no minvalue no maxvalue start with -1;
        grant all on sequence auth.changes_seq, auth.lock_seq to supabase_auth_admin with grant option;
        create function auth.enable_schema_ddl_protection() returns void language sql as $$ $$;
        create function auth.schema_ddl_protection_drop() returns event_trigger language plpgsql as $$ begin end $$;
        create event trigger protect_auth_schema_ddl_sql_drop on sql_drop
          execute function auth.schema_ddl_protection_drop();
        create schema supabase_subscription_mgmt;
        create function supabase_subscription_mgmt.pg_drop_subscription(name text) returns void language sql
          security definer set search_path = pg_catalog as $$ $$;
        grant usage on schema supabase_subscription_mgmt to postgres;
        create role duckdb_role;
        grant duckdb_role to postgres with admin option;
        grant duckdb_role to service_role, supabase_admin;
        create function extensions.grant_pg_duckdb_access() returns event_trigger language plpgsql as $$ begin end $$;
        comment on function extensions.grant_pg_duckdb_access is 'Grants access to pg_duckdb';
        create event trigger issue_pg_duckdb_access on ddl_command_end when tag in ('CREATE EXTENSION')
          execute function extensions.grant_pg_duckdb_access();
        grant usage on schema storage, realtime, auth to postgres with grant option;
        grant all on all tables in schema storage to postgres with grant option;
        create schema supabase_functions;
        create table supabase_functions.migrations (version text primary key);
        alter default privileges in schema supabase_functions grant all on tables to postgres, anon, authenticated;
        create role supabase_superuser;
        create role cli_login_postgres login noinherit;
        grant postgres to cli_login_postgres;
        create table storage.prefixes (bucket_id text, name text, level int, primary key (bucket_id, level, name));
        alter table storage.prefixes owner to supabase_storage_admin;
        alter table storage.prefixes enable row level security;
        create function storage.get_level(name text) returns int language sql immutable strict as 'select 1';
        alter function storage.get_level(text) owner to supabase_storage_admin;
        create role dashboard_user;
        alter function auth.uid() owner to postgres;
        grant execute on function auth.uid() to dashboard_user;
        alter table storage.objects add column level int;
        create unique index idx_name_bucket_level on storage.objects (name, bucket_id, level);
        create schema realtime_internal authorization supabase_admin;
        create function realtime.topic() returns text language sql stable as 'select null::text';
        alter function realtime.topic() owner to supabase_auth_admin;
        alter function auth.uid() owner to postgres;
        grant execute on function auth.uid() to anon;
    """,
    # Less of everything.
    "shrunk": """
        drop function auth.role();
        drop schema graphql_public;
        drop schema vault;
        alter table auth.users drop column phone, disable row level security;
        revoke all on schema realtime from anon, authenticated;
    """,
}
