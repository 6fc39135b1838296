select t.name, array_agg(e.enumlabel::text order by e.enumsortorder),
  array(select distinct a.attrelid::regclass::text from pg_attribute a
    where a.atttypid in (t.oid, t.typarray) and a.attrelid < t.oid and not a.attisdropped)
from pg_enum e join type t on t.oid = e.enumtypid
group by t.name, t.oid, t.typarray
order by 1
