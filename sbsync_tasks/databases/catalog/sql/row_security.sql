select 'rls', c.nspname, c.object, c.whose, c.name,
  case when c.relrowsecurity then 'on' else 'off' end || case when c.relforcerowsecurity then ', forced' else '' end
from relation c
where c.relkind in ('r', 'p')
