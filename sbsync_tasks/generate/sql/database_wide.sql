-- What stands in no schema: extensions, event triggers, publications, wrappers, servers, default privileges. The engine
-- writes these, where it does not refuse to write anything.
select 'extension ' || x.name as key, 'create' as stage, format('create extension if not exists %s with schema %I', x.name, n.nspname) as make,
  'drop extension ' || x.name as undo, false as again, null as definition, null::oid as class, null::oid as object
from pg_extension e join pg_namespace n on n.oid = e.extnamespace cross join lateral (select format('%I', e.extname) as name) x
where e.extname <> all (string_to_array(current_setting('sbsync.extensions'), E'\n')) and current_setting('sbsync.schemas') = ''
union all
select 'schema of extension ' || x.name, 'attribute', format('alter extension %s set schema %I', x.name, n.nspname), null, false, null, null, null
from pg_extension e join pg_namespace n on n.oid = e.extnamespace cross join lateral (select format('%I', e.extname) as name) x
where e.extname <> all (string_to_array(current_setting('sbsync.extensions'), E'\n')) and current_setting('sbsync.schemas') = ''
union all
select f.key || x.name, f.stage, f.make, f.undo, f.stage = 'create', f.definition, f.class, f.object
from pg_event_trigger t join pg_proc p on p.oid = t.evtfoid join pg_namespace n on n.oid = p.pronamespace
  cross join lateral (select format('%I', t.evtname) as name) x
  cross join lateral (
    select 'event trigger ' as key, 'create' as stage, null as make, 'drop event trigger ' || x.name as undo,
      concat_ws(' ', t.evtevent, t.evtfoid::regproc, t.evttags) as definition, 'pg_event_trigger'::regclass::oid as class, t.oid as object
    union all
    select 'state of event trigger ', 'attribute', format('alter event trigger %s %s', x.name,
      case t.evtenabled when 'D' then 'disable' when 'A' then 'enable always' when 'R' then 'enable replica' else 'enable' end), null, null, null, null
  ) f
where n.nspname !~ current_setting('sbsync.managed') and p.proowner not in (select oid from service) and current_setting('sbsync.schemas') = ''
  and t.oid not in (select objid from member where classid = 'pg_event_trigger'::regclass)
union all
select f.key || x.name, f.stage, f.make, f.undo, f.stage = 'create', f.definition, f.class, f.object
from pg_publication p cross join lateral (select format('%I', p.pubname) as name) x
  cross join lateral (
    select 'publication ' as key, 'create' as stage, null as make, 'drop publication ' || x.name as undo, case when p.puballtables then 'all tables' else '' end as definition,
      'pg_publication'::regclass::oid as class, p.oid as object
    union all
    select 'options of publication ', 'attribute', format('alter publication %s set (publish = %L, publish_via_partition_root = %s)', x.name,
      concat_ws(', ', case when p.pubinsert then 'insert' end, case when p.pubupdate then 'update' end, case when p.pubdelete then 'delete' end,
        case when p.pubtruncate then 'truncate' end), p.pubviaroot), null, null, null, null
  ) f
where p.pubname <> 'supabase_realtime' and p.pubowner not in (select oid from service) and current_setting('sbsync.schemas') = ''
union all
select format('%s in publication %s', c.name, x.name), 'attribute',
  format('alter publication %s add table only %s%s%s', x.name, c.name, ' (' || (
    select string_agg(format('%I', a.attname), ', ' order by a.attnum) from pg_attribute a where a.attrelid = c.oid and a.attnum = any (r.prattrs::int2[])) || ')',
    ' where ' || pg_get_expr(r.prqual, r.prrelid)),
  format('alter publication %s drop table only %s', x.name, c.name), true, null, null, null
from pg_publication_rel r join pg_publication p on p.oid = r.prpubid join relation c on c.oid = r.prrelid cross join lateral (select format('%I', p.pubname) as name) x
where p.pubname = 'supabase_realtime' or p.pubowner not in (select oid from service)
union all
select format('tables of schema %s in publication %I', s.name, p.pubname), 'attribute', format('alter publication %I add tables in schema %s', p.pubname, s.name),
  format('alter publication %I drop tables in schema %s', p.pubname, s.name), false, null, null, null
from pg_publication_namespace r join pg_publication p on p.oid = r.pnpubid join space s on s.oid = r.pnnspid
union all
select format('foreign data wrapper %I', f.fdwname), 'create', null, format('drop foreign data wrapper %I', f.fdwname), true,
  concat_ws(' ', nullif(f.fdwhandler, 0)::regproc, nullif(f.fdwvalidator, 0)::regproc), 'pg_foreign_data_wrapper'::regclass, f.oid
from pg_foreign_data_wrapper f
where current_setting('sbsync.schemas') = '' and f.oid not in (select objid from member where classid = 'pg_foreign_data_wrapper'::regclass)
union all
select format('server %I', s.srvname), 'create', null, format('drop server %I', s.srvname), true, concat_ws(' ', f.fdwname, s.srvtype), 'pg_foreign_server'::regclass, s.oid
from pg_foreign_server s join pg_foreign_data_wrapper f on f.oid = s.srvfdw
where current_setting('sbsync.schemas') = '' and s.oid not in (select objid from member where classid = 'pg_foreign_server'::regclass)
union all
select format('version of server %I', s.srvname), 'attribute', format('alter server %I version %L', s.srvname, s.srvversion), null, false, null, null, null
from pg_foreign_server s
where current_setting('sbsync.schemas') = '' and s.oid not in (select objid from member where classid = 'pg_foreign_server'::regclass)
union all
-- Those of a schema come on top of the ones of the database, which begin with what PostgreSQL gives by itself.
select format('default grant of %s on %s by %s%s to %s', x.privilege_type, o.kind, o.owner::regrole, ' in ' || o.schema, g.name), 'attribute',
  format('%s grant %s on %s to %s%s', l.alter, x.privilege_type, o.kind, g.name, case when x.is_grantable then ' with grant option' end),
  format('%s revoke %s on %s from %s', l.alter, x.privilege_type, o.kind, g.name), true, null, null, null
from (
    select d.defaclrole, s.name, k.kind, d.defaclacl
    from pg_default_acl d join space s on s.oid = d.defaclnamespace join (values ('r', 'tables'), ('S', 'sequences'), ('f', 'functions'), ('T', 'types')) k (type, kind)
      on k.type = d.defaclobjtype
    union all
    select r.oid, null, k.kind, coalesce(d.defaclacl, acldefault(k.type, r.oid))
    from pg_roles r cross join (values ('r'::"char", 'r'::"char", 'tables'), ('S', 's', 'sequences'), ('f', 'f', 'functions'), ('T', 'T', 'types'), ('n', 'n', 'schemas')) k (kept, type, kind)
      left join pg_default_acl d on d.defaclrole = r.oid and d.defaclnamespace = 0 and d.defaclobjtype = k.kept
    where (r.rolname = 'postgres' or d.oid is not null) and current_setting('sbsync.schemas') = ''
  ) o (owner, schema, kind, acl)
  cross join lateral (select 'alter default privileges for role ' || o.owner::regrole || coalesce(' in schema ' || o.schema, '') as alter) l
  cross join lateral aclexplode(o.acl) x
  cross join lateral (select case x.grantee when 0 then 'public' else x.grantee::regrole::text end as name) g
where o.owner not in (select oid from service)
