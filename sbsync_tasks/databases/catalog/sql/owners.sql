select 'owner', o.nspname, o.object, o.whose, regexp_replace(regexp_replace(o.object, '^(enum|domain|composite type|range type) ', 'type '), '^foreign ', ''), o.owner::regrole::text
from (
  -- `public` comes with the platform, and had different owners over the years
  select s.nspname, s.object, case when s.managed or s.nspname = 'public' then 'service' when s.extension is not null then 'extension' else '' end as whose, s.nspowner as owner from space s
  union all
  -- An index and a sequence of a column always have their table's owner.
  select c.nspname, c.object, c.whose, c.relowner
  from relation c where c.relkind in ('r', 'p', 'f', 'v', 'm', 'S') and c.extension is null
  union all
  select p.nspname, p.object, p.whose, p.proowner from routine p where p.extension is null
  union all
  select t.nspname, t.object, t.whose, t.typowner from type t where t.extension is null
  union all
  select s.nspname, format('extended statistics %%I.%%I', s.nspname, x.stxname), '', x.stxowner
  from pg_statistic_ext x join space s on s.oid = x.stxnamespace where not s.managed
  union all
  select s.nspname, 'operator ' || o.oid::regoperator, '', o.oprowner
  from pg_operator o join space s on s.oid = o.oprnamespace
  where not s.managed and o.oid not in (select objid from member where classid = 'pg_operator'::regclass)
  union all
  select s.nspname, format('collation %%I.%%I', s.nspname, c.collname), '', c.collowner
  from pg_collation c join space s on s.oid = c.collnamespace
  where not s.managed and c.oid not in (select objid from member where classid = 'pg_collation'::regclass)
  union all
  select s.nspname, format('conversion %%I.%%I', s.nspname, c.conname), '', c.conowner
  from pg_conversion c join space s on s.oid = c.connamespace
  where not s.managed and c.oid not in (select objid from member where classid = 'pg_conversion'::regclass)
  union all
  select s.nspname, format('text search configuration %%I.%%I', s.nspname, c.cfgname), '', c.cfgowner
  from pg_ts_config c join space s on s.oid = c.cfgnamespace
  where not s.managed and c.oid not in (select objid from member where classid = 'pg_ts_config'::regclass)
  union all
  select s.nspname, format('text search dictionary %%I.%%I', s.nspname, d.dictname), '', d.dictowner
  from pg_ts_dict d join space s on s.oid = d.dictnamespace
  where not s.managed and d.oid not in (select objid from member where classid = 'pg_ts_dict'::regclass)
) o
