-- What a database has, as files that are reviewed meet it: a result for each of `Met`'s fields.

-- kind, schema, name of each object
select '', n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
union all select case t.typtype when 'd' then 'domain' else 'type' end, n.nspname, t.typname
from pg_type t join pg_namespace n on n.oid = t.typnamespace
union all select case p.prokind when 'p' then 'procedure' else 'function' end, n.nspname, p.proname
from pg_proc p join pg_namespace n on n.oid = p.pronamespace
union all select 'schema', nspname, null from pg_namespace
union all select 'extension', extname, null from pg_extension;

-- schema, relation, column, and its type
select n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod) from pg_attribute a
join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p', 'v', 'm', 'f', 'c');

-- what each role may do with an object; of functions of one name, what all of them allow
with objects (kind, schema, name, acl) as (
  select '', n.nspname, c.relname, c.relacl from pg_class c
  join pg_namespace n on n.oid = c.relnamespace where c.relkind not in ('i', 'I', 'c', 't')
  union all select case p.prokind when 'p' then 'procedure' else 'function' end, n.nspname, p.proname,
    coalesce(p.proacl, acldefault('f', p.proowner)) from pg_proc p join pg_namespace n on n.oid = p.pronamespace
  where n.nspname not in ('pg_catalog', 'information_schema')
  union all select 'schema', nspname, null, nspacl from pg_namespace
  union all select 'default privileges in', n.nspname, null, d.defaclacl from pg_default_acl d
  join pg_namespace n on n.oid = d.defaclnamespace
  where d.defaclobjtype = 'r' and pg_get_userbyid(d.defaclrole) in (current_user, 'postgres')
)
select kind, schema, name, role, array_agg(privilege) from (
  select o.kind, o.schema, o.name, coalesce(r.rolname, 'public') as role, lower(a.privilege_type) as privilege
  from (select *, count(*) over (partition by kind, schema, name) as alike from objects) o
  cross join aclexplode(o.acl) a left join pg_roles r on r.oid = a.grantee
  where a.grantee = 0 or r.rolname in ('anon', 'authenticated')
  group by 1, 2, 3, 4, 5, o.alike having count(*) = o.alike
) held group by 1, 2, 3, 4;

-- restrictive policies
select p.polname, n.nspname, c.relname from pg_policy p join pg_class c on c.oid = p.polrelid
join pg_namespace n on n.oid = c.relnamespace where not p.polpermissive;

-- functions and procedures, and how they are made
select n.nspname, p.proname, array_agg(pg_get_functiondef(p.oid) order by p.oid)
from pg_proc p join pg_namespace n on n.oid = p.pronamespace join pg_language l on l.oid = p.prolang
where l.lanname in ('sql', 'plpgsql') and p.prokind in ('f', 'p') and n.nspname !~ %(managed)s
and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
group by 1, 2;

-- the triggers of each table
select n.nspname, c.relname, array_agg(pg_get_triggerdef(t.oid) order by t.oid)
from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
where not t.tgisinternal and t.tgenabled <> 'D' group by 1, 2;
