select 'schema', s.nspname, '', format('%%I', s.nspname),
  concat_ws(E'\n', 'comment ' || quote_literal(obj_description(s.oid, 'pg_namespace')))
from space s
where not s.managed and s.oid not in (select objid from member where classid = 'pg_namespace'::regclass)
