-- Tables (without a column) and columns that CASCADE takes along with an object. A composite type without one of its
-- attributes takes what the attribute held in every column of it.
with recursive gone (classid, objid, objsubid) as (
  select {found}, 0
  union select further.* from gone g cross join lateral (
    select d.classid, d.objid, d.objsubid from pg_depend d
    where (d.refclassid, d.refobjid) = (g.classid, g.objid) and g.objsubid in (0, d.refobjsubid)
    union all select 'pg_type'::regclass, c.reltype, 0 from pg_class c
    where g.classid = 'pg_class'::regclass and c.oid = g.objid and c.relkind = 'c'
  ) further
)
select n.nspname, c.relname, a.attname from gone g join pg_class c on c.oid = g.objid and c.relkind in ('r', 'p')
join pg_namespace n on n.oid = c.relnamespace
left join pg_attribute a on a.attrelid = g.objid and a.attnum = g.objsubid and g.objsubid > 0
where g.classid = 'pg_class'::regclass and coalesce(a.attgenerated, '') = ''
