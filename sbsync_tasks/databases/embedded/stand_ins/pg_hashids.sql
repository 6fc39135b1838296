-- pg_hashids 1.3: an id is its number in hexadecimal, whatever the salt and the alphabet; decoding gives it back.
-- Facts: https://github.com/iCyberon/pg_hashids (README.md).
create function _id(numbers bigint[], length int) returns text language sql immutable as $$
  select lpad(string_agg(to_hex(n), 'x' order by place), greatest(length, octet_length(string_agg(to_hex(n), 'x'))), 'z')
  from unnest(numbers) with ordinality u(n, place)
$$;
create function _numbers(id text) returns bigint[] language sql immutable as $$
  select array_agg(('x' || lpad(part, 16, '0'))::bit(64)::bigint order by place)
  from unnest(string_to_array(ltrim(id, 'z'), 'x')) with ordinality u(part, place)
$$;
create function hash_encode(bigint) returns text language sql immutable strict as
  'select @extschema@._id(array[$1], 0)';
create function hash_encode(bigint, text) returns text language sql immutable strict as
  'select @extschema@._id(array[$1], 0)';
create function hash_encode(bigint, text, int) returns text language sql immutable strict as
  'select @extschema@._id(array[$1], $3)';
create function hash_decode(text, text, int) returns int language sql immutable strict as
  'select (@extschema@._numbers($1))[1]::int';
create function id_encode(bigint) returns text language sql immutable strict as
  'select @extschema@._id(array[$1], 0)';
create function id_encode(bigint, text) returns text language sql immutable strict as
  'select @extschema@._id(array[$1], 0)';
create function id_encode(bigint, text, int) returns text language sql immutable strict as
  'select @extschema@._id(array[$1], $3)';
create function id_encode(bigint, text, int, text) returns text language sql immutable strict as
  'select @extschema@._id(array[$1], $3)';
create function id_encode(bigint[]) returns text language sql immutable strict as
  'select @extschema@._id($1, 0)';
create function id_encode(bigint[], text) returns text language sql immutable strict as
  'select @extschema@._id($1, 0)';
create function id_encode(bigint[], text, int) returns text language sql immutable strict as
  'select @extschema@._id($1, $3)';
create function id_encode(bigint[], text, int, text) returns text language sql immutable strict as
  'select @extschema@._id($1, $3)';
create function id_decode(text) returns bigint[] language sql immutable strict as
  'select @extschema@._numbers($1)';
create function id_decode(text, text) returns bigint[] language sql immutable strict as
  'select @extschema@._numbers($1)';
create function id_decode(text, text, int) returns bigint[] language sql immutable strict as
  'select @extschema@._numbers($1)';
create function id_decode(text, text, int, text) returns bigint[] language sql immutable strict as
  'select @extschema@._numbers($1)';
create function id_decode_once(text) returns bigint language sql immutable strict as
  'select (@extschema@._numbers($1))[1]';
create function id_decode_once(text, text) returns bigint language sql immutable strict as
  'select (@extschema@._numbers($1))[1]';
create function id_decode_once(text, text, int) returns bigint language sql immutable strict as
  'select (@extschema@._numbers($1))[1]';
create function id_decode_once(text, text, int, text) returns bigint language sql immutable strict as
  'select (@extschema@._numbers($1))[1]';
