-- An index of a partition that belongs to its parent's index is called by that one: its own name is what it may differ in.
select case when i.relispartition then 'partition index' else 'index' end, i.nspname, c.object, c.whose,
  coalesce((select format('%%s on %%s', h.inhparent::regclass, c.name) from pg_inherits h where h.inhrelid = i.oid), i.name),
  concat_ws(E'\n',
    pg_get_indexdef(i.oid),
    case when not x.indisvalid then case i.relkind when 'I' then 'not on all partitions' else 'invalid' end end,
    case when x.indisclustered then 'clustered' end,
    case when x.indisreplident then 'replica identity' end,
    'statistics ' || (
      select string_agg(a.attnum || ' = ' || a.attstattarget, ', ' order by a.attnum)
      from pg_attribute a where a.attrelid = i.oid and a.attstattarget >= 0
    ),
    'comment ' || quote_literal(obj_description(i.oid, 'pg_class')))
from relation i join pg_index x on x.indexrelid = i.oid join relation c on c.oid = x.indrelid
where c.own or c.whose = 'service' and not i.relispartition
