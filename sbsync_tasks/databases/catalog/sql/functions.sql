select case p.prokind when 'p' then 'procedure' when 'a' then 'aggregate' else 'function' end, p.nspname, '', p.whose, p.name,
  concat_ws(E'\n',
    case when p.prokind <> 'a' then pg_get_functiondef(p.oid) else
      format('aggregate %%s %%s over %%s, final %%s, combine %%s, serial %%s, deserial %%s, moving %%s %%s over %%s, final %%s, sort %%s, start %%L %%L',
        a.aggkind, a.aggtransfn, format_type(a.aggtranstype, null), a.aggfinalfn, a.aggcombinefn, a.aggserialfn, a.aggdeserialfn,
        a.aggmtransfn, a.aggminvtransfn, format_type(a.aggmtranstype, null), a.aggmfinalfn,
        case when a.aggsortop <> 0 then a.aggsortop::regoperator end, a.agginitval, a.aggminitval)
      || ' parallel ' || p.proparallel::text || ' arguments ' || pg_get_function_arguments(p.oid)
    end,
    'comment ' || quote_literal(obj_description(p.oid, 'pg_proc')))
from routine p left join pg_aggregate a on a.aggfnoid = p.oid
where p.own
