-- What depends on what, in the order of pg_depend. An object that nobody names is stood for by another: a rule of a view
-- by the view, a default of a generated column by the column, an index of a key by the constraint.
with instead (classid, objid, address) as (
  select 'pg_rewrite'::regclass, oid, array['pg_class'::regclass::int8, ev_class::int8, 0]
  from pg_rewrite where rulename = '_RETURN'
  union all
  select 'pg_attrdef'::regclass, d.oid, array['pg_class'::regclass::int8, d.adrelid::int8, d.adnum]
  from pg_attrdef d join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum where a.attgenerated <> ''
  union all
  select 'pg_class'::regclass, conindid, array['pg_constraint'::regclass::int8, oid::int8, 0]
  from pg_constraint where contype in ('p', 'u', 'x')
),
-- Array types, row types, triggers of keys, the relation of a composite type.
unnamed (classid, objid) as (
  select 'pg_type'::regclass::int8, oid::int8 from pg_type
  where typelem <> 0 and typsubscript = 'array_subscript_handler'::regproc
    or typrelid in (select oid from pg_class where relkind <> 'c') or typtype = 'm'
  union all
  select 'pg_trigger'::regclass::int8, oid::int8 from pg_trigger where tgisinternal
  union all
  select 'pg_class'::regclass::int8, oid::int8 from pg_class where relkind = 'c'
)
select refclassid::int8, refobjid::int8, refobjsubid, address,
  (address[1], address[2]) not in (select classid, objid from unnamed), of_itself
from (
  select refclassid, refobjid, refobjsubid, coalesce(
      (select i.address from instead i where (i.classid, i.objid) = (d.classid, d.objid) limit 1),
      array[d.classid::int8, d.objid::int8, d.objsubid]) as address,
    deptype = 'i' and (classid, objid) = (refclassid, refobjid) as of_itself
  from pg_depend d where d.deptype in ('n', 'a', 'i') and d.objid >= 16384
) e
