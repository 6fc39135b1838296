-- The constructors of a range type come with it.
select case p.prokind when 'p' then 'procedure' when 'a' then 'aggregate' else 'function' end, p.nspname, coalesce((
    select t.object from pg_depend d join pg_range r on d.refobjid in (r.rngtypid, r.rngmultitypid) join type t on t.oid = r.rngtypid
    where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.refclassid = 'pg_type'::regclass and d.deptype = 'i'
  ), ''), p.whose, p.name,
  concat_ws(E'\n',
    case when p.prokind <> 'a' then pg_get_functiondef(p.oid) else
      concat_ws(E'\n', 'aggregate (' || pg_get_function_arguments(p.oid) || ')',
        case a.aggkind when 'o' then 'ordered set' when 'h' then 'hypothetical set' end,
        'transition ' || a.aggtransfn || ' on ' || format_type(a.aggtranstype, null), 'initial ' || quote_literal(a.agginitval),
        'final ' || nullif(a.aggfinalfn::oid, 0)::regproc, 'combine ' || nullif(a.aggcombinefn::oid, 0)::regproc,
        'serial ' || nullif(a.aggserialfn::oid, 0)::regproc, 'deserial ' || nullif(a.aggdeserialfn::oid, 0)::regproc,
        'moving transition ' || nullif(a.aggmtransfn::oid, 0)::regproc || ' on ' || format_type(a.aggmtranstype, null),
        'moving inverse ' || nullif(a.aggminvtransfn::oid, 0)::regproc, 'moving initial ' || quote_literal(a.aggminitval),
        'moving final ' || nullif(a.aggmfinalfn::oid, 0)::regproc, 'sort ' || nullif(a.aggsortop, 0)::regoperator,
        'parallel ' || case p.proparallel when 's' then 'safe' when 'r' then 'restricted' else 'unsafe' end)
    end,
    'comment ' || quote_literal(obj_description(p.oid, 'pg_proc')))
from routine p left join pg_aggregate a on a.aggfnoid = p.oid
where p.own
