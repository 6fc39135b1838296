-- A sequence of a column is about its table.
select 'sequence', c.nspname, coalesce((
    select r.object from pg_depend d join relation r on r.oid = d.refobjid
    where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i')
  ), ''), c.whose, c.name,
  concat_ws(E'\n',
    format('%%s start %%s increment %%s from %%s to %%s cache %%s', q.seqtypid::regtype, q.seqstart, q.seqincrement, q.seqmin, q.seqmax, q.seqcache),
    case when q.seqcycle then 'cycle' end,
    case when c.relpersistence = 'u' then 'unlogged' end,
    'owned by ' || (
      select format('%%s.%%I', d.refobjid::regclass, a.attname)
      from pg_depend d join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
      where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i')
    ),
    'comment ' || quote_literal(obj_description(c.oid, 'pg_class')))
from relation c join pg_sequence q on q.seqrelid = c.oid
where c.own
