-- wrappers 0.5: foreign data wrappers, servers and foreign tables can be made; every query of one is refused.
-- Facts: https://fdw.dev (the handler and validator of each wrapper) and https://github.com/supabase/wrappers (the macro
-- wrappers_fdw, which names their functions).
create table wrappers_fdw_stats (
  fdw_name text primary key,
  create_times bigint,
  rows_in bigint,
  rows_out bigint,
  bytes_in bigint,
  bytes_out bigint,
  metadata jsonb,
  created_at timestamptz not null default timezone('utc'::text, now()),
  updated_at timestamptz not null default timezone('utc'::text, now())
);
comment on table wrappers_fdw_stats is 'Wrappers Foreign Data Wrapper statistics';
do $do$
declare
  wrapper text;
begin
  foreach wrapper in array array[
    'airtable', 'auth0', 'big_query', 'click_house', 'cognito', 'duckdb', 'firebase', 'hello_world', 'iceberg',
    'logflare', 'mssql', 'redis', 's3', 'stripe', 'wasm'
  ] loop
    -- fdw_handler_in accepts no value: a query ends in its error
    execute format('create function %I() returns fdw_handler language internal as ''fdw_handler_in''',
      wrapper || '_fdw_handler');
    -- One in SQL would return null, which the server does not take
    execute format('create function %I(options text[], catalog oid) returns void language plpgsql as ''begin end''',
      wrapper || '_fdw_validator');
    execute format(
      'create function %I() returns table (name text, version text, author text, website text)
        language sql as ''select null::text, null::text, null::text, null::text where false''',
      wrapper || '_fdw_meta');
  end loop;
end
$do$;
