-- `supabase_realtime` is made by the platform and filled by users; other publications of a service are its own.
select 'publication', '', '', case when p.pubname = 'supabase_realtime' or p.pubowner in (select oid from service) then 'service' else '' end, format('%%I', p.pubname),
  concat_ws(E'\n', case when p.puballtables then 'all tables' end,
    'publishes ' || concat_ws(', ', case when p.pubinsert then 'insert' end, case when p.pubupdate then 'update' end,
      case when p.pubdelete then 'delete' end, case when p.pubtruncate then 'truncate' end),
    case when p.pubviaroot then 'via root' end,
    'owner ' || case when p.pubname <> 'supabase_realtime' then p.pubowner::regrole::text end,
    'comment ' || quote_literal(obj_description(p.oid, 'pg_publication')))
from pg_publication p
where cardinality(%(schemas)s::text[]) = 0
union all
select 'publication member', c.nspname, c.object, '', format('%%s in %%I', c.name, p.pubname),
  concat_ws(E'\n',
    'columns ' || (
      select string_agg(quote_ident(a.attname), ', ' order by a.attname)
      from pg_attribute a where a.attrelid = c.oid and a.attnum = any (r.prattrs::int2[])
    ),
    'where ' || pg_get_expr(r.prqual, r.prrelid))
from pg_publication_rel r join pg_publication p on p.oid = r.prpubid join relation c on c.oid = r.prrelid
where c.own and c.whose = '' or p.pubname = 'supabase_realtime' or p.pubowner not in (select oid from service)
union all
select 'publication member', s.nspname, s.object, '', format('schema %%I in %%I', s.nspname, p.pubname), ''
from pg_publication_namespace r join pg_publication p on p.oid = r.pnpubid join space s on s.oid = r.pnnspid
