-- Attributes of tables, views, indexes and sequences.
select f.key || ' of ' || c.name, 'attribute', f.make, f.undo, false, null, null::oid, null::oid
from relation c
  left join pg_class toast on toast.oid = c.reltoastrelid
  left join pg_sequence q on q.seqrelid = c.oid
  left join pg_am m on m.oid = c.relam
  cross join lateral (select format('alter %s %s ', c.word, c.name) as alter) l
  cross join lateral (
    select 'option ' || split_part(o, '=', 1) as key,
      l.alter || format('set (%s=%L)', split_part(o, '=', 1), substr(o, strpos(o, '=') + 1)) as make, l.alter || format('reset (%s)', split_part(o, '=', 1)) as undo
    from unnest(c.reloptions) o
    union all
    select 'option toast.' || split_part(o, '=', 1), l.alter || format('set (toast.%s)', o), l.alter || format('reset (toast.%s)', split_part(o, '=', 1))
    from unnest(toast.reloptions) o
    union all
    select 'persistence', l.alter || case c.relpersistence when 'u' then 'set unlogged' else 'set logged' end, null where c.relkind in ('r', 'S')
    union all
    select 'replica identity', l.alter || 'replica identity ' || case c.relreplident when 'n' then 'nothing' when 'f' then 'full' when 'd' then 'default'
        else 'using index ' || (select quote_ident(n.relname) from pg_index x join pg_class n on n.oid = x.indexrelid where x.indrelid = c.oid and x.indisreplident) end, null
    where c.relkind in ('r', 'p')
    union all
    select 'clustering', l.alter || coalesce(
      'cluster on ' || (select quote_ident(n.relname) from pg_index x join pg_class n on n.oid = x.indexrelid where x.indrelid = c.oid and x.indisclustered),
      'set without cluster'), null
    where c.relkind in ('r', 'm')
    union all
    select 'type', l.alter || coalesce('of ' || nullif(c.reloftype, 0)::regtype, 'not of'), null where c.relkind in ('r', 'p')
    union all
    select 'access method', l.alter || format('set access method %I', m.amname), null where c.relkind in ('r', 'm')
    union all
    select 'row security', l.alter || case when c.relrowsecurity then 'enable' else 'disable' end || ' row level security', null where c.relkind in ('r', 'p')
    union all
    select 'forced row security', l.alter || case when c.relforcerowsecurity then 'force' else 'no force' end || ' row level security', null where c.relkind in ('r', 'p')
    union all
    select 'sequence', l.alter || format('as %s increment by %s minvalue %s maxvalue %s start with %s cache %s %s', q.seqtypid::regtype, q.seqincrement, q.seqmin, q.seqmax,
      q.seqstart, q.seqcache, case when q.seqcycle then 'cycle' else 'no cycle' end), null
    where c.relkind = 'S'
    union all
    select 'owning column', l.alter || coalesce((
      select format('owned by %s.%I', d.refobjid::regclass, a.attname)
      from pg_depend d join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
      where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.refclassid = 'pg_class'::regclass and d.deptype = 'a'), 'owned by none'), null
    where c.relkind = 'S' and not exists (
      select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.refclassid = 'pg_class'::regclass and d.deptype = 'i')
  ) f
union all
select format('state of trigger %I on %s', t.tgname, c.name), 'attribute', format('alter table %s %s trigger %I', c.name,
  case t.tgenabled when 'D' then 'disable' when 'A' then 'enable always' when 'R' then 'enable replica' else 'enable' end, t.tgname), null, false, null, null, null
from pg_trigger t join relation c on c.oid = t.tgrelid where not t.tgisinternal
union all
select format('state of rule %I on %s', r.rulename, c.name), 'attribute', format('alter table %s %s rule %I', c.name,
  case r.ev_enabled when 'D' then 'disable' when 'A' then 'enable always' when 'R' then 'enable replica' else 'enable' end, r.rulename), null, false, null, null, null
from pg_rewrite r join relation c on c.oid = r.ev_class where r.rulename <> '_RETURN'
union all
select format('expression of policy %I on %s', p.polname, c.name), 'attribute', format('alter policy %I on %s to %s', p.polname, c.name, (
    select string_agg(case r when 0 then 'public' else r::regrole::text end, ', ' order by 1) from unnest(p.polroles) r))
  || coalesce(' using (' || pg_get_expr(p.polqual, p.polrelid) || ')', '') || coalesce(' with check (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')', ''),
  null, false, null, null, null
from pg_policy p join any_relation c on c.oid = p.polrelid
union all
select format('target of statistics %s.%I', s.name, x.stxname), 'attribute', format('alter statistics %s.%I set statistics %s', s.name, x.stxname, coalesce(x.stxstattarget, -1)),
  null, false, null, null, null
from pg_statistic_ext x join space s on s.oid = x.stxnamespace
