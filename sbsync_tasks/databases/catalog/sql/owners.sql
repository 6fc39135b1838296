select 'owner', o.nspname, '', o.name, o.owner::regrole::text
from (
  select s.nspname, format('schema %%I', s.nspname) as name, s.nspowner as owner from space s
  where not s.managed and s.oid not in (select objid from member where classid = 'pg_namespace'::regclass)
  union all
  -- An index and a sequence of a column always have their table's owner.
  select c.nspname, case c.relkind when 'v' then 'view ' when 'm' then 'materialized view ' when 'S' then 'sequence ' else 'table ' end || c.name, c.relowner
  from relation c where c.own and c.relkind in ('r', 'p', 'f', 'v', 'm', 'S')
  union all
  select p.nspname, case p.prokind when 'p' then 'procedure ' when 'a' then 'aggregate ' else 'function ' end || p.name, p.proowner from routine p where p.own
  union all
  select t.nspname, 'type ' || t.name, t.typowner from type t
  union all
  select s.nspname, format('extended statistics %%I.%%I', s.nspname, x.stxname), x.stxowner
  from pg_statistic_ext x join space s on s.oid = x.stxnamespace where not s.managed
) o
