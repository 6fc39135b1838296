select case c.relkind when 'f' then 'foreign table' else 'table' end, c.nspname, '', c.whose, c.name,
  concat_ws(E'\n',
    case when c.relpersistence = 'u' then 'unlogged' end,
    'access method ' || a.amname,
    'options ' || (select string_agg(o, ', ' order by o) from unnest(c.reloptions) o),
    'toast options ' || (select string_agg(o, ', ' order by o) from unnest(t.reloptions) o),
    'partition by ' || pg_get_partkeydef(c.oid),
    'partition ' || pg_get_expr(c.relpartbound, c.oid),
    'of ' || (
      select string_agg(i.inhparent::regclass::text, ', ' order by i.inhseqno) from pg_inherits i where i.inhrelid = c.oid
    ),
    'of type ' || nullif(c.reloftype, 0)::regtype::text,
    'replica identity ' || case c.relreplident when 'n' then 'nothing' when 'f' then 'full' when 'i' then 'index' end,
    'tablespace ' || s.spcname,
    'server ' || v.srvname,
    'server options ' || (select string_agg(o, ', ' order by o) from unnest(f.ftoptions) o),
    'comment ' || quote_literal(obj_description(c.oid, 'pg_class')))
from relation c
  left join pg_am a on a.oid = c.relam
  left join pg_class t on t.oid = c.reltoastrelid
  left join pg_tablespace s on s.oid = c.reltablespace
  left join pg_foreign_table f on f.ftrelid = c.oid
  left join pg_foreign_server v on v.oid = f.ftserver
where c.own and c.relkind in ('r', 'p', 'f')
