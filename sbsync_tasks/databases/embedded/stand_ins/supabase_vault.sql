-- supabase_vault 0.3: secrets are kept as they are, base64 instead of a cipher, in this database alone.
-- Facts: https://supabase.com/docs/guides/database/vault and https://github.com/supabase/vault (README.md).
create function _crypto_aead_det_noncegen() returns bytea language sql immutable as $$ select '\x00'::bytea $$;
create table secrets (
  id uuid primary key default gen_random_uuid(),
  name text,
  description text not null default '',
  secret text not null,
  key_id uuid,
  nonce bytea default @extschema@._crypto_aead_det_noncegen(),
  created_at timestamptz not null default current_timestamp,
  updated_at timestamptz not null default current_timestamp
);
comment on table secrets is 'Table with encrypted `secret` column for storing sensitive information on disk.';
create unique index on secrets using btree (name) where name is not null;
create view decrypted_secrets as
  select s.id, s.name, s.description, s.secret,
    pg_catalog.convert_from(pg_catalog.decode(s.secret, 'base64'), 'UTF8') as decrypted_secret,
    s.key_id, s.nonce, s.created_at, s.updated_at
  from @extschema@.secrets s;
create function _crypto_aead_det_encrypt(
  message bytea, additional bytea, key_id bigint, context bytea default 'pgsodium', nonce bytea default null
) returns bytea language sql immutable as 'select $1';
create function _crypto_aead_det_decrypt(
  message bytea, additional bytea, key_id bigint, context bytea default 'pgsodium', nonce bytea default null
) returns bytea language sql immutable as 'select $1';
create function create_secret(
  new_secret text, new_name text default null, new_description text default '', new_key_id uuid default null
) returns uuid language sql security definer set search_path = '' as $$
  insert into vault.secrets (secret, name, description, key_id)
    values (
      pg_catalog.translate(pg_catalog.encode(pg_catalog.convert_to($1, 'UTF8'), 'base64'), E'\n', ''), $2,
      coalesce($3, ''), $4
    )
    returning id
$$;
create function update_secret(
  secret_id uuid, new_secret text default null, new_name text default null, new_description text default null,
  new_key_id uuid default null
) returns void language sql security definer set search_path = '' as $$
  update vault.secrets s
    set secret = coalesce(
        pg_catalog.translate(pg_catalog.encode(pg_catalog.convert_to($2, 'UTF8'), 'base64'), E'\n', ''), s.secret
      ),
      name = coalesce($3, s.name), description = coalesce($4, s.description), key_id = coalesce($5, s.key_id),
      updated_at = pg_catalog.now()
    where s.id = $1
$$;
revoke all on all tables in schema @extschema@ from public;
revoke all on all functions in schema @extschema@ from public;
grant select, delete, truncate, references on secrets, decrypted_secrets to postgres with grant option;
grant insert, update on secrets to postgres;
grant execute on function _crypto_aead_det_noncegen() to postgres, service_role;
grant select, delete on secrets, decrypted_secrets to service_role;
grant execute on function create_secret(text, text, text, uuid), update_secret(uuid, text, text, text, uuid),
  _crypto_aead_det_decrypt(bytea, bytea, bigint, bytea, bytea) to postgres with grant option;
grant execute on function create_secret(text, text, text, uuid), update_secret(uuid, text, text, text, uuid),
  _crypto_aead_det_decrypt(bytea, bytea, bigint, bytea, bytea) to service_role;
