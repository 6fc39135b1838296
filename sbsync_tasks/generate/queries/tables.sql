-- Types go without their schema: they may have moved along.
select 'table', format('%I', c.nspname), format('%I', c.relname),
  case c.relkind when 'p' then 'partitioned' else '' end, (
    select array_agg(array[format('%s %I %s', a.attnum, t.typname, a.atttypmod), format('%I', a.attname)])
    from pg_attribute a join pg_type t on t.oid = a.atttypid
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped),
  array(select i.relname::text from pg_index x join pg_class i on i.oid = x.indexrelid
      where x.indrelid = c.oid and not i.relispartition
    union select pg_get_expr(c.relpartbound, c.oid) || ' of ' || inhparent::regclass from pg_inherits
      where inhrelid = c.oid and c.relispartition)
from relation c where c.relkind in ('r', 'p', 'f')
