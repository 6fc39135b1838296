-- What `postgres` may not do to the services' tables, although it is a member of their owners here.
-- On the platform it owns nothing in auth, storage and realtime: it may manage policies and triggers there (see
-- 10-roles.sql), and everything else fails with these two messages of PostgreSQL. A migration that would fail
-- there has to fail here. Sources: supabase/postgres (migrations/db/migrations: 20250421084701, which took CREATE on
-- the three schemas and the memberships away) and supabase/supautils (README.md: policy_grants, drop_trigger_grants).

create function extensions.limit_postgres_on_commands() returns event_trigger language plpgsql
  set search_path = '' as $$
declare
  command record;
begin
  if current_user <> 'postgres' then
    return;
  end if;
  for command in select * from pg_catalog.pg_event_trigger_ddl_commands() loop
    if command.in_extension or coalesce(command.schema_name, '') not in ('auth', 'storage', 'realtime')
      or command.command_tag in ('CREATE POLICY', 'ALTER POLICY', 'CREATE TRIGGER', 'GRANT', 'REVOKE')
    then
      continue;
    elsif command.command_tag like 'CREATE %' and command.command_tag <> 'CREATE INDEX' then
      raise insufficient_privilege using message = pg_catalog.format('permission denied for schema %s', command.schema_name);
    end if;
    raise insufficient_privilege using message = pg_catalog.format(
      'must be owner of %s %s', command.object_type, command.object_identity);
  end loop;
end
$$;

create function extensions.limit_postgres_on_drops() returns event_trigger language plpgsql
  set search_path = '' as $$
declare
  dropped record;
begin
  if current_user <> 'postgres' then
    return;
  end if;
  for dropped in select * from pg_catalog.pg_event_trigger_dropped_objects() loop
    if dropped.original and dropped.schema_name in ('auth', 'storage', 'realtime')
      and dropped.object_type not in ('policy', 'trigger')
    then
      raise insufficient_privilege using message = pg_catalog.format(
        'must be owner of %s %s', dropped.object_type, dropped.object_identity);
    end if;
  end loop;
end
$$;

create event trigger limit_postgres_on_commands on ddl_command_end
  execute function extensions.limit_postgres_on_commands();
create event trigger limit_postgres_on_drops on sql_drop
  execute function extensions.limit_postgres_on_drops();
revoke all on function extensions.limit_postgres_on_commands(), extensions.limit_postgres_on_drops() from public;
