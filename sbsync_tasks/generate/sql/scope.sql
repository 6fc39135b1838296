-- Put before every query of this folder: the user's own schemas, and what extensions bring.
with member as (
  select classid, objid from pg_depend where deptype = 'e'
),
space as (
  select n.oid, n.nspname, n.nspowner, n.nspacl, format('%I', n.nspname) as name
  from pg_namespace n
  where n.nspname !~ current_setting('sbsync.managed')
    and (current_setting('sbsync.schemas') = '' or n.nspname = any (string_to_array(current_setting('sbsync.schemas'), E'\n')))
    and n.oid not in (select objid from member where classid = 'pg_namespace'::regclass)
),
relation as (
  select c.*, s.nspname, format('%I.%I', s.nspname, c.relname) as name,
    case c.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'S' then 'sequence' when 'f' then 'foreign table'
      when 'i' then 'index' when 'I' then 'index' when 'c' then 'type' else 'table' end as word
  from pg_class c join space s on s.oid = c.relnamespace
  where c.oid not in (select objid from member where classid = 'pg_class'::regclass)
),
routine as (
  select p.*, s.nspname, format('%I.%I(%s)', s.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) as name,
    case p.prokind when 'p' then 'procedure' when 'a' then 'aggregate' else 'function' end as word
  from pg_proc p join space s on s.oid = p.pronamespace
  where p.oid not in (select objid from member where classid = 'pg_proc'::regclass)
),
type as (
  select t.*, s.nspname, format('%I.%I', s.nspname, t.typname) as name, case t.typtype when 'd' then 'domain' else 'type' end as word
  from pg_type t join space s on s.oid = t.typnamespace left join pg_class c on c.oid = t.typrelid
  where t.typtype in ('c', 'd', 'e', 'r') and coalesce(c.relkind, 'c') = 'c'
    and t.oid not in (select objid from member where classid = 'pg_type'::regclass)
)
