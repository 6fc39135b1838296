-- auth: tables, owners, privileges, and the functions that policies call.
-- Source: the columns, constraints and indexes that supabase/auth's migrations (migrations/*.up.sql, to 2026-06)
-- come to; privileges from the same and from supabase/postgres (migrations/db/migrations, nix/tests/expected/auth.out).
-- Left out: comments, and the rows of auth.schema_migrations.

set role supabase_auth_admin;

create type auth.aal_level as enum ('aal1', 'aal2', 'aal3');
create type auth.code_challenge_method as enum ('s256', 'plain');
create type auth.factor_status as enum ('unverified', 'verified');
create type auth.factor_type as enum ('totp', 'webauthn', 'phone');
create type auth.oauth_authorization_status as enum ('pending', 'approved', 'denied', 'expired');
create type auth.oauth_client_type as enum ('public', 'confidential');
create type auth.oauth_registration_type as enum ('dynamic', 'manual');
create type auth.oauth_response_type as enum ('code');
create type auth.one_time_token_type as enum (
  'confirmation_token', 'reauthentication_token', 'recovery_token',
  'email_change_token_new', 'email_change_token_current', 'phone_change_token'
);

create table auth.users (
  instance_id uuid, id uuid primary key, aud varchar(255), role varchar(255), email varchar(255),
  encrypted_password varchar(255), email_confirmed_at timestamptz, invited_at timestamptz,
  confirmation_token varchar(255), confirmation_sent_at timestamptz, recovery_token varchar(255),
  recovery_sent_at timestamptz, email_change_token_new varchar(255), email_change varchar(255),
  email_change_sent_at timestamptz, last_sign_in_at timestamptz, raw_app_meta_data jsonb,
  raw_user_meta_data jsonb, is_super_admin boolean, created_at timestamptz,
  updated_at timestamptz, phone text default null::varchar, phone_confirmed_at timestamptz,
  phone_change text default ''::varchar, phone_change_token varchar(255) default '',
  phone_change_sent_at timestamptz,
  confirmed_at timestamptz generated always as (least(email_confirmed_at, phone_confirmed_at)) stored,
  email_change_token_current varchar(255) default '',
  email_change_confirm_status smallint default 0, banned_until timestamptz,
  reauthentication_token varchar(255) default '', reauthentication_sent_at timestamptz,
  is_sso_user boolean default false not null, deleted_at timestamptz,
  is_anonymous boolean default false not null,
  constraint users_email_change_confirm_status_check
    check (email_change_confirm_status >= 0 and email_change_confirm_status <= 2),
  unique (phone)
);
create index users_instance_id_idx on auth.users (instance_id);
create index users_instance_id_email_idx on auth.users (instance_id, lower(email));
create unique index confirmation_token_idx on auth.users (confirmation_token)
  where confirmation_token !~ '^[0-9 ]*$';
create unique index recovery_token_idx on auth.users (recovery_token) where recovery_token !~ '^[0-9 ]*$';
create unique index email_change_token_current_idx on auth.users (email_change_token_current)
  where email_change_token_current !~ '^[0-9 ]*$';
create unique index email_change_token_new_idx on auth.users (email_change_token_new)
  where email_change_token_new !~ '^[0-9 ]*$';
create unique index reauthentication_token_idx on auth.users (reauthentication_token)
  where reauthentication_token !~ '^[0-9 ]*$';
create unique index users_email_partial_key on auth.users (email) where is_sso_user = false;
create index users_is_anonymous_idx on auth.users (is_anonymous);

create table auth.instances (
  id uuid primary key, uuid uuid, raw_base_config text, created_at timestamptz,
  updated_at timestamptz
);

create table auth.audit_log_entries (
  instance_id uuid, id uuid primary key, payload json, created_at timestamptz,
  ip_address varchar(64) default '' not null
);
create index audit_logs_instance_id_idx on auth.audit_log_entries (instance_id);

create table auth.schema_migrations (
  version varchar(255) primary key
);

create table auth.identities (
  provider_id text not null, user_id uuid not null, identity_data jsonb not null,
  provider text not null, last_sign_in_at timestamptz, created_at timestamptz,
  updated_at timestamptz,
  email text generated always as (lower(identity_data ->> 'email')) stored,
  id uuid default gen_random_uuid() primary key,
  constraint identities_provider_id_provider_unique unique (provider_id, provider),
  foreign key (user_id) references auth.users(id) on delete cascade
);
create index identities_user_id_idx on auth.identities (user_id);
create index identities_email_idx on auth.identities (email text_pattern_ops);

