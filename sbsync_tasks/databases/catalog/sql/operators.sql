select 'operator', s.nspname, '', '', o.oid::regoperator::text,
  concat_ws(E'\n', 'function ' || o.oprcode, 'returns ' || o.oprresult::regtype,
    'commutator ' || nullif(o.oprcom, 0)::regoperator, 'negator ' || nullif(o.oprnegate, 0)::regoperator,
    'restrict ' || nullif(o.oprrest::oid, 0)::regproc, 'join ' || nullif(o.oprjoin::oid, 0)::regproc,
    case when o.oprcanmerge then 'merges' end, case when o.oprcanhash then 'hashes' end,
    'comment ' || quote_literal(obj_description(o.oid, 'pg_operator')))
from pg_operator o join space s on s.oid = o.oprnamespace
where not s.named and o.oid not in (select objid from member where classid = 'pg_operator'::regclass)
union all
select 'operator class', s.nspname, '', '', format('%%I.%%I using %%I', s.nspname, o.opcname, m.amname),
  concat_ws(E'\n', 'for ' || o.opcintype::regtype, case when o.opcdefault then 'default' end,
    'comment ' || quote_literal(obj_description(o.oid, 'pg_opclass')))
from pg_opclass o join space s on s.oid = o.opcnamespace join pg_am m on m.oid = o.opcmethod
where not s.named and o.oid not in (select objid from member where classid = 'pg_opclass'::regclass)
union all
-- A range type's cast to its multirange type comes with it.
select 'cast', coalesce(s.nspname, t.nspname), case when exists (
    select from pg_depend d where d.classid = 'pg_cast'::regclass and d.objid = c.oid and d.deptype = 'i'
  ) then coalesce(s.object, '') else '' end, '', format('%%s as %%s', format_type(c.castsource, null), format_type(c.casttarget, null)),
  concat_ws(E'\n', case c.castmethod when 'f' then 'with function ' || c.castfunc::regprocedure when 'i' then 'with inout' else 'without function' end,
    case c.castcontext when 'a' then 'as assignment' when 'i' then 'as implicit' end,
    'comment ' || quote_literal(obj_description(c.oid, 'pg_cast')))
from pg_cast c left join type s on s.oid = c.castsource left join type t on t.oid = c.casttarget
where (s.own or t.own) and c.oid not in (select objid from member where classid = 'pg_cast'::regclass)
union all
-- Which column holds an ICU locale changed in 17, so it is asked for by name.
select 'collation', s.nspname, '', '', format('%%I.%%I', s.nspname, c.collname),
  concat_ws(E'\n', 'provider ' || case c.collprovider when 'c' then 'libc' when 'i' then 'icu' when 'b' then 'builtin' else 'default' end, case when not c.collisdeterministic then 'not deterministic' end,
    'collate ' || c.collcollate, 'ctype ' || c.collctype,
    'locale ' || coalesce(to_jsonb(c) ->> 'colllocale', to_jsonb(c) ->> 'colliculocale'), 'rules ' || (to_jsonb(c) ->> 'collicurules'),
    'comment ' || quote_literal(obj_description(c.oid, 'pg_collation')))
from pg_collation c join space s on s.oid = c.collnamespace
where not s.named and c.oid not in (select objid from member where classid = 'pg_collation'::regclass)
union all
select 'conversion', s.nspname, '', '', format('%%I.%%I', s.nspname, c.conname),
  concat_ws(E'\n', pg_encoding_to_char(c.conforencoding) || ' to ' || pg_encoding_to_char(c.contoencoding),
    'function ' || c.conproc, case when c.condefault then 'default' end,
    'comment ' || quote_literal(obj_description(c.oid, 'pg_conversion')))
from pg_conversion c join space s on s.oid = c.connamespace
where not s.named and c.oid not in (select objid from member where classid = 'pg_conversion'::regclass)
