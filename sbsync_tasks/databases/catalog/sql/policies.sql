select 'policy', c.nspname, c.object, case when s.named then '' else c.whose end, format('"%%s" on %%s', replace(p.polname, '"', '""'), c.name),
  concat_ws(E'\n',
    case when p.polpermissive then 'permissive' else 'restrictive' end,
    'for ' || case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end,
    'to ' || (
      select string_agg(case r when 0 then 'public' else r::regrole::text end, ', ' order by case r when 0 then 'public' else r::regrole::text end)
      from unnest(p.polroles) r
    ),
    'using ' || pg_get_expr(p.polqual, p.polrelid),
    'with check ' || pg_get_expr(p.polwithcheck, p.polrelid),
    'comment ' || quote_literal(obj_description(p.oid, 'pg_policy')))
from pg_policy p join relation c on c.oid = p.polrelid join space s on s.oid = c.relnamespace
where c.extension is null and (not s.named or s.open)
