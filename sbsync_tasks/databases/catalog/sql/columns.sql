-- Of a column's options those are read that a user can set; a server keeps notes of its own there (15.20).
-- A view's columns follow from its definition; only what is set on them besides is read.
select 'column', c.nspname, c.object, c.whose, format('%%s.%%I', c.name, a.attname),
  concat_ws(E'\n',
    format_type(a.atttypid, a.atttypmod),
    'collation ' || case when a.attcollation <> t.typcollation then a.attcollation::regcollation::text end,
    case when a.attnotnull then 'not null' end,
    case a.attidentity when 'a' then 'identity always' when 'd' then 'identity by default' end,
    case a.attgenerated when '' then 'default ' when 'v' then 'generated virtual ' else 'generated stored ' end || pg_get_expr(d.adbin, d.adrelid),
    'storage ' || case when a.attstorage <> t.typstorage then
      case a.attstorage when 'p' then 'plain' when 'e' then 'external' when 'm' then 'main' else 'extended' end end,
    'compression ' || case a.attcompression when 'p' then 'pglz' when 'l' then 'lz4' end,
    'statistics ' || nullif(a.attstattarget, -1),
    'options ' || (select string_agg(o, ', ' order by o) from unnest(a.attoptions) o where o ~ '^n_distinct'),
    'server options ' || (select string_agg(o, ', ' order by o) from unnest(a.attfdwoptions) o),
    'comment ' || quote_literal(col_description(c.oid, a.attnum)))
from relation c
  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  join pg_type t on t.oid = a.atttypid
  left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
where (c.own or c.whose = 'service') and (
  c.relkind in ('r', 'p', 'f')
  or c.relkind in ('v', 'm') and (
    a.atthasdef or a.attstattarget >= 0 or a.attstorage <> t.typstorage or a.attcompression <> ''
    or array_to_string(a.attoptions, ' ') ~ 'n_distinct' or col_description(c.oid, a.attnum) is not null
  )
)
