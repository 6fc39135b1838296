-- What users own and that reset leaves, and range types, on which it fails: the statement that drops each, and its name.
with service as (select oid from pg_roles where rolname ~ %(service_roles)s),
owned as (
  select replace(o.type, '-', ' ') as type, coalesce(o.schema, case o.type when 'schema' then o.identity end, '') as schema,
    o.identity, t.typtype is not distinct from 'r' as range
  from pg_shdepend d left join pg_type t on t.oid = d.objid and d.classid = 'pg_type'::regclass,
    pg_identify_object(d.classid, d.objid, 0) o
  where d.dbid = (select oid from pg_database where datname = current_database())
    and d.refclassid = 'pg_authid'::regclass and d.deptype = 'o' and d.refobjid not in (select oid from service)
    and not exists (
      select from pg_depend p where (p.classid, p.objid) = (d.classid, d.objid) and p.refobjid <> p.objid
        and p.deptype in ('a', 'e', 'i')
    )
),
managed as (
  select c.oid, format('%%I.%%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname ~ %(managed)s and not n.nspname = any (%(dropped)s) and c.relowner in (select oid from service)
),
defaults as (
  select d.defaclrole::regrole as role, d.defaclacl as acl, acldefault(replace(d.defaclobjtype, 'S', 's')::"char", d.defaclrole) as plain,
    case d.defaclobjtype when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'functions' when 'T' then 'types' else 'schemas' end as kind
  from pg_default_acl d where d.defaclnamespace = 0 and d.defaclrole not in (select oid from service)
)
select format('drop %%s if exists %%s cascade', type, identity), type || ' ' || identity from owned
where not schema = any (%(dropped)s) and schema <> 'supabase_migrations'
  and not (type = 'schema' and schema in ('public', 'extensions', 'vault')) and type not in ('default acl', 'event trigger', 'extension', 'large object', 'statistics object')
  and not (schema = 'public' and not range and type in ('table', 'view', 'materialized view', 'foreign table', 'type', 'function', 'procedure', 'aggregate'))
union all
select format('drop trigger if exists %%I on %%s', t.tgname, m.name), format('trigger %%I on %%s', t.tgname, m.name)
from pg_trigger t join managed m on m.oid = t.tgrelid join pg_proc p on p.oid = t.tgfoid
where not t.tgisinternal and p.pronamespace::regnamespace::text <> 'public' and p.proowner in (select oid from service)
union all
select format('alter publication %%I drop table %%s', p.pubname, m.name), format('publication member %%s in %%I', m.name, p.pubname)
from pg_publication_rel r join pg_publication p on p.oid = r.prpubid join managed m on m.oid = r.prrelid
where p.pubname ~ '^(supabase_realtime|realtime_messages)'
union all
select concat_ws('; ',
    (select string_agg(distinct format('alter default privileges for role %%s revoke all on %%s from %%s', role, kind, coalesce(nullif(a.grantee, 0)::regrole::text, 'public')), '; ') from aclexplode(acl) a),
    (select string_agg(format('alter default privileges for role %%s grant %%s on %%s to %%s', role, a.privilege_type, kind, coalesce(nullif(a.grantee, 0)::regrole::text, 'public')), '; ') from aclexplode(plain) a)
  ), format('default privileges of %%s on %%s', role, kind)
from defaults
order by 1
