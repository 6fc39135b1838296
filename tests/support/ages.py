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
    # Less of everything.
    "shrunk": """
        drop function auth.role();
        drop schema graphql_public;
        drop schema vault;
        alter table auth.users drop column phone, disable row level security;
        revoke all on schema realtime from anon, authenticated;
    """,
}
