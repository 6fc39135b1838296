select t.word, format('%I', t.nspname), format('%I', t.typname),
  concat_ws(' ', t.typtype, format_type(nullif(t.typbasetype, 0), t.typtypmod), t.typdefault, t.typnotnull,
    (select string_agg(quote_literal(enumlabel), ', ' order by enumsortorder) from pg_enum where enumtypid = t.oid),
    (select string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' order by a.attnum)
      from pg_attribute a where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped),
    (select string_agg(k.conname || ' ' || pg_get_constraintdef(k.oid), ', ' order by k.conname)
      from pg_constraint k where k.contypid = t.oid and k.contype = 'c')),
  '{}'::text[], '{}'::text[]
from type t where t.typtype in ('c', 'd', 'e')
