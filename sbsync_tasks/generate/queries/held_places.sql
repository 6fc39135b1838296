-- The columns of tables by their numbers, and all sequences.
select a.attrelid::int8, a.attnum from relation c join pg_attribute a on a.attrelid = c.oid
where c.relkind in ('r', 'p', 'f') and a.attnum > 0 and not a.attisdropped
union all
select oid::int8, 0 from pg_class where relkind = 'S'
