-- A member of an extension comes back with its extension. A partition counts as its own table.
select n.nspname, c.relname, format('%%I.%%I', n.nspname, c.relname), n.nspname ~ %(managed)s,
  has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select'),
  c.relkind = 'p', array(
    with recursive child(oid) as (
      select c.oid union select i.inhrelid from pg_inherits i join child on child.oid = i.inhparent
    ) select oid::int8 from child
  ), c.oid::int8
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (
    select from pg_depend d
    where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e'
  )
order by 1, 2