create table auth.mfa_factors (
  id uuid primary key, user_id uuid not null, friendly_name text,
  factor_type auth.factor_type not null, status auth.factor_status not null,
  created_at timestamptz not null, updated_at timestamptz not null, secret text, phone text,
  last_challenged_at timestamptz, web_authn_credential jsonb, web_authn_aaguid uuid,
  last_webauthn_challenge_data jsonb,
  unique (last_challenged_at),
  foreign key (user_id) references auth.users(id) on delete cascade
);
create unique index mfa_factors_user_friendly_name_unique on auth.mfa_factors (friendly_name, user_id)
  where trim(friendly_name) <> '';
create index factor_id_created_at_idx on auth.mfa_factors (user_id, created_at);
create index mfa_factors_user_id_idx on auth.mfa_factors (user_id);
create unique index unique_phone_factor_per_user on auth.mfa_factors (user_id, phone);

create table auth.mfa_challenges (
  id uuid primary key, factor_id uuid not null, created_at timestamptz not null,
  verified_at timestamptz, ip_address inet not null, otp_code text, web_authn_session_data jsonb,
  constraint mfa_challenges_auth_factor_id_fkey
    foreign key (factor_id) references auth.mfa_factors(id) on delete cascade
);
create index mfa_challenge_created_at_idx on auth.mfa_challenges (created_at desc);

create table auth.sso_providers (
  id uuid primary key, resource_id text, created_at timestamptz, updated_at timestamptz,
  disabled boolean,
  constraint "resource_id not empty" check ((resource_id = null) or (char_length(resource_id) > 0))
);
create unique index sso_providers_resource_id_idx on auth.sso_providers (lower(resource_id));
create index sso_providers_resource_id_pattern_idx on auth.sso_providers (resource_id text_pattern_ops);

create table auth.sso_domains (
  id uuid primary key, sso_provider_id uuid not null, domain text not null,
  created_at timestamptz, updated_at timestamptz,
  constraint "domain not empty" check (char_length(domain) > 0),
  foreign key (sso_provider_id) references auth.sso_providers(id) on delete cascade
);
create index sso_domains_sso_provider_id_idx on auth.sso_domains (sso_provider_id);
create unique index sso_domains_domain_idx on auth.sso_domains (lower(domain));

create table auth.saml_providers (
  id uuid primary key, sso_provider_id uuid not null, entity_id text not null,
  metadata_xml text not null, metadata_url text, attribute_mapping jsonb, created_at timestamptz,
  updated_at timestamptz, name_id_format text,
  constraint "metadata_xml not empty" check (char_length(metadata_xml) > 0),
  constraint "metadata_url not empty" check ((metadata_url = null) or (char_length(metadata_url) > 0)),
  constraint "entity_id not empty" check (char_length(entity_id) > 0),
  unique (entity_id),
  foreign key (sso_provider_id) references auth.sso_providers(id) on delete cascade
);
create index saml_providers_sso_provider_id_idx on auth.saml_providers (sso_provider_id);

create table auth.flow_state (
  id uuid primary key, user_id uuid, auth_code text,
  code_challenge_method auth.code_challenge_method, code_challenge text,
  provider_type text not null, provider_access_token text, provider_refresh_token text,
  created_at timestamptz, updated_at timestamptz, authentication_method text not null,
  auth_code_issued_at timestamptz, invite_token text, referrer text, oauth_client_state_id uuid,
  linking_target_id uuid, email_optional boolean default false not null
);
create index idx_auth_code on auth.flow_state (auth_code);
create index idx_user_id_auth_method on auth.flow_state (user_id, authentication_method);
create index flow_state_created_at_idx on auth.flow_state (created_at desc);

create table auth.saml_relay_states (
  id uuid primary key, sso_provider_id uuid not null, request_id text not null, for_email text,
  redirect_to text, created_at timestamptz, updated_at timestamptz, flow_state_id uuid,
  constraint "request_id not empty" check (char_length(request_id) > 0),
  foreign key (sso_provider_id) references auth.sso_providers(id) on delete cascade,
  foreign key (flow_state_id) references auth.flow_state(id) on delete cascade
);
create index saml_relay_states_sso_provider_id_idx on auth.saml_relay_states (sso_provider_id);
create index saml_relay_states_for_email_idx on auth.saml_relay_states (for_email);
create index saml_relay_states_created_at_idx on auth.saml_relay_states (created_at desc);

