-- The platform's roles: attributes, memberships, settings.
-- Sources, all in supabase/postgres: migrations/db/init-scripts, migrations/db/migrations, and what they
-- come to as its tests expect it on version 17 (nix/tests/expected: roles.out, z_17_roles.out, realtime.out).
-- Left out: roles of extensions that cannot be had here (pgsodium_*, pgtle_admin), and the
-- session_preload_libraries of `authenticator` and `postgres` (supautils, safeupdate).

create role postgres login createdb createrole replication bypassrls;
alter role supabase_admin createdb createrole replication bypassrls;

-- What the Data API switches to, by the request's key
create role anon nologin inherit;
create role authenticated nologin inherit;
create role service_role nologin inherit bypassrls;
create role authenticator login noinherit;

-- The services
create role supabase_auth_admin login noinherit;
create role supabase_storage_admin login noinherit createrole;
create role supabase_functions_admin login noinherit createrole;
create role supabase_realtime_admin login noinherit createrole replication;
create role supabase_replication_admin login replication;
create role supabase_etl_admin login replication bypassrls;
create role supabase_read_only_user login bypassrls;
create role pgbouncer login;
create role dashboard_user nologin createdb createrole replication;
create role supabase_privileged_role nologin;

grant anon, authenticated, service_role to authenticator;
grant authenticator to supabase_storage_admin;
grant pg_read_all_data to supabase_read_only_user, supabase_etl_admin;
grant supabase_privileged_role to postgres, supabase_etl_admin;
grant anon, authenticated, service_role, authenticator to postgres with admin option;
grant pg_monitor, pg_read_all_data, pg_signal_backend to postgres with admin option;
-- A role of PostgreSQL 16 and newer
do $$
begin
  if current_setting('server_version_num')::int >= 160000 then
    grant pg_create_subscription to postgres;
  end if;
end $$;

-- NOT the platform's: there the extension supautils lets `postgres` manage the policies and drop the triggers
-- of 23 tables of these three owners (supautils.policy_grants, supautils.drop_trigger_grants), which it does not own.
-- Plain PostgreSQL lets only the owner do that. Membership, unlike owning the tables, leaves owners and privileges
-- in the catalogs as on the platform. What else it would allow is refused by 60-limits.sql.
do $$
begin
  if current_setting('server_version_num')::int >= 160000 then
    -- Older versions cannot even parse it
    execute 'grant supabase_auth_admin, supabase_storage_admin, supabase_realtime_admin to postgres
      with inherit true, set false';
  else
    grant supabase_auth_admin, supabase_storage_admin, supabase_realtime_admin to postgres;
  end if;
end $$;

-- supautils.privileged_role_allowed_configs: what `postgres` may set although it is no superuser. Its wildcards are
-- spelled out: pgrst.* is PostgREST's configuration (docs.postgrest.org, references/configuration).
do $$
declare
  setting text;
begin
  if current_setting('server_version_num')::int >= 150000 then
    foreach setting in array array[
      'auto_explain.log_min_duration', 'auto_explain.log_nested_statements', 'deadlock_timeout', 'log_duration',
      'log_lock_waits', 'log_min_duration_statement', 'log_min_error_statement', 'log_min_messages',
      'log_parameter_max_length', 'log_replication_commands', 'log_statement', 'log_temp_files', 'pg_net.batch_size',
      'pg_net.ttl', 'pg_stat_statements.track', 'pg_stat_statements.track_planning', 'pg_stat_statements.track_utility',
      'pgaudit.log', 'pgaudit.log_catalog', 'pgaudit.log_client', 'pgaudit.log_level', 'pgaudit.log_parameter',
      'pgaudit.log_relation', 'pgaudit.log_rows', 'pgaudit.log_statement', 'pgaudit.log_statement_once', 'pgaudit.role',
      'pgrst.db_aggregates_enabled', 'pgrst.db_extra_search_path', 'pgrst.db_hoisted_tx_settings', 'pgrst.db_max_rows',
      'pgrst.db_plan_enabled', 'pgrst.db_pre_config', 'pgrst.db_pre_request', 'pgrst.db_prepared_statements',
      'pgrst.db_root_spec', 'pgrst.db_schemas', 'pgrst.db_tx_end', 'pgrst.jwt_aud', 'pgrst.jwt_role_claim_key',
      'pgrst.jwt_secret', 'pgrst.jwt_secret_is_base64', 'pgrst.openapi_mode', 'pgrst.openapi_security_active',
      'pgrst.openapi_server_proxy_uri', 'pgrst.server_cors_allowed_origins', 'pgrst.server_timing_enabled',
      'pgrst.server_trace_header', 'plan_filter.limit_select_only', 'plan_filter.statement_cost_limit',
      'safeupdate.enabled', 'session_replication_role', 'track_functions', 'track_io_timing', 'wal_compression'
    ] loop
      execute format('grant set on parameter %s to postgres', setting);
    end loop;
  end if;
end $$;

alter role anon set statement_timeout = '3s';
alter role authenticated set statement_timeout = '8s';
alter role authenticator set statement_timeout = '8s';
alter role authenticator set lock_timeout = '8s';
alter role supabase_admin set search_path = "$user", public, auth, extensions;
alter role supabase_admin set log_statement = none;
-- With the backslash, as the platform has it
alter role postgres set search_path = "\$user", public, extensions;
alter role supabase_auth_admin set search_path = auth;
alter role supabase_auth_admin set idle_in_transaction_session_timeout = 60000;
alter role supabase_auth_admin set log_statement = none;
alter role supabase_storage_admin set search_path = storage;
alter role supabase_storage_admin set log_statement = none;
alter role supabase_realtime_admin set search_path = realtime;
alter role supabase_functions_admin set search_path = supabase_functions;

alter database postgres owner to postgres;
grant all on database postgres to postgres, dashboard_user;
grant create on database postgres to supabase_auth_admin, supabase_etl_admin;
grant execute on function pg_catalog.pg_reload_conf() to postgres;
