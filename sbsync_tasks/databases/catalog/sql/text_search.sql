select 'text search configuration', s.nspname, '', '', format('%%I.%%I', s.nspname, c.cfgname),
  concat_ws(E'\n', 'parser ' || p.prsname, (
    select string_agg(format('%%s: %%s', k.alias, m.dictionaries), E'\n' order by k.alias)
    from ts_token_type(c.cfgparser) k join (
      select maptokentype, string_agg(mapdict::regdictionary::text, ', ' order by mapseqno) as dictionaries
      from pg_ts_config_map where mapcfg = c.oid group by maptokentype
    ) m on m.maptokentype = k.tokid
  ), 'comment ' || quote_literal(obj_description(c.oid, 'pg_ts_config')))
from pg_ts_config c join space s on s.oid = c.cfgnamespace join pg_ts_parser p on p.oid = c.cfgparser
where not s.named and c.oid not in (select objid from member where classid = 'pg_ts_config'::regclass)
union all
select 'text search dictionary', s.nspname, '', '', format('%%I.%%I', s.nspname, d.dictname),
  concat_ws(E'\n', 'template ' || t.tmplname, d.dictinitoption,
    'comment ' || quote_literal(obj_description(d.oid, 'pg_ts_dict')))
from pg_ts_dict d join space s on s.oid = d.dictnamespace join pg_ts_template t on t.oid = d.dicttemplate
where not s.named and d.oid not in (select objid from member where classid = 'pg_ts_dict'::regclass)
