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
  key_id bigint,
  key_context bytea default '\x7067736f6469756d' check (length(key_context) = 8),
  name text unique,
  associated_data text default 'associated',
  raw_key bytea,
  raw_key_nonce bytea,
  parent_key uuid references key (id),
  comment text,
  user_data text,
  constraint pgsodium_raw check (
    case when raw_key is not null then key_id is null and key_context is null and parent_key is not null
      else key_id is not null and key_context is not null and parent_key is null end
  )
);
create sequence key_key_id_seq owned by key.key_id;
alter table key alter key_id set default pg_catalog.nextval('pgsodium.key_key_id_seq');
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
  if $3 is null then
    insert into pgsodium.key (key_type, name, key_context, expires, associated_data)
      values ($1, $2, $6, $7, $8) returning id into made;
  else
    insert into pgsodium.key (key_type, name, raw_key, raw_key_nonce, parent_key, key_id, key_context, expires, associated_data)
      values ($1, $2, $3, $4, $5, null, null, $7, $8) returning id into made;
  end if;
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
-- The rest of its functions, by signature alone
create type crypto_box_keypair as (public bytea, secret bytea);
create type crypto_kx_keypair as (public bytea, secret bytea);
create type crypto_kx_session as (rx bytea, tx bytea);
create type crypto_sign_keypair as (public bytea, secret bytea);
create type crypto_signcrypt_keypair as (public bytea, secret bytea);
create type crypto_signcrypt_state_key as (state bytea, shared_key bytea);
create function crypto_aead_ietf_decrypt(message bytea, additional bytea, nonce bytea, key bytea)
  returns bytea language plpgsql as 'begin return null; end';
create function crypto_aead_ietf_decrypt(message bytea, additional bytea, nonce bytea, key_id bigint, context bytea default '\x7067736f6469756d'::bytea)
  returns bytea language plpgsql as 'begin return null; end';
create function crypto_aead_ietf_decrypt(message bytea, additional bytea, nonce bytea, key_uuid uuid)
  returns bytea language plpgsql as 'begin return null; end';
create function crypto_aead_ietf_encrypt(message bytea, additional bytea, nonce bytea, key bytea)
  returns bytea language plpgsql as 'begin return null; end';
create function crypto_aead_ietf_encrypt(message bytea, additional bytea, nonce bytea, key_id bigint, context bytea default '\x7067736f6469756d'::bytea)
  returns bytea language plpgsql as 'begin return null; end';
create function crypto_aead_ietf_encrypt(message bytea, additional bytea, nonce bytea, key_uuid uuid)
  returns bytea language plpgsql as 'begin return null; end';
create function crypto_aead_ietf_keygen() returns bytea language plpgsql as 'begin return null; end';
create function crypto_aead_ietf_noncegen() returns bytea language plpgsql as 'begin return null; end';
create function crypto_auth(message bytea, key bytea) returns bytea language plpgsql as 'begin return null; end';
create function crypto_auth(message bytea, key_id bigint, context bytea default '\x7067736f6469756d'::bytea)
  returns bytea language plpgsql as 'begin return null; end';
create function crypto_auth(message bytea, key_uuid uuid) returns bytea language plpgsql as 'begin return null; end';
create function crypto_auth_hmacsha256(message bytea, key_id bigint, context bytea default '\x7067736f6469756d'::bytea)
  returns bytea language plpgsql as 'begin return null; end';
create function crypto_auth_hmacsha256(message bytea, key_uuid uuid)
  returns bytea language plpgsql as 'begin return null; end';
create function crypto_auth_hmacsha256_verify(hash bytea, message bytea, key_id bigint, context bytea default '\x7067736f6469756d'::bytea)
  returns boolean language plpgsql as 'begin return null; end';
create function crypto_auth_hmacsha256_verify(hash bytea, message bytea, secret bytea)
  returns boolean language plpgsql as 'begin return null; end';
create function crypto_auth_hmacsha256_verify(signature bytea, message bytea, key_uuid uuid)
  returns boolean language plpgsql as 'begin return null; end';
create function crypto_auth_hmacsha512(message bytea, key_id bigint, context bytea default '\x7067736f6469756d'::bytea)
  returns bytea language plpgsql as 'begin return null; end';
create function crypto_auth_hmacsha512(message bytea, key_uuid uuid)
  returns bytea language plpgsql as 'begin return null; end';
create function crypto_auth_hmacsha512_verify(hash bytea, message bytea, key_id bigint, context bytea default '\x7067736f6469756d'::bytea)
  returns boolean language plpgsql as 'begin return null; end';
create function crypto_auth_hmacsha512_verify(hash bytea, message bytea, secret bytea)
  returns boolean language plpgsql as 'begin return null; end';
