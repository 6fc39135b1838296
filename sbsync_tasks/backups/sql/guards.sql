-- What stands between rows and some tables, each with the statements that take it away and bring it back: foreign keys
-- from and to them, the triggers of users, and row level security where it holds for owners too.
with recursive asked as (
  select oid from unnest(%(tables)s::oid[]) oid
), family as (
  select oid from asked
  union
  select relid from asked, pg_partition_ancestors(oid) relid
)
select away, back from (
  select 1, format('alter table %%s drop constraint %%I', c.conrelid::regclass, c.conname),
    format('alter table %%s add constraint %%I %%s', c.conrelid::regclass, c.conname, pg_get_constraintdef(c.oid))
      || coalesce(format('; comment on constraint %%I on %%s is %%L', c.conname, c.conrelid::regclass,
        obj_description(c.oid, 'pg_constraint')), '')
  from pg_constraint c join pg_class r on r.oid = c.conrelid
  where c.contype = 'f' and c.conparentid = 0 and pg_has_role(r.relowner, 'usage')
    and (c.conrelid in (select oid from family) or c.confrelid in (select oid from family))
  union all
  select 2, format('alter table only %%s disable trigger %%I', t.tgrelid::regclass, t.tgname),
    format('alter table only %%s enable %%s trigger %%I', t.tgrelid::regclass,
      case t.tgenabled when 'R' then 'replica' when 'A' then 'always' else '' end, t.tgname)
  from pg_trigger t join pg_class r on r.oid = t.tgrelid
  where t.tgrelid in (select oid from asked) and not t.tgisinternal and t.tgenabled <> 'D'
    and pg_has_role(r.relowner, 'usage')
  union all
  select 3, format('alter table only %%s no force row level security', oid::regclass),
    format('alter table only %%s force row level security', oid::regclass)
  from pg_class r
  where oid in (select oid from asked) and relforcerowsecurity and pg_has_role(relowner, 'usage')
) s (step, away, back)
order by step, away
