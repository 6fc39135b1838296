-- The statements that take away what a whole restore makes anew, in their order. What the role may not drop stays, and
-- so does what the platform brings outside the schemas that a backup holds.
with mine as (
  select oid, rolname from pg_roles where pg_has_role(oid, 'usage')
), users as (
  select oid from mine where rolname !~ %(service)s
), member as (
  select classid, objid from pg_depend where deptype = 'e'
), schemas as (
  select oid, nspname from pg_namespace
  where (nspname !~ %(managed)s or nspname = any(%(cleared)s)) and nspname <> 'public'
    and nspowner in (select oid from mine)
), rights as (
  select a.defaclacl, r.rolname, r.oid as role, coalesce('in schema ' || quote_ident(n.nspname), '') as place,
    case a.defaclobjtype
      when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'routines' when 'T' then 'types' else 'schemas'
    end as kinds,
    (case when a.defaclobjtype = 'S' then 's' else a.defaclobjtype end)::"char" as kind
  from pg_default_acl a join mine r on r.oid = a.defaclrole left join pg_namespace n on n.oid = a.defaclnamespace
  where a.defaclnamespace = 0 or n.nspname = 'public'
)
select distinct step, statement from (
  select 1, format('drop event trigger if exists %%I cascade', evtname) from pg_event_trigger
  where evtowner in (select oid from users)
    and ('pg_event_trigger'::regclass, oid) not in (select classid, objid from member)
  union all
  select 2, format('drop publication if exists %%I cascade', pubname) from pg_publication
  where pubowner in (select oid from users)
    and ('pg_publication'::regclass, oid) not in (select classid, objid from member)
  union all
  select 3, format('drop server if exists %%I cascade', srvname) from pg_foreign_server
  where srvowner in (select oid from users)
    and ('pg_foreign_server'::regclass, oid) not in (select classid, objid from member)
  union all
  select 4, format('drop foreign data wrapper if exists %%I cascade', fdwname) from pg_foreign_data_wrapper
  where fdwowner in (select oid from users)
    and ('pg_foreign_data_wrapper'::regclass, oid) not in (select classid, objid from member)
  union all
  select 5, format('drop schema if exists %%I cascade', nspname) from schemas
  union all
  -- In public all of it; it is never dropped itself, since rights that others give on what they make there would go.
  select 6, format('drop %%s if exists %%s cascade', regexp_replace(i.type, '^composite | object$', ''), i.identity)
  from pg_depend d
  join pg_namespace n on n.oid = d.refobjid and (n.nspname = 'public' or n.nspname = any(%(tidied)s))
  left join pg_class c on d.classid = 'pg_class'::regclass and c.oid = d.objid
  left join pg_proc p on d.classid = 'pg_proc'::regclass and p.oid = d.objid
  left join pg_type t on d.classid = 'pg_type'::regclass and t.oid = d.objid
  join mine r on r.oid = coalesce(c.relowner, p.proowner, t.typowner, n.nspowner),
  pg_identify_object(d.classid, d.objid, 0) i
  where d.refclassid = 'pg_namespace'::regclass and d.deptype = 'n' and d.classid <> 'pg_extension'::regclass
    and (n.nspname = 'public' or r.oid in (select oid from users)) and n.oid not in (select oid from schemas)
    and not exists (
      select from pg_depend o where o.classid = d.classid and o.objid = d.objid and o.deptype in ('e', 'i')
    )
  union all
  select 7, format('drop policy if exists %%I on %%s', polname, c.oid::regclass)
  from pg_policy join pg_class c on c.oid = polrelid join pg_namespace n on n.oid = c.relnamespace
  where n.nspname = any(%(cleared)s) and c.relowner in (select oid from mine)
    and n.oid not in (select oid from schemas)
  union all
  -- As initdb makes it: pg_dump tells what differs from that.
  select 8, format('revoke all on schema public from %%s', case grantee when 0 then 'public' else grantee::regrole::text end)
  from pg_namespace, aclexplode(nspacl) where nspname = 'public' and grantee <> nspowner
  union all
  select 9, 'grant all on schema public to pg_database_owner; grant usage on schema public to public;'
    ' comment on schema public is ''standard public schema'''
  union all
  select 10, format('alter default privileges for role %%I %%s revoke all on %%s from %%s', rolname, place, kinds,
    case grantee when 0 then 'public' else grantee::regrole::text end)
  from rights, aclexplode(defaclacl)
  union all
  select 11, format('alter default privileges for role %%I grant %%s on %%s to %%s', rolname, privilege_type, kinds,
    case grantee when 0 then 'public' else grantee::regrole::text end)
  from rights, aclexplode(acldefault(kind, role)) where place = ''
  union all
  select 12, format('select pg_catalog.lo_unlink(%%s)', oid) from pg_largeobject_metadata
  where lomowner in (select oid from mine)
) s (step, statement)
order by step, statement
