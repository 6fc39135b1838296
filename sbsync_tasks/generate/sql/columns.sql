-- Attributes of columns.
select f.key || format(' of %s.%I', c.name, a.attname), 'attribute', f.make, f.undo, false, null, null::oid, null::oid
from relation c
  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
  cross join lateral (select format('alter table %s alter column %I ', c.name, a.attname) as alter) l
  cross join lateral (
    select 'default' as key, l.alter || coalesce('set default ' || pg_get_expr(d.adbin, d.adrelid), 'drop default') as make, null as undo
    where a.attgenerated = '' and a.attidentity = '' and c.relkind in ('r', 'p', 'f', 'v')
    union all
    select 'expression', l.alter || 'set expression as (' || pg_get_expr(d.adbin, d.adrelid) || ')', null
    where a.attgenerated <> '' and current_setting('server_version_num')::int >= 170000
    union all
    select 'not null', l.alter || case when a.attnotnull then 'set not null' else 'drop not null' end, null where c.relkind in ('r', 'p', 'f')
    union all
    select 'storage', l.alter || 'set storage ' || case a.attstorage when 'p' then 'plain' when 'e' then 'external' when 'm' then 'main' else 'extended' end, null
    where c.relkind in ('r', 'p', 'm')
    union all
    select 'compression', l.alter || 'set compression ' || case a.attcompression when 'p' then 'pglz' when 'l' then 'lz4' else 'default' end, null
    where c.relkind in ('r', 'p', 'm')
    union all
    select 'statistics', l.alter || 'set statistics ' || coalesce(a.attstattarget, -1), null where c.relkind in ('r', 'p', 'f', 'm')
    union all
    select 'option ' || split_part(o, '=', 1), l.alter || format('set (%s)', o), l.alter || format('reset (%s)', split_part(o, '=', 1))
    from unnest(a.attoptions) o where c.relkind in ('r', 'p', 'f', 'm') and o ~ '^n_distinct'
    union all
    select 'identity', l.alter || 'set generated ' || case a.attidentity when 'a' then 'always' else 'by default' end, null where a.attidentity <> ''
  ) f
union all
select format('statistics %s of index %s', a.attnum, c.name), 'attribute', format('alter index %s alter column %s set statistics %s', c.name, a.attnum, coalesce(a.attstattarget, -1)),
  null, false, null, null, null
from relation c join pg_attribute a on a.attrelid = c.oid join pg_index i on i.indexrelid = c.oid
where c.relkind in ('i', 'I') and i.indkey[a.attnum - 1] = 0
