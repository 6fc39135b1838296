-- What one object is, what takes it out of the way (null where it has to stay, empty where it is gone already), and the
-- fact that this takes from it.
select coalesce(i.type, ''), case
    when i.type is null then ''
    when i.type in ('view', 'materialized view', 'function', 'procedure', 'aggregate', 'index', 'policy', 'trigger',
      'rule', 'operator', 'cast', 'text search configuration') then concat_ws(' ', 'DROP', upper(i.type), i.identity)
    when i.type = 'statistics object' then 'DROP STATISTICS ' || i.identity
    when k.contype = 'n' then null
    when i.type = 'table constraint' then concat_ws(' ', 'ALTER TABLE', n.whole, 'DROP CONSTRAINT', n.part)
    when i.type = 'domain constraint' then concat_ws(' ', 'ALTER DOMAIN', a.object_names[1], 'DROP CONSTRAINT', n.argument)
    when i.type = 'default value' then concat_ws(' ', 'ALTER TABLE', n.whole, 'ALTER COLUMN', n.part, 'DROP DEFAULT')
    when i.type = 'publication relation' then concat_ws(' ', 'ALTER PUBLICATION', n.argument, 'DROP TABLE', n.whole)
    when c.may_go then concat_ws(' ', 'ALTER TABLE', c.relation, 'DROP COLUMN', c.name)
    when c.in_place then format('ALTER TABLE %%s ALTER COLUMN %%s SET EXPRESSION AS (NULL::%%s)', c.relation, c.name, c.type)
  end, case when c.in_place and not c.may_go then format('expression of %%s.%%s', c.relation, c.name) end
from (select %(classid)s::oid as classid, %(objid)s::oid as objid, %(place)s::int as place) o
cross join pg_identify_object(o.classid, o.objid, o.place) i
cross join pg_identify_object_as_address(o.classid, o.objid, o.place) a
left join pg_constraint k on k.oid = o.objid and o.classid = 'pg_constraint'::regclass
cross join lateral (
  select max(quoted) filter (where number = 3) as part, string_agg(quoted, '.' order by number) filter (where number < 3) as whole,
    '"' || replace(a.object_args[1], '"', '""') || '"' as argument
  from unnest(a.object_names) with ordinality as u (name, number)
  cross join lateral (select '"' || replace(name, '"', '""') || '"' as quoted) q
) n
-- The values of a generated column are worked out again, but no column may move: it goes where it is the last.
left join lateral (
  select format('%%I.%%I', s.nspname, r.relname) as relation, format('%%I', t.attname) as name,
    format_type(t.atttypid, t.atttypmod) as type,
    t.attnum = (select max(b.attnum) from pg_attribute b where b.attrelid = r.oid and not b.attisdropped)
      and not exists (select from pg_inherits where r.oid in (inhrelid, inhparent)) as may_go,
    current_setting('server_version_num')::int >= 170000 and not t.attnotnull as in_place
  from pg_attribute t join pg_class r on r.oid = t.attrelid join pg_namespace s on s.oid = r.relnamespace
  where i.type = 'table column' and t.attrelid = o.objid and t.attnum = o.place and t.attgenerated <> ''
) c on true
