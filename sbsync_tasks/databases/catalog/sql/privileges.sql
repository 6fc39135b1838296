-- A missing list means the default one, so that NULL equals the same default written out; who granted is not compared.
-- Of a service's objects: what API roles, everybody and the user's own roles may do.
select 'acl', e.nspname, e.about, format('%%s on %%s', e.grantee, e.name),
  string_agg(e.privilege || case when e.grantable then ' with grant option' else '' end, ', ' order by e.privilege)
from (
  select o.nspname, o.name, case when o.own then '' else coalesce(o.about, o.name) end as about, x.privilege_type as privilege,
    case x.grantee when 0 then 'public' else x.grantee::regrole::text end as grantee, bool_or(x.is_grantable) as grantable
  from (
    select s.nspname, format('schema %%I', s.nspname) as name, null as about, not s.managed as own, coalesce(s.nspacl, acldefault('n', s.nspowner)) as acl
    from space s where s.oid not in (select objid from member where classid = 'pg_namespace'::regclass)
    union all
    select c.nspname, case c.relkind when 'S' then 'sequence ' else 'table ' end || c.name, 'table ' || c.name, c.own,
      coalesce(c.relacl, acldefault(case c.relkind when 'S' then 's' else 'r' end::"char", c.relowner))
    from relation c where c.relkind in ('r', 'p', 'f', 'v', 'm', 'S')
    union all
    select c.nspname, format('column %%s.%%I', c.name, a.attname), 'table ' || c.name, c.own, a.attacl
    from relation c join pg_attribute a on a.attrelid = c.oid
    where c.relkind in ('r', 'p', 'f', 'v', 'm') and a.attacl is not null and not a.attisdropped
    union all
    select p.nspname, 'function ' || p.name, null, p.own, coalesce(p.proacl, acldefault('f', p.proowner)) from routine p
    union all
    select t.nspname, 'type ' || t.name, null, true, coalesce(t.typacl, acldefault('T', t.typowner)) from type t
    union all
    select '', format('foreign server %%I', s.srvname), null, true, coalesce(s.srvacl, acldefault('S', s.srvowner))
    from pg_foreign_server s where cardinality(%(schemas)s::text[]) = 0
      and s.oid not in (select objid from member where classid = 'pg_foreign_server'::regclass)
  ) o cross join lateral aclexplode(o.acl) x
  where o.own or x.grantee = 0 or x.grantee not in (
    select oid from service union all select oid from pg_roles where rolname in ('postgres', 'service_role', 'authenticator')
  )
  group by o.nspname, o.name, o.about, o.own, x.grantee, x.privilege_type
) e
group by e.nspname, e.about, e.name, e.grantee
