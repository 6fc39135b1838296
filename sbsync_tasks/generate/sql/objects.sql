-- Whole objects: what each is called, what makes and unmakes it. Without a statement that makes it, it is taken from
-- pg_dump by (class, object), and `definition` is what is compared.
select 'function ' || name as key, 'create' as stage, pg_get_functiondef(oid) as make, format('drop %s %s', word, name) as undo, false as again,
  null as definition, 'pg_proc'::regclass::oid as class, oid as object
from routine where prokind <> 'a'
union all
-- The engine makes these three, where it does not refuse to write anything, and where they stand in a user's schema.
select 'table ' || name, 'create', null, 'drop table ' || name, false, '', 'pg_class'::regclass, oid
from relation where relkind in ('r', 'p')
union all
select 'enum ' || name, 'create', null, 'drop type ' || name, false, '', 'pg_type'::regclass, oid
from type where typtype = 'e'
union all
select 'sequence ' || c.name, 'create', null, case when not exists (
    select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i')
  ) then 'drop sequence ' || c.name end, false, '', 'pg_class'::regclass, c.oid
from relation c where c.relkind = 'S'
union all
select 'aggregate ' || r.name, 'create', null, format('drop aggregate %s', r.name), true,
  concat_ws(' ', a.aggtransfn::regproc, a.aggfinalfn::regproc, a.aggcombinefn::regproc, a.aggmtransfn::regproc, a.aggminvtransfn::regproc,
    a.aggmfinalfn::regproc, a.aggfinalextra, a.aggfinalmodify, a.aggsortop::regoper, a.aggtranstype::regtype, a.agginitval, a.aggmtranstype::regtype,
    a.aggminitval, a.aggkind, r.proparallel),
  'pg_proc'::regclass, r.oid
from routine r join pg_aggregate a on a.aggfnoid = r.oid
union all
select 'view ' || name, 'create',
  format('create or replace view %s%s as%s%s', name, ' with (' || (select string_agg(o, ', ' order by o) from unnest(reloptions) o) || ')',
    E'\n', rtrim(pg_get_viewdef(oid), ';')),
  'drop view ' || name, false, null, 'pg_class'::regclass, oid
from relation where relkind = 'v'
union all
select 'materialized view ' || name, 'create', format('create materialized view %s as%s%s', name, E'\n', rtrim(pg_get_viewdef(oid), ';')),
  'drop materialized view ' || name, true, null, 'pg_class'::regclass, oid
from relation where relkind = 'm'
union all
select format('policy %I on %s %s %s', p.polname, c.name, p.polcmd, p.polpermissive), 'create', null,
  format('drop policy %I on %s', p.polname, c.name), true, '', 'pg_policy'::regclass, p.oid
from pg_policy p join any_relation c on c.oid = p.polrelid
union all
select format('trigger %I on %s', t.tgname, c.name), 'create', pg_get_triggerdef(t.oid), format('drop trigger %I on %s', t.tgname, c.name), true,
  null, 'pg_trigger'::regclass, t.oid
from pg_trigger t join any_relation c on c.oid = t.tgrelid join pg_proc p on p.oid = t.tgfoid
where not t.tgisinternal and t.tgparentid = 0
  and (not c.managed or p.pronamespace <> c.relnamespace or p.proowner not in (select oid from service))
union all
select format('rule %I on %s', r.rulename, c.name), 'create', regexp_replace(rtrim(pg_get_ruledef(r.oid), ';'), '^CREATE RULE', 'CREATE OR REPLACE RULE'),
  format('drop rule %I on %s', r.rulename, c.name), false, null, 'pg_rewrite'::regclass, r.oid
from pg_rewrite r join relation c on c.oid = r.ev_class where r.rulename <> '_RETURN'
union all
-- One of a partitioned table is printed as ON ONLY it, and such a one stays invalid until all partitions have theirs.
select 'index ' || c.name, 'create',
  case when c.relkind = 'I' and x.indisvalid then regexp_replace(pg_get_indexdef(c.oid), ' ON ONLY ', ' ON ') else pg_get_indexdef(c.oid) end,
  'drop index ' || c.name, true,
  (select string_agg(h.inhrelid::regclass::text, ', ' order by 1) from pg_inherits h where h.inhparent = c.oid and not x.indisvalid), 'pg_class'::regclass, c.oid
from relation c join pg_index x on x.indexrelid = c.oid
where c.relkind in ('i', 'I')
  and not exists (select from pg_inherits h join pg_index p on p.indexrelid = h.inhparent and p.indisvalid where h.inhrelid = c.oid)
  and not exists (select from pg_constraint k where k.conindid = c.oid and k.contype in ('p', 'u', 'x'))
union all
select format('constraint %I on %s', k.conname, c.name), 'create', format('alter table %s add constraint %I %s', c.name, k.conname, pg_get_constraintdef(k.oid)),
  format('alter table %s drop constraint %I', c.name, k.conname), true, null, 'pg_constraint'::regclass, k.oid
from pg_constraint k join relation c on c.oid = k.conrelid
where k.contype in ('c', 'f', 'p', 'u', 'x') and k.conparentid = 0 and k.coninhcount = 0
union all
select format('constraint %I on domain %s', k.conname, t.name), 'create',
  format('alter domain %s add constraint %I %s', t.name, k.conname, pg_get_constraintdef(k.oid)),
  format('alter domain %s drop constraint %I', t.name, k.conname), true, null, 'pg_constraint'::regclass, k.oid
