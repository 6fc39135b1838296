-- Put before every query of this folder; PostgreSQL drops what a query does not use. What belongs to an extension is in none of them.
with service as (
  select oid, rolname from pg_roles where rolname ~ %(service_roles)s
),
member as (
  select classid, objid from pg_depend where deptype = 'e'
),
space as (
  select n.oid, n.nspname, n.nspowner, n.nspacl, n.nspname ~ %(managed_schemas)s as managed
  from pg_namespace n
  where case
    when cardinality(%(schemas)s::text[]) > 0 then n.nspname = any (%(schemas)s::text[])
    else n.nspname !~ %(managed_schemas)s or n.nspname = any (%(open_schemas)s::text[])
  end
),
-- `own`: the user's. The rest are the tables of a Supabase service, of which only what users may change is read.
relation as (
  select c.*, s.nspname, s.managed, format('%%I.%%I', s.nspname, c.relname) as name,
    not s.managed or c.relowner not in (select oid from service) as own
  from pg_class c join space s on s.oid = c.relnamespace
  where c.relkind in ('r', 'p', 'f', 'v', 'm', 'S', 'c', 'i', 'I')
    and (c.oid) not in (select objid from member where classid = 'pg_class'::regclass)
),
routine as (
  select p.*, s.nspname, s.managed,
    format('%%I.%%I(%%s)', s.nspname, p.proname, oidvectortypes(p.proargtypes)) as name,
    not s.managed or p.proowner not in (select oid from service) as own
  from pg_proc p join space s on s.oid = p.pronamespace
  where p.oid not in (select objid from member where classid = 'pg_proc'::regclass)
),
-- Neither row types of tables nor array types nor multiranges: they come with what they are made for.
type as (
  select t.*, s.nspname, format('%%I.%%I', s.nspname, t.typname) as name
  from pg_type t join space s on s.oid = t.typnamespace left join pg_class c on c.oid = t.typrelid
  where t.typtype in ('b', 'c', 'd', 'e', 'r') and t.typcategory <> 'A' and coalesce(c.relkind, 'c') = 'c'
    and (not s.managed or t.typowner not in (select oid from service))
    and t.oid not in (select objid from member where classid = 'pg_type'::regclass)
)
