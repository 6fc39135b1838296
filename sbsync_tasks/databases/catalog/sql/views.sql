select case c.relkind when 'v' then 'view' else 'materialized view' end, c.nspname, '', c.whose, c.name,
  concat_ws(E'\n',
    pg_get_viewdef(c.oid),
    'options ' || (select string_agg(o, ', ' order by o) from unnest(c.reloptions) o),
    'toast options ' || (select string_agg(o, ', ' order by o) from unnest(t.reloptions) o),
    'comment ' || quote_literal(obj_description(c.oid, 'pg_class')))
from relation c left join pg_class t on t.oid = c.reltoastrelid
where c.own and c.relkind in ('v', 'm')
