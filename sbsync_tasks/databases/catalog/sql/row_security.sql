select 'rls', c.nspname, case when c.own then '' else 'table ' || c.name end, c.name,
  case when c.relrowsecurity then 'on' else 'off' end || case when c.relforcerowsecurity then ', forced' else '' end
from relation c
where c.relkind in ('r', 'p')
