-- Options of foreign tables and of their columns, of servers and of wrappers: the engine hides what they hold.
select format('option %s of foreign table %s', o.name, c.name), 'attribute', format('alter foreign table %s options (add %I %L)', c.name, o.name, o.value),
  format('alter foreign table %s options (drop %I)', c.name, o.name), true, null, null::oid, null::oid
from relation c join pg_foreign_table f on f.ftrelid = c.oid cross join lateral pg_options_to_table(f.ftoptions) o (name, value)
union all
select format('option %s of foreign column %s.%I', o.name, c.name, a.attname), 'attribute',
  format('alter foreign table %s alter column %I options (add %I %L)', c.name, a.attname, o.name, o.value),
  format('alter foreign table %s alter column %I options (drop %I)', c.name, a.attname, o.name), true, null, null, null
from relation c join pg_attribute a on a.attrelid = c.oid and not a.attisdropped cross join lateral pg_options_to_table(a.attfdwoptions) o (name, value)
union all
select format('option %s of %s %I', o.name, f.word, f.name), 'attribute', format('alter %s %I options (add %I %L)', f.word, f.name, o.name, o.value),
  format('alter %s %I options (drop %I)', f.word, f.name, o.name), true, null, null, null
from (
  select 'foreign data wrapper', fdwname, fdwoptions, 'pg_foreign_data_wrapper'::regclass, oid from pg_foreign_data_wrapper
  union all
  select 'server', srvname, srvoptions, 'pg_foreign_server'::regclass, oid from pg_foreign_server
) f (word, name, options, classid, objid) cross join lateral pg_options_to_table(f.options) o (name, value)
where current_setting('sbsync.schemas') = '' and (f.classid, f.objid) not in (select classid, objid from member)
