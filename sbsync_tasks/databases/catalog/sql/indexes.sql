-- An index of a partition that belongs to its parent's index follows from that one.
select 'index', i.nspname, c.object, c.whose, i.name,
  concat_ws(E'\n',
    pg_get_indexdef(i.oid),
    case when not x.indisvalid then 'invalid' end,
    case when x.indisclustered then 'clustered' end,
    case when x.indisreplident then 'replica identity' end,
    'statistics ' || (
      select string_agg(a.attnum || ' = ' || a.attstattarget, ', ' order by a.attnum)
      from pg_attribute a where a.attrelid = i.oid and a.attstattarget >= 0
    ),
    'comment ' || quote_literal(obj_description(i.oid, 'pg_class')))
from relation i join pg_index x on x.indexrelid = i.oid join relation c on c.oid = x.indrelid
where (c.own or c.whose = 'service') and not i.relispartition
