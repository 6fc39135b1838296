-- Attributes of types and of text search objects.
select f.key || t.name, 'attribute', f.make, null, false, null, null::oid, null::oid
from type t cross join lateral (
  select 'default of domain ' as key, format('alter domain %s %s', t.name, coalesce('set default ' || pg_get_expr(t.typdefaultbin, 0), 'drop default')) as make
  union all
  select 'not null of domain ', format('alter domain %s %s not null', t.name, case when t.typnotnull then 'set' else 'drop' end)
) f
where t.typtype = 'd'
union all
select format('mapping of %s in text search configuration %s.%I', k.alias, s.name, c.cfgname), 'attribute',
  format('alter text search configuration %s.%I add mapping for %I with %s', s.name, c.cfgname, k.alias, m.dictionaries),
  format('alter text search configuration %s.%I drop mapping for %I', s.name, c.cfgname, k.alias), true, null, null, null
from pg_ts_config c join space s on s.oid = c.cfgnamespace
  cross join lateral ts_token_type(c.cfgparser) k
  join (
    select mapcfg, maptokentype, string_agg(mapdict::regdictionary::text, ', ' order by mapseqno) as dictionaries from pg_ts_config_map group by mapcfg, maptokentype
  ) m on m.mapcfg = c.oid and m.maptokentype = k.tokid
where c.oid not in (select objid from member where classid = 'pg_ts_config'::regclass)
union all
select format('options of text search dictionary %s.%I', s.name, d.dictname), 'attribute',
  format('alter text search dictionary %s.%I (%s)', s.name, d.dictname, d.dictinitoption), null, false, null, null, null
from pg_ts_dict d join space s on s.oid = d.dictnamespace
where d.dictinitoption is not null and d.oid not in (select objid from member where classid = 'pg_ts_dict'::regclass)
