-- pgsodium 3.1: keys are kept, and "encrypted" is what was given. Facts: https://github.com/michelp/pgsodium (README.md).
create type key_status as enum ('default', 'valid', 'invalid', 'expired');
create type key_type as enum (
  'aead-ietf', 'aead-det', 'hmacsha512', 'hmacsha256', 'auth', 'shorthash', 'generichash', 'kdf', 'secretbox',
  'secretstream', 'stream_xchacha20'
);
create table key (
  id uuid primary key default gen_random_uuid(),
  status pgsodium.key_status default 'valid',
  created timestamptz not null default current_timestamp,
  expires timestamptz,
  key_type pgsodium.key_type,
  key_id bigserial,
  key_context bytea default '\x7067736f6469756d' check (length(key_context) = 8),
  name text unique,
  associated_data text default 'associated',
  raw_key bytea,
  raw_key_nonce bytea,
  parent_key uuid references key (id),
  comment text,
  user_data text
);
create view valid_key as
  select id, name, status, key_type, key_id, key_context, created, expires, associated_data
  from pgsodium.key
  where status in ('valid', 'default') and (expires is null or expires > now());
create function create_key(
  key_type pgsodium.key_type default 'aead-det', name text default null, raw_key bytea default null,
  raw_key_nonce bytea default null, parent_key uuid default null, key_context bytea default '\x7067736f6469756d',
  expires timestamptz default null, associated_data text default ''
) returns pgsodium.valid_key language plpgsql security definer set search_path = '' as $$
declare
  made uuid;
  result pgsodium.valid_key;
begin
  insert into pgsodium.key (key_type, name, raw_key, raw_key_nonce, parent_key, key_context, expires, associated_data)
    values ($1, $2, $3, $4, $5, $6, $7, $8) returning id into made;
  select * into result from pgsodium.valid_key v where v.id = made;
  return result;
end
$$;
create function get_key_by_id(uuid) returns pgsodium.valid_key language sql security definer set search_path = '' as
  'select * from pgsodium.valid_key where id = $1';
create function get_key_by_name(text) returns pgsodium.valid_key language sql security definer set search_path = '' as
  'select * from pgsodium.valid_key where name = $1';
create function randombytes_random() returns integer language sql volatile as
  'select (random() * 2147483647)::integer';
create function randombytes_uniform(upper_bound integer) returns integer language sql volatile as
  'select (random() * ($1 - 1))::integer';
create function randombytes_buf(size integer) returns bytea language sql volatile as $$
  select coalesce(decode(string_agg(lpad(to_hex((random() * 255)::int), 2, '0'), ''), 'hex'), '')
  from generate_series(1, $1)
$$;
create function derive_key(key_id bigint, key_len integer default 32, context bytea default '\x7067736f6469756d')
  returns bytea language sql immutable as $$
  select substr(sha512(context || int8send(key_id)), 1, key_len)
$$;
create function crypto_aead_det_keygen() returns bytea language sql volatile as 'select pgsodium.randombytes_buf(64)';
create function crypto_aead_det_noncegen() returns bytea language sql volatile as 'select pgsodium.randombytes_buf(32)';
create function crypto_aead_det_encrypt(message bytea, additional bytea, key bytea, nonce bytea default null)
  returns bytea language sql immutable as 'select message';
create function crypto_aead_det_encrypt(message bytea, additional bytea, key_uuid uuid)
  returns bytea language sql immutable as 'select message';
create function crypto_aead_det_encrypt(message bytea, additional bytea, key_uuid uuid, nonce bytea)
  returns bytea language sql immutable as 'select message';
create function crypto_aead_det_encrypt(
  message bytea, additional bytea, key_id bigint, context bytea default 'pgsodium', nonce bytea default null
) returns bytea language sql immutable as 'select message';
create function crypto_aead_det_decrypt(ciphertext bytea, additional bytea, key bytea, nonce bytea default null)
  returns bytea language sql immutable as 'select ciphertext';
create function crypto_aead_det_decrypt(message bytea, additional bytea, key_uuid uuid)
  returns bytea language sql immutable as 'select message';
create function crypto_aead_det_decrypt(message bytea, additional bytea, key_uuid uuid, nonce bytea)
  returns bytea language sql immutable as 'select message';
create function crypto_aead_det_decrypt(
  message bytea, additional bytea, key_id bigint, context bytea default 'pgsodium', nonce bytea default null
) returns bytea language sql immutable as 'select message';
create function crypto_secretbox_keygen() returns bytea language sql volatile as 'select pgsodium.randombytes_buf(32)';
create function crypto_secretbox_noncegen() returns bytea language sql volatile as
  'select pgsodium.randombytes_buf(24)';
create function crypto_secretbox(message bytea, nonce bytea, key bytea) returns bytea language sql immutable as
  'select message';
create function crypto_secretbox_open(ciphertext bytea, nonce bytea, key bytea) returns bytea language sql immutable as
  'select ciphertext';
create function crypto_auth_hmacsha256_keygen() returns bytea language sql volatile as
  'select pgsodium.randombytes_buf(32)';
create function crypto_auth_hmacsha256(message bytea, secret bytea) returns bytea language sql immutable as
  'select sha256(secret || message)';
create function crypto_auth_hmacsha512_keygen() returns bytea language sql volatile as
  'select pgsodium.randombytes_buf(32)';
create function crypto_auth_hmacsha512(message bytea, secret bytea) returns bytea language sql immutable as
  'select sha512(secret || message)';
create function crypto_generichash_keygen() returns bytea language sql volatile as
  'select pgsodium.randombytes_buf(32)';
create function crypto_generichash(message bytea, key bytea default null) returns bytea language sql immutable as
  'select sha256(coalesce(key, '''') || message)';
create function crypto_hash_sha256(message bytea) returns bytea language sql immutable as 'select sha256(message)';
create function crypto_hash_sha512(message bytea) returns bytea language sql immutable as 'select sha512(message)';
create function crypto_kdf_keygen() returns bytea language sql volatile as 'select pgsodium.randombytes_buf(32)';
do $$
declare
  name text;
begin
  foreach name in array array['pgsodium_keyiduser', 'pgsodium_keyholder', 'pgsodium_keymaker'] loop
    if not exists (select from pg_catalog.pg_roles where rolname = name) then
      execute format('create role %I', name);
    end if;
    execute format('grant %I to postgres with admin option', name);
  end loop;
end
$$;
grant pgsodium_keyholder to pgsodium_keymaker;
grant pgsodium_keyiduser to pgsodium_keyholder;
grant usage on schema pgsodium to pgsodium_keyiduser;
grant select on pgsodium.valid_key to pgsodium_keyiduser;
grant all on all tables in schema pgsodium to pgsodium_keymaker;
grant all on all sequences in schema pgsodium to pgsodium_keymaker;
