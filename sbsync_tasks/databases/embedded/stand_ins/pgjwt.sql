-- pgjwt 0.2: JSON web tokens over pgcrypto's hmac. Facts: https://github.com/michelp/pgjwt (README.md), RFC 7515.
create function url_encode(data bytea) returns text language sql immutable as $$
  select translate(encode(data, 'base64'), E'+/=\n', '-_')
$$;
create function url_decode(data text) returns bytea language sql immutable as $$
  select decode(translate(data, '-_', '+/') || repeat('=', (4 - length(data) % 4) % 4), 'base64')
$$;
create function algorithm_sign(signables text, secret text, algorithm text) returns text language plpgsql immutable as $$
declare
  crypto text := (
    select quote_ident(n.nspname) from pg_extension e join pg_namespace n on n.oid = e.extnamespace
    where e.extname = 'pgcrypto'
  );
  hash text := case algorithm when 'HS256' then 'sha256' when 'HS384' then 'sha384' when 'HS512' then 'sha512' end;
  signature bytea;
begin
  if hash is null then
    return null;
  end if;
  execute format('select %s.hmac($1, $2, $3)', crypto) into signature using signables, secret, hash;
  return @extschema@.url_encode(signature);
end
$$;
create function sign(payload json, secret text, algorithm text default 'HS256') returns text
  language sql immutable as $$
  with signables as (
    select @extschema@.url_encode(convert_to('{"alg":"' || algorithm || '","typ":"JWT"}', 'utf8')) || '.'
      || @extschema@.url_encode(convert_to(payload::text, 'utf8')) as data
  )
  select data || '.' || @extschema@.algorithm_sign(data, secret, algorithm) from signables
$$;
create function try_cast_double(inp text) returns double precision language plpgsql immutable as $$
begin
  return inp::double precision;
exception when others then
  return null;
end
$$;
create function verify(token text, secret text, algorithm text default 'HS256')
  returns table (header json, payload json, valid boolean) language sql immutable as $$
  select
    convert_from(@extschema@.url_decode(r[1]), 'utf8')::json,
    convert_from(@extschema@.url_decode(r[2]), 'utf8')::json,
    r[3] = @extschema@.algorithm_sign(r[1] || '.' || r[2], secret, algorithm)
      and tstzrange(
        to_timestamp(@extschema@.try_cast_double(convert_from(@extschema@.url_decode(r[2]), 'utf8')::json ->> 'nbf')),
        to_timestamp(@extschema@.try_cast_double(convert_from(@extschema@.url_decode(r[2]), 'utf8')::json ->> 'exp'))
      ) @> current_timestamp
  from regexp_split_to_array(token, '\.') r
$$;
