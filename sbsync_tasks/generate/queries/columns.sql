select c.relkind::text, c.name, a.attnum, format('%I', a.attname),
  format_type(a.atttypid, a.atttypmod), a.attcollation::regcollation::text, a.attgenerated <> ''
from relation c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attinhcount = 0
where c.relkind in ('v', 'c', 'r', 'p', 'f')
order by 2, 3
