-- Options of foreign tables and of their columns.
select format('option %s of foreign table %s', o.name, c.name), 'attribute', format('alter foreign table %s options (add %I %L)', c.name, o.name, o.value),
  format('alter foreign table %s options (drop %I)', c.name, o.name), true, null, null::oid, null::oid
from relation c join pg_foreign_table f on f.ftrelid = c.oid cross join lateral pg_options_to_table(f.ftoptions) o (name, value)
union all
select format('option %s of foreign column %s.%I', o.name, c.name, a.attname), 'attribute',
  format('alter foreign table %s alter column %I options (add %I %L)', c.name, a.attname, o.name, o.value),
  format('alter foreign table %s alter column %I options (drop %I)', c.name, a.attname, o.name), true, null, null, null
from relation c join pg_attribute a on a.attrelid = c.oid and not a.attisdropped cross join lateral pg_options_to_table(a.attfdwoptions) o (name, value)
