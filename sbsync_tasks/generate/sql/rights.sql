-- Owners and privileges.
select 'owner of ' || o.name, 'attribute', format('alter %s owner to %s', o.name, o.owner::regrole), null, false, null, null::oid, null::oid
from (
  select 'schema ' || name, nspowner from space
  union all
  select word || ' ' || name, relowner from relation c where relkind in ('r', 'p', 'f', 'v', 'm') or relkind = 'S' and not exists (
    select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i'))
  union all
  select word || ' ' || name, proowner from routine
  union all
  select word || ' ' || name, typowner from type
  union all
  select format('statistics %s.%I', s.name, x.stxname), x.stxowner from pg_statistic_ext x join space s on s.oid = x.stxnamespace
  union all
  select format('collation %s.%I', s.name, c.collname), c.collowner from pg_collation c join space s on s.oid = c.collnamespace
  union all
  select format('conversion %s.%I', s.name, c.conname), c.conowner from pg_conversion c join space s on s.oid = c.connamespace
  union all
  select 'operator ' || i.identity, c.oprowner from pg_operator c join space s on s.oid = c.oprnamespace, pg_identify_object('pg_operator'::regclass, c.oid, 0) i
  union all
  select format('text search configuration %s.%I', s.name, c.cfgname), c.cfgowner from pg_ts_config c join space s on s.oid = c.cfgnamespace
  union all
  select format('text search dictionary %s.%I', s.name, c.dictname), c.dictowner from pg_ts_dict c join space s on s.oid = c.dictnamespace
) o (name, owner)
union all
select format('grant of %s on %s to %s', replace(o.format, '*', x.privilege_type), o.name, g.name), 'attribute',
  format('grant %s on %s to %s%s', replace(o.format, '*', x.privilege_type), o.name, g.name, case when x.is_grantable then ' with grant option' end),
  format('revoke %s on %s from %s', replace(o.format, '*', x.privilege_type), o.name, g.name), true, null, null, null
from (
  select '*' as format, 'schema ' || name as name, coalesce(nspacl, acldefault('n', nspowner)) as acl from space
  union all
  select '*', case relkind when 'S' then 'sequence ' else '' end || name, coalesce(relacl, acldefault(case relkind when 'S' then 's' else 'r' end::"char", relowner))
  from relation where relkind in ('r', 'p', 'f', 'v', 'm', 'S')
  union all
  select format('* (%I)', a.attname), c.name, a.attacl
  from relation c join pg_attribute a on a.attrelid = c.oid where c.relkind in ('r', 'p', 'f', 'v', 'm') and not a.attisdropped and a.attacl is not null
  union all
  select '*', case prokind when 'p' then 'procedure ' else 'function ' end || name, coalesce(proacl, acldefault('f', proowner)) from routine
  union all
  select '*', 'type ' || name, coalesce(typacl, acldefault('T', typowner)) from type
  union all
  select '*', format('foreign server %I', v.srvname), coalesce(v.srvacl, acldefault('S', v.srvowner)) from pg_foreign_server v
  where current_setting('sbsync.schemas') = '' and v.oid not in (select objid from member where classid = 'pg_foreign_server'::regclass)
  union all
  select '*', format('foreign data wrapper %I', f.fdwname), coalesce(f.fdwacl, acldefault('F', f.fdwowner)) from pg_foreign_data_wrapper f
  where current_setting('sbsync.schemas') = '' and f.oid not in (select objid from member where classid = 'pg_foreign_data_wrapper'::regclass)
) o
  cross join lateral (
    select e.privilege_type, e.grantee, bool_or(e.is_grantable) as is_grantable from aclexplode(o.acl) e group by e.privilege_type, e.grantee
  ) x
  cross join lateral (select case x.grantee when 0 then 'public' else x.grantee::regrole::text end as name) g
