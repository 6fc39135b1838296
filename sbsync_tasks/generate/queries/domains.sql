-- Each column of a domain, as a statement that takes it off the domain.
select t.name, b.base || ' ' || t.typcollation::regcollation, array(
  select format('ALTER TABLE %s ALTER COLUMN %I TYPE %s', c.oid::regclass, a.attname,
    b.base || case when a.atttypid = t.typarray then '[]' else '' end)
  from pg_attribute a join pg_class c on c.oid = a.attrelid
  where c.relkind in ('r', 'p') and a.atttypid in (t.oid, t.typarray) and not a.attisdropped and a.attinhcount = 0
  order by c.oid, a.attnum)
from type t cross join lateral (select format_type(t.typbasetype, t.typtypmod) as base) b
where t.typtype = 'd'
order by 1
