-- What a Supabase service brings, by name: facts about it are compared only where both databases have it.
select 'service object', c.nspname, 'table ' || c.name, 'table ' || c.name, ''
from relation c where not c.own and c.relkind in ('r', 'p', 'f', 'v', 'm', 'S')
union all
select 'service object', p.nspname, 'function ' || p.name, 'function ' || p.name, ''
from routine p where not p.own
union all
select 'service object', s.nspname, format('schema %%I', s.nspname), format('schema %%I', s.nspname), ''
from space s where s.managed