from pg_constraint k join type t on t.oid = k.contypid where k.contype = 'c'
union all
select format('statistics %s.%I', s.name, x.stxname), 'create', pg_get_statisticsobjdef(x.oid), format('drop statistics %s.%I', s.name, x.stxname), true,
  null, 'pg_statistic_ext'::regclass, x.oid
from pg_statistic_ext x join space s on s.oid = x.stxnamespace
union all
select 'type ' || t.name, 'create', null, 'drop type ' || t.name, true,
  (
    select string_agg(format('%I %s %s', a.attname, format_type(a.atttypid, a.atttypmod), nullif(a.attcollation, 0)::regcollation), ', ' order by a.attnum)
    from pg_attribute a where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped
  ), 'pg_type'::regclass, t.oid
from type t where t.typtype = 'c'
union all
select 'range ' || t.name, 'create', null, 'drop type ' || t.name, true,
  concat_ws(' ', r.rngsubtype::regtype, r.rngsubopc, r.rngcollation::regcollation, r.rngcanonical, r.rngsubdiff, r.rngmultitypid::regtype),
  'pg_type'::regclass, t.oid
from type t join pg_range r on r.rngtypid = t.oid
union all
select 'domain ' || t.name, 'create', null, 'drop domain ' || t.name, true,
  concat_ws(' ', format_type(t.typbasetype, t.typtypmod), nullif(t.typcollation, 0)::regcollation), 'pg_type'::regclass, t.oid
from type t where t.typtype = 'd'
union all
select format('text search dictionary %s.%I', s.name, d.dictname), 'create', null, format('drop text search dictionary %s.%I', s.name, d.dictname), true,
  d.dicttemplate::text, 'pg_ts_dict'::regclass, d.oid
from pg_ts_dict d join space s on s.oid = d.dictnamespace
where d.oid not in (select objid from member where classid = 'pg_ts_dict'::regclass)
union all
select format('text search configuration %s.%I', s.name, c.cfgname), 'create', null, format('drop text search configuration %s.%I', s.name, c.cfgname), true,
  p.prsname, 'pg_ts_config'::regclass, c.oid
from pg_ts_config c join space s on s.oid = c.cfgnamespace join pg_ts_parser p on p.oid = c.cfgparser
where c.oid not in (select objid from member where classid = 'pg_ts_config'::regclass)
union all
select 'operator ' || o.oid::regoperator, 'create', null, 'drop operator ' || i.identity, true,
  concat_ws(' ', o.oprcode::regprocedure, o.oprcom::regoperator, o.oprnegate::regoperator, o.oprrest::regproc, o.oprjoin::regproc, o.oprcanmerge, o.oprcanhash),
  'pg_operator'::regclass, o.oid
from pg_operator o join space s on s.oid = o.oprnamespace, pg_identify_object('pg_operator'::regclass, o.oid, 0) i
where o.oid not in (select objid from member where classid = 'pg_operator'::regclass) and o.oprcode <> 0
union all
select 'operator family ' || i.identity, 'create', null, 'drop operator family ' || i.identity, true, '', 'pg_opfamily'::regclass, f.oid
from pg_opfamily f join space s on s.oid = f.opfnamespace, pg_identify_object('pg_opfamily'::regclass, f.oid, 0) i
where f.oid not in (select objid from member where classid = 'pg_opfamily'::regclass)
  and not exists (select from pg_opclass o where o.opcfamily = f.oid and o.opcname = f.opfname and o.opcnamespace = f.opfnamespace)
union all
select 'operator class ' || i.identity, 'create', null, 'drop operator class ' || i.identity, true, concat_ws(' ', o.opcintype::regtype, o.opcdefault),
  'pg_opclass'::regclass, o.oid
from pg_opclass o join space s on s.oid = o.opcnamespace, pg_identify_object('pg_opclass'::regclass, o.oid, 0) i
where o.oid not in (select objid from member where classid = 'pg_opclass'::regclass)
union all
select 'cast ' || i.identity, 'create', null, 'drop cast ' || i.identity, true, concat_ws(' ', c.castmethod, c.castcontext, c.castfunc::regprocedure),
  'pg_cast'::regclass, c.oid
from pg_cast c, pg_identify_object('pg_cast'::regclass, c.oid, 0) i
where c.oid >= 16384 and c.oid not in (select objid from member where classid = 'pg_cast'::regclass)
  and current_setting('sbsync.schemas') = ''
union all
select format('collation %s.%I', s.name, c.collname), 'create', null, format('drop collation %s.%I', s.name, c.collname), true,
  concat_ws(' ', c.collprovider, c.collisdeterministic, c.collcollate, c.collctype, to_jsonb(c) ->> 'colllocale', to_jsonb(c) ->> 'colliculocale', to_jsonb(c) ->> 'collicurules'),
  'pg_collation'::regclass, c.oid
from pg_collation c join space s on s.oid = c.collnamespace
where c.oid not in (select objid from member where classid = 'pg_collation'::regclass)
union all
select format('conversion %s.%I', s.name, c.conname), 'create', null, format('drop conversion %s.%I', s.name, c.conname), true,
  concat_ws(' ', c.conproc, c.conforencoding, c.contoencoding, c.condefault), 'pg_conversion'::regclass, c.oid
from pg_conversion c join space s on s.oid = c.connamespace
where c.oid not in (select objid from member where classid = 'pg_conversion'::regclass)