create table auth.one_time_tokens (
  id uuid primary key, user_id uuid not null, token_type auth.one_time_token_type not null,
  token_hash text not null, relates_to text not null,
  created_at timestamp default now() not null, updated_at timestamp default now() not null,
  constraint one_time_tokens_token_hash_check check (char_length(token_hash) > 0),
  foreign key (user_id) references auth.users(id) on delete cascade
);
create index one_time_tokens_token_hash_hash_idx on auth.one_time_tokens using hash (token_hash);
create index one_time_tokens_relates_to_hash_idx on auth.one_time_tokens using hash (relates_to);
create unique index one_time_tokens_user_id_token_type_key on auth.one_time_tokens (user_id, token_type);

create table auth.oauth_clients (
  id uuid primary key, client_secret_hash text,
  registration_type auth.oauth_registration_type not null, redirect_uris text not null,
  grant_types text not null, client_name text, client_uri text, logo_uri text,
  created_at timestamptz default now() not null, updated_at timestamptz default now() not null,
  deleted_at timestamptz,
  client_type auth.oauth_client_type default 'confidential' not null,
  token_endpoint_auth_method text not null,
  constraint oauth_clients_client_name_length check (char_length(client_name) <= 1024),
  constraint oauth_clients_client_uri_length check (char_length(client_uri) <= 2048),
  constraint oauth_clients_logo_uri_length check (char_length(logo_uri) <= 2048),
  constraint oauth_clients_token_endpoint_auth_method_check
    check (token_endpoint_auth_method in ('client_secret_basic', 'client_secret_post', 'none'))
);
create index oauth_clients_deleted_at_idx on auth.oauth_clients (deleted_at);

create table auth.sessions (
  id uuid primary key, user_id uuid not null, created_at timestamptz, updated_at timestamptz,
  factor_id uuid, aal auth.aal_level, not_after timestamptz, refreshed_at timestamp,
  user_agent text, ip inet, tag text, oauth_client_id uuid, refresh_token_hmac_key text,
  refresh_token_counter bigint, scopes text,
  constraint sessions_scopes_length check (char_length(scopes) <= 4096),
  foreign key (user_id) references auth.users(id) on delete cascade,
  foreign key (oauth_client_id) references auth.oauth_clients(id) on delete cascade
);
create index user_id_created_at_idx on auth.sessions (user_id, created_at);
create index sessions_user_id_idx on auth.sessions (user_id);
create index sessions_not_after_idx on auth.sessions (not_after desc);
create index sessions_oauth_client_id_idx on auth.sessions (oauth_client_id);

create table auth.refresh_tokens (
  instance_id uuid, id bigserial primary key, token varchar(255), user_id varchar(255),
  revoked boolean, created_at timestamptz, updated_at timestamptz, parent varchar(255),
  session_id uuid,
  constraint refresh_tokens_token_unique unique (token),
  foreign key (session_id) references auth.sessions(id) on delete cascade
);
create index refresh_tokens_instance_id_idx on auth.refresh_tokens (instance_id);
create index refresh_tokens_instance_id_user_id_idx on auth.refresh_tokens (instance_id, user_id);
create index refresh_tokens_parent_idx on auth.refresh_tokens (parent);
create index refresh_tokens_session_id_revoked_idx on auth.refresh_tokens (session_id, revoked);
create index refresh_tokens_updated_at_idx on auth.refresh_tokens (updated_at desc);

create table auth.mfa_amr_claims (
  session_id uuid not null, created_at timestamptz not null, updated_at timestamptz not null,
  authentication_method text not null, id uuid not null,
  constraint mfa_amr_claims_session_id_authentication_method_pkey unique (session_id, authentication_method),
  constraint amr_id_pk primary key (id),
  foreign key (session_id) references auth.sessions(id) on delete cascade
);

