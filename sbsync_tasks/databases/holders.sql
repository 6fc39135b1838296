-- Who holds a lock on the relations with these names, or on any of the user's where none of them is there.
with named as (select to_regclass(name)::oid as id from unnest(%(names)s::text[]) as name)
select distinct a.pid, coalesce(nullif(a.application_name, ''), '?'), a.usename, a.state,
  to_char(coalesce(a.query_start, a.xact_start) at time zone 'utc', 'HH24:MI:SS "UTC"'),
  regexp_replace(a.query, '\s+', ' ', 'g')
from pg_locks l join pg_stat_activity a on a.pid = l.pid
where l.granted and a.pid <> pg_backend_pid() and a.datname = current_database()
  and (l.relation in (select id from named)
    or (l.relation >= 16384 and not exists (select from named where id is not null)))
order by 1
