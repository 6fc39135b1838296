-- pg_graphql 1.5: every query answers with an error. Facts: https://supabase.github.io/pg_graphql, and
-- supabase/postgres (migrations/db/init-scripts, ansible/files/postgresql_extension_custom_scripts).
create sequence seq_schema_version as int cycle;
create function get_schema_version() returns int language sql stable security definer
  set search_path = '' as 'select last_value from graphql.seq_schema_version';
create function increment_schema_version() returns event_trigger language plpgsql security definer
  set search_path = '' as $$
begin
  perform pg_catalog.nextval('graphql.seq_schema_version');
end
$$;
create function _internal_resolve(
  query text, variables jsonb default '{}', "operationName" text default null, extensions jsonb default null
) returns jsonb language sql as $$
  select jsonb_build_object('errors', jsonb_build_array(jsonb_build_object(
    'message', 'the extension pg_graphql is a stand-in in this database')))
$$;
create function resolve(
  query text, variables jsonb default '{}', "operationName" text default null, extensions jsonb default null
) returns jsonb language sql as 'select graphql._internal_resolve($1, $2, $3, $4)';
create function comment_directive(comment_ text) returns jsonb language sql immutable as $$
  select coalesce(substring(comment_ from '@graphql\((.*?)\)')::jsonb, '{}'::jsonb)
$$;
create function exception(message text) returns text language plpgsql as $$
begin
  raise exception using errcode = '22000', message = $1;
end
$$;
grant usage on schema graphql to postgres, anon, authenticated, service_role;
grant all on all functions in schema graphql to postgres, anon, authenticated, service_role;
grant all on all sequences in schema graphql to postgres, anon, authenticated, service_role;
