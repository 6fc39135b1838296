-- A partition's copies of its parent's constraints follow from these, comments apart; NOT NULL stands at the column; a
-- constraint trigger is listed with the triggers, a domain's constraint with its domain.
select 'constraint', c.nspname, c.object, c.whose, format('%%I on %%s', k.conname, c.name),
  concat_ws(E'\n', pg_get_constraintdef(k.oid), 'comment ' || quote_literal(obj_description(k.oid, 'pg_constraint')))
from pg_constraint k join relation c on c.oid = k.conrelid
where (c.own or c.whose = 'service') and k.contype not in ('n', 't')
  and (k.conparentid = 0 or obj_description(k.oid, 'pg_constraint') is not null)
