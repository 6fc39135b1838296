-- index_advisor 0.2: advises nothing. Facts: https://github.com/supabase/index_advisor (README.md).
create function index_advisor(query text) returns table (
  startup_cost_before jsonb, startup_cost_after jsonb, total_cost_before jsonb, total_cost_after jsonb,
  index_statements text[], errors text[]
) language sql as $$
  select null::jsonb, null::jsonb, null::jsonb, null::jsonb, '{}'::text[],
    array['the extension index_advisor is a stand-in in this database']
$$;
