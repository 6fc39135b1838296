-- The functions of uuid-ossp 1.1 (https://www.postgresql.org/docs/current/uuid-ossp.html), in SQL.
-- The algorithms are those of RFC 9562; SHA-1 is FIPS 180-4's.
-- The extension is relocatable, so a function may only call what is in pg_catalog.
\echo Use "CREATE EXTENSION ""uuid-ossp""" to load this file. \quit

create function uuid_nil() returns uuid
  language sql immutable strict parallel safe
  return '00000000-0000-0000-0000-000000000000'::uuid;

create function uuid_ns_dns() returns uuid
  language sql immutable strict parallel safe
  return '6ba7b810-9dad-11d1-80b4-00c04fd430c8'::uuid;

create function uuid_ns_url() returns uuid
  language sql immutable strict parallel safe
  return '6ba7b811-9dad-11d1-80b4-00c04fd430c8'::uuid;

create function uuid_ns_oid() returns uuid
  language sql immutable strict parallel safe
  return '6ba7b812-9dad-11d1-80b4-00c04fd430c8'::uuid;

create function uuid_ns_x500() returns uuid
  language sql immutable strict parallel safe
  return '6ba7b814-9dad-11d1-80b4-00c04fd430c8'::uuid;

-- 60 bits of time in steps of 100 ns since 1582-10-15, 14 random bits in the place of a clock sequence,
-- and a random node whose multicast bit says that it is no network card's address.
create function uuid_generate_v1mc() returns uuid
  language plpgsql volatile strict parallel safe
  as $$
declare
  ticks bigint := (extract(epoch from pg_catalog.clock_timestamp()) * 10000000)::bigint
    + 122192928000000000 + pg_catalog.floor(pg_catalog.random() * 10)::bigint;
  clock_hex text := pg_catalog.lpad(pg_catalog.to_hex(ticks), 15, '0');
  tail bytea := pg_catalog.decode(pg_catalog.replace(pg_catalog.gen_random_uuid()::text, '-', ''), 'hex');
begin
  tail := pg_catalog.set_byte(tail, 8, pg_catalog.get_byte(tail, 8) & 63 | 128);
  tail := pg_catalog.set_byte(tail, 10, pg_catalog.get_byte(tail, 10) | 1);
  return (pg_catalog.substr(clock_hex, 8, 8) || pg_catalog.substr(clock_hex, 4, 4) || '1'
    || pg_catalog.substr(clock_hex, 1, 3) || pg_catalog.encode(pg_catalog.substr(tail, 9, 8), 'hex'))::uuid;
end
$$;

-- SQL cannot see a network card's address; so the node is one that stands for this server and database.
create function uuid_generate_v1() returns uuid
  language plpgsql volatile strict parallel safe
  as $$
declare
  ticks bigint := (extract(epoch from pg_catalog.clock_timestamp()) * 10000000)::bigint
    + 122192928000000000 + pg_catalog.floor(pg_catalog.random() * 10)::bigint;
  clock_hex text := pg_catalog.lpad(pg_catalog.to_hex(ticks), 15, '0');
  tail bytea := pg_catalog.decode(pg_catalog.replace(pg_catalog.gen_random_uuid()::text, '-', ''), 'hex');
  place text := pg_catalog.current_setting('data_directory_mode') || pg_catalog.current_database()
    || coalesce(pg_catalog.inet_server_port()::text, '');
  node bytea := pg_catalog.decode(pg_catalog.left(pg_catalog.md5(place), 12), 'hex');
begin
  tail := pg_catalog.set_byte(tail, 8, pg_catalog.get_byte(tail, 8) & 63 | 128);
  node := pg_catalog.set_byte(node, 0, pg_catalog.get_byte(node, 0) | 1);
  return (pg_catalog.substr(clock_hex, 8, 8) || pg_catalog.substr(clock_hex, 4, 4) || '1'
    || pg_catalog.substr(clock_hex, 1, 3) || pg_catalog.encode(pg_catalog.substr(tail, 9, 2), 'hex')
    || pg_catalog.encode(node, 'hex'))::uuid;
end
$$;

create function uuid_generate_v3(namespace uuid, name text) returns uuid
  language plpgsql immutable strict parallel safe
  as $$
declare
  hash bytea := pg_catalog.decode(pg_catalog.md5(
    pg_catalog.decode(pg_catalog.replace(namespace::text, '-', ''), 'hex')
    || pg_catalog.convert_to(name, 'UTF8')), 'hex');
begin
  hash := pg_catalog.set_byte(hash, 6, pg_catalog.get_byte(hash, 6) & 15 | 48);
  hash := pg_catalog.set_byte(hash, 8, pg_catalog.get_byte(hash, 8) & 63 | 128);
  return pg_catalog.encode(hash, 'hex')::uuid;
end
$$;

create function uuid_generate_v4() returns uuid
  language sql volatile strict parallel safe
  return pg_catalog.gen_random_uuid();

-- PostgreSQL has SHA-2 built in but not SHA-1, and pgcrypto may be in any schema or in none:
-- so SHA-1 is computed here, on 32-bit words kept in bigints.
create function uuid_generate_v5(namespace uuid, name text) returns uuid
  language plpgsql immutable strict parallel safe
  as $$
declare
  m32 constant bigint := 4294967295;
  message bytea := pg_catalog.decode(pg_catalog.replace(namespace::text, '-', ''), 'hex')
    || pg_catalog.convert_to(name, 'UTF8');
  size bigint := pg_catalog.length(message);
  h bigint[] := array[1732584193, 4023233417, 2562383102, 271733878, 3285377520];
  w bigint[];
  v bigint[];
  f bigint;
  k bigint;
  x bigint;
  hash bytea;
begin
  message := message || '\x80'::bytea
    || pg_catalog.decode(pg_catalog.repeat('00', ((119 - size % 64) % 64)::int), 'hex')
    || pg_catalog.int8send(size * 8);
  for block in 0 .. pg_catalog.length(message) / 64 - 1 loop
    w := array[]::bigint[];
    for i in 0 .. 15 loop
      x := block * 64 + i * 4;
      w[i] := (pg_catalog.get_byte(message, x::int)::bigint << 24)
        | (pg_catalog.get_byte(message, x::int + 1) << 16)
        | (pg_catalog.get_byte(message, x::int + 2) << 8) | pg_catalog.get_byte(message, x::int + 3);
    end loop;
    for i in 16 .. 79 loop
      x := w[i - 3] # w[i - 8] # w[i - 14] # w[i - 16];
      w[i] := ((x << 1) | (x >> 31)) & m32;
    end loop;
    v := h;
    for i in 0 .. 79 loop
      if i < 20 then
        f := (v[2] & v[3]) | ((v[2] # m32) & v[4]); k := 1518500249;
      elsif i < 40 then
        f := v[2] # v[3] # v[4]; k := 1859775393;
      elsif i < 60 then
        f := (v[2] & v[3]) | (v[2] & v[4]) | (v[3] & v[4]); k := 2400959708;
      else
        f := v[2] # v[3] # v[4]; k := 3395469782;
      end if;
      x := ((((v[1] << 5) | (v[1] >> 27)) & m32) + f + v[5] + k + w[i]) & m32;
      v := array[x, v[1], ((v[2] << 30) | (v[2] >> 2)) & m32, v[3], v[4]];
    end loop;
    for i in 1 .. 5 loop
      h[i] := (h[i] + v[i]) & m32;
    end loop;
  end loop;
  hash := pg_catalog.decode(pg_catalog.lpad(pg_catalog.to_hex(h[1]), 8, '0')
    || pg_catalog.lpad(pg_catalog.to_hex(h[2]), 8, '0') || pg_catalog.lpad(pg_catalog.to_hex(h[3]), 8, '0')
    || pg_catalog.lpad(pg_catalog.to_hex(h[4]), 8, '0'), 'hex');
  hash := pg_catalog.set_byte(hash, 6, pg_catalog.get_byte(hash, 6) & 15 | 80);
  hash := pg_catalog.set_byte(hash, 8, pg_catalog.get_byte(hash, 8) & 63 | 128);
  return pg_catalog.encode(hash, 'hex')::uuid;
end
$$;
