-- Comments on whatever stands in the user's schemas, or in none.
select 'comment on ' || o.name, 'attribute', format('comment on %s is %s', o.name, o.text), format('comment on %s is null', o.name), false, null, null::oid, null::oid
from (
  select distinct
    case
      when i.type like '%column' then 'column ' || i.identity
      when i.type = 'table constraint' then format('constraint %I on %I.%I', a.object_names[3], a.object_names[1], a.object_names[2])
      when i.type = 'domain constraint' then format('constraint %I on domain %s', a.object_args[1], a.object_names[1])
      when i.type = 'statistics object' then 'statistics ' || i.identity
      when i.type = 'foreign-data wrapper' then 'foreign data wrapper ' || i.identity
      else i.type || ' ' || i.identity
    end as name,
    -- A carriage return in a file would be at the mercy of git and of editors.
    case
      when strpos(d.description, chr(13)) = 0 then quote_literal(d.description)
      when strpos(d.description, '\') = 0 then 'E' || replace(quote_literal(d.description), chr(13), '\r')
      else ltrim(replace(quote_literal(d.description), chr(13), '\r'))
    end as text
  from pg_description d
    cross join lateral pg_identify_object(d.classoid, d.objoid, d.objsubid) i
    cross join lateral pg_identify_object_as_address(d.classoid, d.objoid, d.objsubid) a
  where d.objoid >= 16384 and (d.classoid, d.objoid) not in (select classid, objid from member)
    and case
      when i.type in ('cast', 'publication', 'event trigger', 'server', 'foreign-data wrapper') then current_setting('sbsync.schemas') = ''
      when i.type = 'schema' then a.object_names[1] in (select nspname from space)
      when i.type = 'domain constraint' then exists (
        select from pg_constraint k join type t on t.oid = k.contypid where k.oid = d.objoid)
      else coalesce(i.schema, a.object_names[1]) in (select name from space union select nspname from space)
    end
  union all
  select 'schema public', quote_literal(obj_description('public'::regnamespace, 'pg_namespace'))
  where obj_description('public'::regnamespace, 'pg_namespace') is not null and 'public' in (select nspname from space)
) o
