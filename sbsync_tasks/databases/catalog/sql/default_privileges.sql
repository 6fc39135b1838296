select 'default acl', coalesce(s.nspname, ''), '', case when s.managed or d.defaclrole in (select oid from service) then 'service' else '' end,
  d.defaclrole::regrole || coalesce(' in schema ' || quote_ident(s.nspname), '') || ': ' || case d.defaclobjtype
    when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'functions' when 'T' then 'types' when 'n' then 'schemas' else d.defaclobjtype::text end,
  coalesce((
    select string_agg(g.line, E'\n' order by g.line) from (
      select case x.grantee when 0 then 'public' else x.grantee::regrole::text end || ': '
        || string_agg(x.privilege_type || case when x.is_grantable then ' with grant option' else '' end, ', ' order by x.privilege_type) as line
      from aclexplode(d.defaclacl) x group by x.grantee
    ) g
  ), '')
from pg_default_acl d left join space s on s.oid = d.defaclnamespace
where s.oid is not null or d.defaclnamespace = 0 and cardinality(%(schemas)s::text[]) = 0
