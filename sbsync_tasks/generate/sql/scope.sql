-- Put before every query of this folder: the user's own schemas, what stands in managed ones and is the user's all the
-- same, and what extensions bring.
with member as (
  select classid, objid from pg_depend where deptype = 'e'
),
service as (
  select oid from pg_roles where rolname ~ current_setting('sbsync.service_roles')
),
place as (
  select n.oid, n.nspname, n.nspowner, n.nspacl, format('%I', n.nspname) as name, n.nspname ~ current_setting('sbsync.managed') as managed
  from pg_namespace n
  where (n.nspname !~ current_setting('sbsync.managed') or n.nspname = any (string_to_array(current_setting('sbsync.open'), E'\n')))
    and (current_setting('sbsync.schemas') = '' or n.nspname = any (string_to_array(current_setting('sbsync.schemas'), E'\n')))
    and n.oid not in (select objid from member where classid = 'pg_namespace'::regclass)
),
space as (
  select * from place where not managed
),
-- The platform's tables too: users make policies and triggers there.
any_relation as (
  select c.*, s.nspname, s.managed, format('%I.%I', s.nspname, c.relname) as name,
    case c.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'S' then 'sequence' when 'f' then 'foreign table'
      when 'i' then 'index' when 'I' then 'index' when 'c' then 'type' else 'table' end as word
  from pg_class c join place s on s.oid = c.relnamespace
  where c.oid not in (select objid from member where classid = 'pg_class'::regclass)
),
relation as (
  select * from any_relation where not managed or relowner not in (select oid from service)
),
routine as (
  select p.*, s.nspname, format('%I.%I(%s)', s.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) as name,
    case p.prokind when 'p' then 'procedure' when 'a' then 'aggregate' else 'function' end as word
  from pg_proc p join place s on s.oid = p.pronamespace
    and (not s.managed or p.proowner not in (select oid from service) and p.prorettype <> 'event_trigger'::regtype)
  where p.oid not in (select objid from member where classid = 'pg_proc'::regclass)
),
type as (
  select t.*, s.nspname, format('%I.%I', s.nspname, t.typname) as name, case t.typtype when 'd' then 'domain' else 'type' end as word
  from pg_type t join place s on s.oid = t.typnamespace and (not s.managed or t.typowner not in (select oid from service)) left join pg_class c on c.oid = t.typrelid
  where t.typtype in ('c', 'd', 'e', 'r') and coalesce(c.relkind, 'c') = 'c'
    and t.oid not in (select objid from member where classid = 'pg_type'::regclass)
)
