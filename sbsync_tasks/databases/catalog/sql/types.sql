select case t.typtype when 'e' then 'enum' when 'c' then 'composite type' when 'd' then 'domain' when 'r' then 'range type' else 'type' end,
  t.nspname, '', t.whose, t.name,
  concat_ws(E'\n',
    (select string_agg(quote_literal(e.enumlabel), ', ' order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid),
    (
      select string_agg(concat_ws(' ', quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
          'collation ' || nullif(nullif(a.attcollation, 0)::regcollation::text, '"default"'),
          'comment ' || quote_literal(col_description(t.typrelid, a.attnum))), E'\n' order by a.attnum)
      from pg_attribute a where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped
    ),
    case when t.typtype = 'd' then concat_ws(' ',
      format_type(t.typbasetype, t.typtypmod), 'collation ' || nullif(nullif(t.typcollation, 0)::regcollation::text, '"default"'),
      case when t.typnotnull then 'not null' end, 'default ' || pg_get_expr(t.typdefaultbin, 0),
      (
        select string_agg(format('constraint %%I %%s', k.conname, pg_get_constraintdef(k.oid))
          || coalesce(' comment ' || quote_literal(obj_description(k.oid, 'pg_constraint')), ''), ' ' order by k.conname)
        from pg_constraint k where k.contypid = t.oid and k.contype <> 'n'
      ))
    end,
    (
      select concat_ws(E'\n', 'of ' || r.rngsubtype::regtype, 'operator class ' || quote_ident(o.opcname),
        'collation ' || nullif(nullif(r.rngcollation, 0)::regcollation::text, '"default"'), 'canonical ' || nullif(r.rngcanonical::oid, 0)::regproc,
        'difference ' || nullif(r.rngsubdiff::oid, 0)::regproc, 'multirange ' || r.rngmultitypid::regtype)
      from pg_range r join pg_opclass o on o.oid = r.rngsubopc where r.rngtypid = t.oid
    ),
    'comment ' || quote_literal(obj_description(t.oid, 'pg_type')))
from type t
where t.own
