select 'schema', s.nspname, coalesce(s.extension, ''), case when s.managed or s.nspname = 'public' then 'service' when s.extension is not null then 'extension' else '' end, format('%%I', s.nspname),
  concat_ws(E'\n', 'comment ' || quote_literal(obj_description(s.oid, 'pg_namespace')))
from space s
