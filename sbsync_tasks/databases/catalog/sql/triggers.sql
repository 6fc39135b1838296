-- On a service's table all but the service's own: those call a function of that schema, owned by the service.
select 'trigger', c.nspname, c.object, case when c.own then c.whose else '' end, format('%%I on %%s', t.tgname, c.name),
  concat_ws(E'\n',
    pg_get_triggerdef(t.oid),
    case t.tgenabled when 'D' then 'disabled' when 'R' then 'enabled for replicas' when 'A' then 'enabled always' end,
    'comment ' || quote_literal(obj_description(t.oid, 'pg_trigger')))
from pg_trigger t join relation c on c.oid = t.tgrelid join pg_proc p on p.oid = t.tgfoid
where not t.tgisinternal and c.extension is null
  and (c.own or p.pronamespace <> c.relnamespace or p.proowner not in (select oid from service))