create function crypto_auth_hmacsha512_verify(signature bytea, message bytea, key_uuid uuid)
  returns boolean language plpgsql as 'begin return null; end';
create function crypto_auth_keygen() returns bytea language plpgsql as 'begin return null; end';
create function crypto_auth_verify(mac bytea, message bytea, key bytea)
  returns boolean language plpgsql as 'begin return null; end';
create function crypto_auth_verify(mac bytea, message bytea, key_id bigint, context bytea default '\x7067736f6469756d'::bytea)
  returns boolean language plpgsql as 'begin return null; end';
create function crypto_auth_verify(mac bytea, message bytea, key_uuid uuid)
  returns boolean language plpgsql as 'begin return null; end';
create function crypto_box(message bytea, nonce bytea, public bytea, secret bytea)
  returns bytea language plpgsql as 'begin return null; end';
create function crypto_box_new_keypair()
  returns pgsodium.crypto_box_keypair language plpgsql as 'begin return null; end';
create function crypto_box_new_seed() returns bytea language plpgsql as 'begin return null; end';
create function crypto_box_noncegen() returns bytea language plpgsql as 'begin return null; end';
create function crypto_box_open(ciphertext bytea, nonce bytea, public bytea, secret bytea)
  returns bytea language plpgsql as 'begin return null; end';
create function crypto_box_seal(message bytea, public_key bytea)
  returns bytea language plpgsql as 'begin return null; end';
create function crypto_box_seal_open(ciphertext bytea, public_key bytea, secret_key bytea)
  returns bytea language plpgsql as 'begin return null; end';
create function crypto_box_seed_new_keypair(seed bytea)
  returns pgsodium.crypto_box_keypair language plpgsql as 'begin return null; end';
create function crypto_cmp(text, text) returns boolean language plpgsql as 'begin return null; end';
create function crypto_generichash(message bytea, key bigint, context bytea default '\x7067736f6469756d'::bytea)
  returns bytea language plpgsql as 'begin return null; end';
create function crypto_generichash(message bytea, key_uuid uuid)
  returns bytea language plpgsql as 'begin return null; end';
create function crypto_kdf_derive_from_key(subkey_size bigint, subkey_id bigint, context bytea, primary_key bytea)
  returns bytea language plpgsql as 'begin return null; end';
create function crypto_kdf_derive_from_key(subkey_size integer, subkey_id bigint, context bytea, primary_key uuid)
  returns bytea language plpgsql as 'begin return null; end';
create function crypto_kx_client_session_keys(client_pk bytea, client_sk bytea, server_pk bytea)
  returns pgsodium.crypto_kx_session language plpgsql as 'begin return null; end';
create function crypto_kx_new_keypair()
  returns pgsodium.crypto_kx_keypair language plpgsql as 'begin return null; end';
create function crypto_kx_new_seed() returns bytea language plpgsql as 'begin return null; end';
create function crypto_kx_seed_new_keypair(seed bytea)
  returns pgsodium.crypto_kx_keypair language plpgsql as 'begin return null; end';
create function crypto_kx_server_session_keys(server_pk bytea, server_sk bytea, client_pk bytea)
  returns pgsodium.crypto_kx_session language plpgsql as 'begin return null; end';
create function crypto_pwhash(password bytea, salt bytea) returns bytea language plpgsql as 'begin return null; end';
create function crypto_pwhash_saltgen() returns bytea language plpgsql as 'begin return null; end';
create function crypto_pwhash_str(password bytea) returns bytea language plpgsql as 'begin return null; end';
create function crypto_pwhash_str_verify(hashed_password bytea, password bytea)
  returns boolean language plpgsql as 'begin return null; end';
create function crypto_secretbox(message bytea, nonce bytea, key_id bigint, context bytea default '\x7067736f6469756d'::bytea)
  returns bytea language plpgsql as 'begin return null; end';
create function crypto_secretbox(message bytea, nonce bytea, key_uuid uuid)
  returns bytea language plpgsql as 'begin return null; end';
create function crypto_secretbox_open(message bytea, nonce bytea, key_id bigint, context bytea default '\x7067736f6469756d'::bytea)
  returns bytea language plpgsql as 'begin return null; end';
create function crypto_secretbox_open(message bytea, nonce bytea, key_uuid uuid)
  returns bytea language plpgsql as 'begin return null; end';
create function crypto_secretstream_keygen() returns bytea language plpgsql as 'begin return null; end';
create function crypto_shorthash(message bytea, key bigint, context bytea default '\x7067736f6469756d'::bytea)
  returns bytea language plpgsql as 'begin return null; end';
create function crypto_shorthash(message bytea, key bytea) returns bytea language plpgsql as 'begin return null; end';
create function crypto_shorthash(message bytea, key_uuid uuid)
  returns bytea language plpgsql as 'begin return null; end';