create table auth.oauth_authorizations (
  id uuid primary key, authorization_id text not null, client_id uuid not null, user_id uuid,
  redirect_uri text not null, scope text not null, state text, resource text,
  code_challenge text, code_challenge_method auth.code_challenge_method,
  response_type auth.oauth_response_type default 'code' not null,
  status auth.oauth_authorization_status default 'pending' not null,
  authorization_code text, created_at timestamptz default now() not null,
  expires_at timestamptz default (now() + interval '3 minutes') not null,
  approved_at timestamptz, nonce text,
  constraint oauth_authorizations_redirect_uri_length check (char_length(redirect_uri) <= 2048),
  constraint oauth_authorizations_scope_length check (char_length(scope) <= 4096),
  constraint oauth_authorizations_state_length check (char_length(state) <= 4096),
  constraint oauth_authorizations_resource_length check (char_length(resource) <= 2048),
  constraint oauth_authorizations_code_challenge_length check (char_length(code_challenge) <= 128),
  constraint oauth_authorizations_authorization_code_length check (char_length(authorization_code) <= 255),
  constraint oauth_authorizations_expires_at_future check (expires_at > created_at),
  unique (authorization_id),
  unique (authorization_code),
  constraint oauth_authorizations_nonce_length check (char_length(nonce) <= 255),
  foreign key (client_id) references auth.oauth_clients(id) on delete cascade,
  foreign key (user_id) references auth.users(id) on delete cascade
);
create index oauth_auth_pending_exp_idx on auth.oauth_authorizations (expires_at)
  where status = 'pending';

create table auth.oauth_consents (
  id uuid primary key, user_id uuid not null, client_id uuid not null, scopes text not null,
  granted_at timestamptz default now() not null, revoked_at timestamptz,
  constraint oauth_consents_scopes_length check (char_length(scopes) <= 2048),
  constraint oauth_consents_scopes_not_empty check (char_length(trim(scopes)) > 0),
  constraint oauth_consents_revoked_after_granted check ((revoked_at is null) or (revoked_at >= granted_at)),
  constraint oauth_consents_user_client_unique unique (user_id, client_id),
  foreign key (user_id) references auth.users(id) on delete cascade,
  foreign key (client_id) references auth.oauth_clients(id) on delete cascade
);
create index oauth_consents_active_user_client_idx on auth.oauth_consents (user_id, client_id)
  where revoked_at is null;
create index oauth_consents_user_order_idx on auth.oauth_consents (user_id, granted_at desc);
create index oauth_consents_active_client_idx on auth.oauth_consents (client_id) where revoked_at is null;

create table auth.oauth_client_states (
  id uuid primary key, provider_type text not null, code_verifier text,
  created_at timestamptz not null
);
create index idx_oauth_client_states_created_at on auth.oauth_client_states (created_at);

create table auth.custom_oauth_providers (
  id uuid default gen_random_uuid() primary key, provider_type text not null,
  identifier text not null, name text not null, client_id text not null,
  client_secret text not null, acceptable_client_ids text[] default '{}' not null,
  scopes text[] default '{}' not null, pkce_enabled boolean default true not null,
  attribute_mapping jsonb default '{}' not null,
  authorization_params jsonb default '{}' not null, enabled boolean default true not null,
  email_optional boolean default false not null, issuer text, discovery_url text,
  skip_nonce_check boolean default false not null, cached_discovery jsonb,
  discovery_cached_at timestamptz, authorization_url text, token_url text, userinfo_url text,
  jwks_uri text, created_at timestamptz default now() not null,
  updated_at timestamptz default now() not null,
  custom_claims_allowlist text[] default '{}' not null,
  constraint custom_oauth_providers_provider_type_check check (provider_type in ('oauth2', 'oidc')),
  constraint custom_oauth_providers_oidc_requires_issuer
    check ((provider_type <> 'oidc') or (issuer is not null)),
  constraint custom_oauth_providers_oidc_issuer_https
    check ((provider_type <> 'oidc') or (issuer is null) or (issuer like 'https://%')),
  constraint custom_oauth_providers_oidc_discovery_url_https
    check ((provider_type <> 'oidc') or (discovery_url is null) or (discovery_url like 'https://%')),
  constraint custom_oauth_providers_oauth2_requires_endpoints
    check (
      (provider_type <> 'oauth2')
      or ((authorization_url is not null) and (token_url is not null) and (userinfo_url is not null))
    ),
  constraint custom_oauth_providers_authorization_url_https
    check ((authorization_url is null) or (authorization_url like 'https://%')),
  constraint custom_oauth_providers_token_url_https
    check ((token_url is null) or (token_url like 'https://%')),
  constraint custom_oauth_providers_userinfo_url_https
    check ((userinfo_url is null) or (userinfo_url like 'https://%')),
  constraint custom_oauth_providers_jwks_uri_https
    check ((jwks_uri is null) or (jwks_uri like 'https://%')),
  constraint custom_oauth_providers_identifier_format
    check (identifier ~ '^[a-z0-9][a-z0-9:-]{0,48}[a-z0-9]$'),
  constraint custom_oauth_providers_name_length
    check ((char_length(name) >= 1) and (char_length(name) <= 100)),
  constraint custom_oauth_providers_issuer_length
    check ((issuer is null) or ((char_length(issuer) >= 1) and (char_length(issuer) <= 2048))),
  constraint custom_oauth_providers_discovery_url_length
    check ((discovery_url is null) or (char_length(discovery_url) <= 2048)),
  constraint custom_oauth_providers_authorization_url_length
    check ((authorization_url is null) or (char_length(authorization_url) <= 2048)),
  constraint custom_oauth_providers_token_url_length
    check ((token_url is null) or (char_length(token_url) <= 2048)),
  constraint custom_oauth_providers_userinfo_url_length
    check ((userinfo_url is null) or (char_length(userinfo_url) <= 2048)),
  constraint custom_oauth_providers_jwks_uri_length
    check ((jwks_uri is null) or (char_length(jwks_uri) <= 2048)),
  constraint custom_oauth_providers_client_id_length
    check ((char_length(client_id) >= 1) and (char_length(client_id) <= 512)),
  unique (identifier)
);
create index custom_oauth_providers_identifier_idx on auth.custom_oauth_providers (identifier);
create index custom_oauth_providers_provider_type_idx on auth.custom_oauth_providers (provider_type);
create index custom_oauth_providers_enabled_idx on auth.custom_oauth_providers (enabled);
create index custom_oauth_providers_created_at_idx on auth.custom_oauth_providers (created_at);

