select 'owner', o.nspname, o.object, o.whose, o.object, o.owner::regrole::text
from (
  -- `public` comes with the platform, and had different owners over the years
  select s.nspname, s.object, case when s.managed or s.nspname = 'public' then 'service' when s.extension is not null then 'extension' else '' end as whose, s.nspowner as owner from space s
  union all
  -- An index and a sequence of a column always have their table's owner.
  select c.nspname, case c.relkind when 'f' then 'table ' || c.name else c.object end, c.whose, c.relowner
  from relation c where c.relkind in ('r', 'p', 'f', 'v', 'm', 'S') and c.extension is null
  union all
  select p.nspname, p.object, p.whose, p.proowner from routine p where p.extension is null
  union all
  select t.nspname, 'type ' || t.name, t.whose, t.typowner from type t where t.extension is null
  union all
  select s.nspname, format('extended statistics %%I.%%I', s.nspname, x.stxname), '', x.stxowner
  from pg_statistic_ext x join space s on s.oid = x.stxnamespace where not s.managed
) o
