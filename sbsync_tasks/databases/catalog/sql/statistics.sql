select 'extended statistics', s.nspname, coalesce(c.object, ''), '', format('%%I.%%I', s.nspname, x.stxname),
  concat_ws(E'\n', pg_get_statisticsobjdef(x.oid), 'target ' || nullif(x.stxstattarget, -1),
    'comment ' || quote_literal(obj_description(x.oid, 'pg_statistic_ext')))
from pg_statistic_ext x join space s on s.oid = x.stxnamespace left join relation c on c.oid = x.stxrelid
where not s.named or s.open and x.stxowner not in (select oid from service)
