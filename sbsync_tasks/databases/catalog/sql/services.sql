-- What a Supabase service or an extension brings, by name: a fact about it counts only where both databases have it.
select split_part(c.object, ' ' || c.name, 1), c.nspname, coalesce(c.extension, ''), c.whose, c.name, ''
from relation c where not c.own and c.relkind in ('r', 'p', 'f', 'v', 'm', 'S')
union all
select split_part(p.object, ' ' || p.name, 1), p.nspname, coalesce(p.extension, ''), p.whose, p.name, ''
from routine p where not p.own
union all
select split_part(t.object, ' ' || t.name, 1), t.nspname, coalesce(t.extension, ''), t.whose, t.name, ''
from type t where not t.own
union all
-- What a migration may have replaced; compared only where one has.
select 'body', p.nspname, p.object, p.whose, p.name, md5(pg_get_functiondef(p.oid))
from routine p where not p.own and p.extension is null and p.prokind in ('f', 'p')
union all
select 'comment', c.nspname, c.object, c.whose, c.object, obj_description(c.oid, 'pg_class')
from relation c where not c.own and c.extension is null and obj_description(c.oid, 'pg_class') is not null
union all
select 'comment', p.nspname, p.object, p.whose, p.object, obj_description(p.oid, 'pg_proc')
from routine p where not p.own and p.extension is null and obj_description(p.oid, 'pg_proc') is not null
union all
-- Roles that services work as; what one has been granted is the platform's where the other side has no such role.
select 'role', '', '', 'service', rolname::text, '' from service where cardinality(%(schemas)s::text[]) = 0 and rolname !~ '^pg_'
union all
-- Rights that expose data and that no age of the platform grants.
select 'exposed', n.nspname, '', 'service', format('%%s on %%I.%%I', g.role, n.nspname, c.relname), string_agg(distinct g.privilege, ', ' order by g.privilege)
from pg_class c join pg_namespace n on n.oid = c.relnamespace cross join lateral (
  select x.privilege_type || coalesce(' (' || quote_ident(a.attname) || ')', '') as privilege, case x.grantee when 0 then 'public' else x.grantee::regrole::text end as role
  from (select c.relacl as acl, null::name as attname union all select attacl, attname from pg_attribute where attrelid = c.oid and attacl is not null) a
    cross join lateral aclexplode(a.acl) x
) g
where n.nspname in ('auth', 'vault') and c.relkind in ('r', 'p', 'f', 'v', 'm') and g.role in ('anon', 'authenticated', 'public')
group by n.nspname, c.relname, g.role