create function crypto_shorthash_keygen() returns bytea language plpgsql as 'begin return null; end';
create function crypto_sign(message bytea, key bytea) returns bytea language plpgsql as 'begin return null; end';
create function crypto_sign_detached(message bytea, key bytea)
  returns bytea language plpgsql as 'begin return null; end';
create function crypto_sign_final_create(state bytea, key bytea)
  returns bytea language plpgsql as 'begin return null; end';
create function crypto_sign_final_verify(state bytea, signature bytea, key bytea)
  returns boolean language plpgsql as 'begin return null; end';
create function crypto_sign_init() returns bytea language plpgsql as 'begin return null; end';
create function crypto_sign_new_keypair()
  returns pgsodium.crypto_sign_keypair language plpgsql as 'begin return null; end';
create function crypto_sign_new_seed() returns bytea language plpgsql as 'begin return null; end';
create function crypto_sign_open(signed_message bytea, key bytea)
  returns bytea language plpgsql as 'begin return null; end';
create function crypto_sign_seed_new_keypair(seed bytea)
  returns pgsodium.crypto_sign_keypair language plpgsql as 'begin return null; end';
create function crypto_sign_update(state bytea, message bytea)
  returns bytea language plpgsql as 'begin return null; end';
create function crypto_sign_verify_detached(sig bytea, message bytea, key bytea)
  returns boolean language plpgsql as 'begin return null; end';
create function crypto_signcrypt_new_keypair()
  returns pgsodium.crypto_signcrypt_keypair language plpgsql as 'begin return null; end';
create function crypto_signcrypt_sign_after(state bytea, sender_sk bytea, ciphertext bytea)
  returns bytea language plpgsql as 'begin return null; end';
create function crypto_signcrypt_sign_before(sender bytea, recipient bytea, sender_sk bytea, recipient_pk bytea, additional bytea)
  returns pgsodium.crypto_signcrypt_state_key language plpgsql as 'begin return null; end';
create function crypto_signcrypt_verify_after(state bytea, signature bytea, sender_pk bytea, ciphertext bytea)
  returns boolean language plpgsql as 'begin return null; end';
create function crypto_signcrypt_verify_before(signature bytea, sender bytea, recipient bytea, additional bytea, sender_pk bytea, recipient_sk bytea)
  returns pgsodium.crypto_signcrypt_state_key language plpgsql as 'begin return null; end';
create function crypto_signcrypt_verify_public(signature bytea, sender bytea, recipient bytea, additional bytea, sender_pk bytea, ciphertext bytea)
  returns boolean language plpgsql as 'begin return null; end';
create function crypto_stream_xchacha20(bigint, bytea, bigint, context bytea default '\x7067736f6469756d'::bytea)
  returns bytea language plpgsql as 'begin return null; end';
create function crypto_stream_xchacha20(bigint, bytea, bytea)
  returns bytea language plpgsql as 'begin return null; end';
create function crypto_stream_xchacha20_keygen() returns bytea language plpgsql as 'begin return null; end';
create function crypto_stream_xchacha20_noncegen() returns bytea language plpgsql as 'begin return null; end';
create function crypto_stream_xchacha20_xor(bytea, bytea, bigint, context bytea default '\x70676f736469756d'::bytea)
  returns bytea language plpgsql as 'begin return null; end';
create function crypto_stream_xchacha20_xor(bytea, bytea, bytea)
  returns bytea language plpgsql as 'begin return null; end';
create function crypto_stream_xchacha20_xor_ic(bytea, bytea, bigint, bigint, context bytea default '\x7067736f6469756d'::bytea)
  returns bytea language plpgsql as 'begin return null; end';
create function crypto_stream_xchacha20_xor_ic(bytea, bytea, bigint, bytea)
  returns bytea language plpgsql as 'begin return null; end';
create function get_named_keys(filter text default '%'::text)
  returns SETOF pgsodium.valid_key language plpgsql as 'begin return; end';
create function pgsodium_derive(key_id bigint, key_len integer default 32, context bytea default decode('pgsodium'::text, 'escape'::text))
  returns bytea language plpgsql as 'begin return null; end';
create function randombytes_buf_deterministic(size integer, seed bytea)
  returns bytea language plpgsql as 'begin return null; end';
create function randombytes_new_seed() returns bytea language plpgsql as 'begin return null; end';
create function sodium_base642bin(base64 text) returns bytea language plpgsql as 'begin return null; end';
create function sodium_bin2base64(bin bytea) returns text language plpgsql as 'begin return null; end';
create view decrypted_key as
  select id, status, created, expires, key_type, key_id, key_context, name, associated_data, raw_key, raw_key_nonce,
    parent_key, raw_key as decrypted_raw_key
  from pgsodium.key;
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
