-- The sequences that columns take their values from (identities, and those that a default names), and what sets each
-- behind the values of its column: of an empty table to the start.
select s.oid::int8, a.attrelid::int8, a.attnum, format('SELECT setval(%L, %s(%s(%I)::bigint + %s, %s), false) FROM %s', s.oid::regclass,
    case when q.seqincrement > 0 then 'greatest' else 'least' end, case when q.seqincrement > 0 then 'max' else 'min' end,
    a.attname, q.seqincrement, q.seqstart, c.name)
from pg_depend d
  join pg_class s on s.relkind = 'S'
    and s.oid = case when d.classid = 'pg_class'::regclass then d.objid else d.refobjid end
  join pg_sequence q on q.seqrelid = s.oid
  left join pg_attrdef f on d.classid = 'pg_attrdef'::regclass and f.oid = d.objid
  join pg_attribute a on a.attrelid = coalesce(f.adrelid, d.refobjid) and a.attnum = coalesce(f.adnum, d.refobjsubid)
  join relation c on c.oid = a.attrelid and c.relkind in ('r', 'p')
where (d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass and d.deptype = 'i'
    or d.classid = 'pg_attrdef'::regclass and d.refclassid = 'pg_class'::regclass)
  and a.atttypid in ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'numeric'::regtype)
order by c.name, format('%I', a.attname)
