select 'rule', c.nspname, c.object, c.whose, format('%%I on %%s', r.rulename, c.name),
  concat_ws(E'\n', pg_get_ruledef(r.oid), case r.ev_enabled when 'D' then 'disabled' when 'R' then 'enabled for replicas' when 'A' then 'enabled always' end,
    'comment ' || quote_literal(obj_description(r.oid, 'pg_rewrite')))
from pg_rewrite r join relation c on c.oid = r.ev_class
where r.rulename <> '_RETURN' and c.own
