-- Roles that something in this database belongs to or is granted to, or that are members of such a one.
select format('%I', r.rolname), concat_ws(' ', 'create role', format('%I', r.rolname),
    case when r.rolcanlogin then 'login' else 'nologin' end, case when not r.rolinherit then 'noinherit' end,
    case when r.rolcreaterole then 'createrole' end, case when r.rolcreatedb then 'createdb' end,
    case when r.rolbypassrls then 'bypassrls' end, case when r.rolreplication then 'replication' end),
  (
    select array_agg(distinct format('grant %I to %I', r.rolname, m.rolname))
    from pg_auth_members a join pg_roles m on m.oid = a.member
    where a.roleid = r.oid and m.rolname !~ current_setting('sbsync.service_roles')
      and coalesce((to_jsonb(a) ->> 'set_option')::bool, true)
  )
from pg_roles r
where r.rolname !~ current_setting('sbsync.service_roles') and not r.rolsuper and r.oid in (
  select refobjid from pg_shdepend where refclassid = 'pg_authid'::regclass
    and dbid = (select oid from pg_database where datname = current_database()))
order by 1
