-- A missing list means the default one, so that NULL equals the same default written out; who granted is not compared.
select 'acl', e.nspname, e.object, e.whose, format('%%s on %%s', e.grantee, e.name),
  string_agg(e.privilege || case when e.grantable then ' with grant option' else '' end, ', ' order by e.privilege)
from (
  select o.nspname, o.name, o.object, o.whose, x.privilege_type as privilege,
    case x.grantee when 0 then 'public' else x.grantee::regrole::text end as grantee, bool_or(x.is_grantable) as grantable
  from (
    select s.nspname, s.object as name, s.object, case when s.managed then 'service' when s.extension is not null then 'extension' else '' end as whose, coalesce(s.nspacl, acldefault('n', s.nspowner)) as acl
    from space s
    union all
    select c.nspname, case c.relkind when 'S' then 'sequence ' else 'table ' end || c.name, c.object, c.whose,
      coalesce(c.relacl, acldefault(case c.relkind when 'S' then 's' else 'r' end::"char", c.relowner))
    from relation c where c.relkind in ('r', 'p', 'f', 'v', 'm', 'S')
    union all
    select c.nspname, format('column %%s.%%I', c.name, a.attname), c.object, c.whose, a.attacl
    from relation c join pg_attribute a on a.attrelid = c.oid
    where c.relkind in ('r', 'p', 'f', 'v', 'm') and a.attacl is not null and not a.attisdropped
    union all
    select p.nspname, 'function ' || p.name, p.object, p.whose, coalesce(p.proacl, acldefault('f', p.proowner)) from routine p
    union all
    select t.nspname, 'type ' || t.name, t.object, t.whose, coalesce(t.typacl, acldefault('T', t.typowner)) from type t where t.own
    union all
    select '', format('foreign server %%I', s.srvname), format('foreign server %%I', s.srvname), '', coalesce(s.srvacl, acldefault('S', s.srvowner))
    from pg_foreign_server s where cardinality(%(schemas)s::text[]) = 0
      and s.oid not in (select objid from member where classid = 'pg_foreign_server'::regclass)
    union all
    select '', format('foreign data wrapper %%I', f.fdwname), format('foreign data wrapper %%I', f.fdwname), '', coalesce(f.fdwacl, acldefault('F', f.fdwowner))
    from pg_foreign_data_wrapper f where cardinality(%(schemas)s::text[]) = 0
      and f.oid not in (select objid from member where classid = 'pg_foreign_data_wrapper'::regclass)
  ) o cross join lateral aclexplode(o.acl) x
  group by o.nspname, o.name, o.object, o.whose, x.grantee, x.privilege_type
) e
group by e.nspname, e.object, e.whose, e.name, e.grantee
