select 'extension', '', '', case when e.extname = any (%(platform_extensions)s::text[]) then 'service' else '' end, format('%%I', e.extname),
  format('in schema %%I', n.nspname)
from pg_extension e join pg_namespace n on n.oid = e.extnamespace
where cardinality(%(schemas)s::text[]) = 0
union all
-- Whose it is, its function tells: the platform's have had owners of several kinds.
select 'event trigger', '', '', case when exists (
    select from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where p.oid = t.evtfoid and (n.nspname ~ %(managed_schemas)s or p.proowner in (select oid from service))
  ) then 'service' else '' end, format('%%I', t.evtname),
  concat_ws(E'\n', 'on ' || t.evtevent, 'calls ' || t.evtfoid::regprocedure, 'owner ' || t.evtowner::regrole,
    'tags ' || (select string_agg(g, ', ' order by g) from unnest(t.evttags) g),
    case t.evtenabled when 'D' then 'disabled' when 'R' then 'enabled for replicas' when 'A' then 'enabled always' end,
    'comment ' || quote_literal(obj_description(t.oid, 'pg_event_trigger')))
from pg_event_trigger t
where cardinality(%(schemas)s::text[]) = 0 and t.oid not in (select objid from member where classid = 'pg_event_trigger'::regclass)
union all
select 'foreign data wrapper', '', '', '', format('%%I', f.fdwname),
  concat_ws(E'\n', 'handler ' || nullif(f.fdwhandler, 0)::regproc, 'validator ' || nullif(f.fdwvalidator, 0)::regproc,
    'owner ' || f.fdwowner::regrole, 'options ' || (select string_agg(o, ', ' order by o) from unnest(f.fdwoptions) o),
    'comment ' || quote_literal(obj_description(f.oid, 'pg_foreign_data_wrapper')))
from pg_foreign_data_wrapper f
where cardinality(%(schemas)s::text[]) = 0 and f.oid not in (select objid from member where classid = 'pg_foreign_data_wrapper'::regclass)
union all
select 'foreign server', '', '', '', format('%%I', s.srvname),
  concat_ws(E'\n', 'wrapper ' || f.fdwname, 'type ' || s.srvtype, 'version ' || s.srvversion, 'owner ' || s.srvowner::regrole,
    'options ' || (select string_agg(o, ', ' order by o) from unnest(s.srvoptions) o),
    'comment ' || quote_literal(obj_description(s.oid, 'pg_foreign_server')))
from pg_foreign_server s join pg_foreign_data_wrapper f on f.oid = s.srvfdw
where cardinality(%(schemas)s::text[]) = 0 and s.oid not in (select objid from member where classid = 'pg_foreign_server'::regclass)