create table auth.webauthn_credentials (
  id uuid default gen_random_uuid() primary key, user_id uuid not null,
  credential_id bytea not null, public_key bytea not null,
  attestation_type text default '' not null, aaguid uuid, sign_count bigint default 0 not null,
  transports jsonb default '[]' not null, backup_eligible boolean default false not null,
  backed_up boolean default false not null, friendly_name text default '' not null,
  created_at timestamptz default now() not null, updated_at timestamptz default now() not null,
  last_used_at timestamptz,
  foreign key (user_id) references auth.users(id) on delete cascade
);
create unique index webauthn_credentials_credential_id_key on auth.webauthn_credentials (credential_id);
create index webauthn_credentials_user_id_idx on auth.webauthn_credentials (user_id);

create table auth.webauthn_challenges (
  id uuid default gen_random_uuid() primary key, user_id uuid, challenge_type text not null,
  session_data jsonb not null, created_at timestamptz default now() not null,
  expires_at timestamptz not null,
  constraint webauthn_challenges_challenge_type_check
    check (challenge_type in ('signup', 'registration', 'authentication')),
  foreign key (user_id) references auth.users(id) on delete cascade
);
create index webauthn_challenges_user_id_idx on auth.webauthn_challenges (user_id);
create index webauthn_challenges_expires_at_idx on auth.webauthn_challenges (expires_at);

-- The claims of the request's token: PostgREST sets one setting with all of them, older versions one for each
create function auth.uid() returns uuid language sql stable as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim.sub', true), ''),
    nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'
  )::uuid
$$;
create function auth.role() returns text language sql stable as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim.role', true), ''),
    nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role'
  )
$$;
create function auth.email() returns text language sql stable as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim.email', true), ''),
    nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'email'
  )
$$;
create function auth.jwt() returns jsonb language sql stable as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim', true), ''),
    nullif(current_setting('request.jwt.claims', true), '')
  )::jsonb
$$;

-- The default privileges have given the rest to `postgres` and `dashboard_user`
do $$
declare
  name text;
begin
  foreach name in array array[
    'users', 'identities', 'sessions', 'refresh_tokens', 'instances', 'audit_log_entries', 'schema_migrations',
    'mfa_factors', 'mfa_challenges', 'mfa_amr_claims', 'sso_providers', 'sso_domains', 'saml_providers',
    'saml_relay_states', 'flow_state', 'one_time_tokens'
  ] loop
    execute format('alter table auth.%I enable row level security', name);
    execute format('grant select on auth.%I to postgres with grant option', name);
  end loop;
end $$;
revoke all on auth.schema_migrations from postgres, dashboard_user;
grant select on auth.schema_migrations to postgres with grant option;

reset role;
