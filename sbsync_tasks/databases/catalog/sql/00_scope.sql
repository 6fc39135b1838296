-- Put before every query of this folder; PostgreSQL drops what a query does not use. Each query gives for every fact:
-- kind, schema, the object that it is about (empty where it is that object's being there), whose it is, name, definition.
-- Whose: '' the user's, 'service' a Supabase service's, 'extension' a member's of an extension.
with service as (
  select oid, rolname from pg_roles where rolname ~ %(service_roles)s
),
member as (
  select d.classid, d.objid, format('extension %%I', e.extname) as extension
  from pg_depend d join pg_extension e on e.oid = d.refobjid
  where d.deptype = 'e' and d.refclassid = 'pg_extension'::regclass
),
-- `managed`: by name, or made by a service, as new ages of the platform bring schemas that no list knows.
space as (
  select n.oid, n.nspname, n.nspowner, n.nspacl, m.extension, format('schema %%I', n.nspname) as object,
    n.nspname ~ %(managed_schemas)s as named, n.nspname = any (%(open_schemas)s::text[]) as open,
    n.nspname ~ %(managed_schemas)s or n.nspname <> 'public' and n.nspowner in (select oid from service) as managed
  from pg_namespace n left join member m on m.classid = 'pg_namespace'::regclass and m.objid = n.oid
  where n.nspname !~ '^(pg_.*|information_schema|supabase_migrations|_timescaledb_.*)$'
    and (cardinality(%(schemas)s::text[]) = 0 or n.nspname = any (%(schemas)s::text[]))
),
-- `own`: read in full. Of the others only what users may change is read, and that they are there.
relation as (
  select c.*, s.nspname, s.managed, m.extension, format('%%I.%%I', s.nspname, c.relname) as name,
    format('%%s %%I.%%I', case c.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'S' then 'sequence'
      when 'f' then 'foreign table' when 'c' then 'composite type' when 'i' then 'index' when 'I' then 'index' else 'table' end,
      s.nspname, c.relname) as object,
    m.extension is null and (not s.named or s.open and c.relowner not in (select oid from service)) as own,
    case when m.extension is not null then 'extension'
      when s.managed and (c.relowner in (select oid from service) or s.named and not s.open) then 'service' else '' end as whose
  from pg_class c join space s on s.oid = c.relnamespace
    left join member m on m.classid = 'pg_class'::regclass and m.objid = c.oid
  where c.relkind in ('r', 'p', 'f', 'v', 'm', 'S', 'c', 'i', 'I')
),
-- The platform's event trigger functions have had `postgres` as their owner.
routine as (
  select p.*, s.nspname, s.managed, m.extension,
    format('%%I.%%I(%%s)', s.nspname, p.proname, oidvectortypes(p.proargtypes)) as name,
    format('%%s %%I.%%I(%%s)', case p.prokind when 'p' then 'procedure' when 'a' then 'aggregate' else 'function' end,
      s.nspname, p.proname, oidvectortypes(p.proargtypes)) as object,
    m.extension is null and (not s.named or s.open and not o.service) as own,
    case when m.extension is not null then 'extension'
      when s.managed and (o.service or s.named and not s.open) then 'service' else '' end as whose
  from pg_proc p join space s on s.oid = p.pronamespace
    left join member m on m.classid = 'pg_proc'::regclass and m.objid = p.oid
    cross join lateral (
      select p.proowner in (select oid from service) or s.named and p.prorettype = 'event_trigger'::regtype as service
    ) o
),
-- Neither row types of tables nor array types nor multiranges: they come with what they are made for.
type as (
  select t.*, s.nspname, m.extension, format('%%I.%%I', s.nspname, t.typname) as name,
    format('%%s %%I.%%I', case t.typtype when 'e' then 'enum' when 'c' then 'composite type' when 'd' then 'domain'
      when 'r' then 'range type' else 'type' end, s.nspname, t.typname) as object,
    m.extension is null and (not s.named or s.open and t.typowner not in (select oid from service)) as own,
    case when m.extension is not null then 'extension'
      when s.managed and (t.typowner in (select oid from service) or s.named and not s.open) then 'service' else '' end as whose
  from pg_type t join space s on s.oid = t.typnamespace left join pg_class c on c.oid = t.typrelid
    left join member m on m.classid = 'pg_type'::regclass and m.objid = t.oid
  where t.typtype in ('b', 'c', 'd', 'e', 'r') and t.typcategory <> 'A' and coalesce(c.relkind, 'c') = 'c'
)
