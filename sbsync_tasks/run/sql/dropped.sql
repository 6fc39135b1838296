-- The schemas that the CLI's reset by URL drops, with their owners: all but some names, and supabase_admin's.
select n.nspname, n.nspowner::regrole::text, pg_has_role(n.nspowner, 'usage')
from pg_namespace n
where n.nspname !~ '^(information_schema|pg_.*|_analytics|_realtime|_supavisor|pgbouncer|pgmq|pgsodium|pgtle|supabase_migrations|vault|extensions|public)$'
  and n.nspowner::regrole::text <> 'supabase_admin'
  and not exists (select from pg_depend d where d.classid = 'pg_namespace'::regclass and d.objid = n.oid)
order by 1
