-- storage: tables, owners, privileges, and the functions that policies call.
-- Source: what supabase/storage's migrations (migrations/tenant, to 0063) come to; privileges from the same and from
-- supabase/postgres (nix/tests/expected/storage.out).
-- Left out: the Storage server's own listing functions (search*, list_*, get_common_prefix), comments, the rows of
-- storage.migrations.

set role supabase_storage_admin;

create type storage.buckettype as enum ('STANDARD', 'ANALYTICS', 'VECTOR');

create table storage.migrations (
  id integer primary key, name varchar(100) not null, hash varchar(40) not null,
  executed_at timestamp default current_timestamp,
  unique (name)
);

create table storage.buckets (
  id text primary key, name text not null, owner uuid, created_at timestamptz default now(),
  updated_at timestamptz default now(), public boolean default false,
  avif_autodetection boolean default false, file_size_limit bigint, allowed_mime_types text[],
  owner_id text, type storage.buckettype default 'STANDARD' not null,
  versioning_status text default 'DISABLED' not null,
  constraint buckets_versioning_status_check
    check (versioning_status in ('DISABLED', 'ENABLED', 'SUSPENDED')),
  constraint buckets_versioning_standard_only_check
    check ((type = 'STANDARD') or (versioning_status = 'DISABLED')),
  constraint buckets_versioning_dark_check check (versioning_status = 'DISABLED')
);
create unique index bname on storage.buckets (name);

create table storage.objects (
  id uuid default gen_random_uuid() primary key, bucket_id text, name text, owner uuid,
  created_at timestamptz default now(), updated_at timestamptz default now(),
  last_accessed_at timestamptz default now(), metadata jsonb,
  path_tokens text[] generated always as (string_to_array(name, '/')) stored, version text,
  owner_id text, user_metadata jsonb, archived_at timestamptz,
  is_delete_marker boolean default false not null, is_versioned boolean default false not null,
  constraint "objects_bucketId_fkey" foreign key (bucket_id) references storage.buckets(id)
);
create unique index bucketid_objname on storage.objects (bucket_id, name);
create index name_prefix_search on storage.objects (name text_pattern_ops);
create index idx_objects_bucket_id_name on storage.objects (bucket_id, name collate "C");
create index idx_objects_bucket_id_name_lower on storage.objects (bucket_id, lower(name) collate "C");

create table storage.s3_multipart_uploads (
  id text primary key, in_progress_size bigint default 0 not null,
  upload_signature text not null, bucket_id text not null, key text not null,
  version text not null, owner_id text, created_at timestamptz default now() not null,
  user_metadata jsonb, metadata jsonb,
  foreign key (bucket_id) references storage.buckets(id)
);
create index idx_multipart_uploads_list on storage.s3_multipart_uploads (bucket_id, key, created_at);

create table storage.s3_multipart_uploads_parts (
  id uuid default gen_random_uuid() primary key, upload_id text not null,
  size bigint default 0 not null, part_number integer not null, bucket_id text not null,
  key text not null, etag text not null, owner_id text, version text not null,
  created_at timestamptz default now() not null,
  foreign key (upload_id) references storage.s3_multipart_uploads(id) on delete cascade,
  foreign key (bucket_id) references storage.buckets(id)
);

create table storage.buckets_analytics (
  name text not null, type storage.buckettype default 'ANALYTICS' not null,
  format text default 'ICEBERG' not null, created_at timestamptz default now() not null,
  updated_at timestamptz default now() not null, id uuid default gen_random_uuid() primary key,
  deleted_at timestamptz
);
create unique index buckets_analytics_unique_name_idx on storage.buckets_analytics (name)
  where deleted_at is null;

create table storage.iceberg_namespaces (
  id uuid default gen_random_uuid() primary key, bucket_name text not null, name text not null,
  created_at timestamptz default now() not null, updated_at timestamptz default now() not null,
  metadata jsonb default '{}' not null, catalog_id uuid not null,
  foreign key (catalog_id) references storage.buckets_analytics(id) on delete cascade
);
create unique index idx_iceberg_namespaces_bucket_id on storage.iceberg_namespaces (catalog_id, name);

create table storage.iceberg_tables (
  id uuid default gen_random_uuid() primary key, namespace_id uuid not null,
  bucket_name text not null, name text not null, location text not null,
  created_at timestamptz default now() not null, updated_at timestamptz default now() not null,
  remote_table_id text, shard_key text, shard_id text, catalog_id uuid not null,
  foreign key (namespace_id) references storage.iceberg_namespaces(id) on delete cascade,
  foreign key (catalog_id) references storage.buckets_analytics(id) on delete cascade
);
create unique index idx_iceberg_tables_namespace_id
  on storage.iceberg_tables (catalog_id, namespace_id, name);
create unique index idx_iceberg_tables_location on storage.iceberg_tables (location);

create table storage.buckets_vectors (
  id text primary key, type storage.buckettype default 'VECTOR' not null,
  created_at timestamptz default now() not null, updated_at timestamptz default now() not null
);

create table storage.vector_indexes (
  id text default gen_random_uuid() primary key, name text not null, bucket_id text not null,
  data_type text not null, dimension integer not null, distance_metric text not null,
  metadata_configuration jsonb, created_at timestamptz default now() not null,
  updated_at timestamptz default now() not null,
  foreign key (bucket_id) references storage.buckets_vectors(id)
);
create unique index vector_indexes_name_bucket_id_idx on storage.vector_indexes (name, bucket_id);

-- The parts of an object's path
create function storage.foldername(name text) returns text[] language plpgsql immutable as $$
declare
  parts text[] := string_to_array(name, '/');
begin
  return parts[1 : cardinality(parts) - 1];
end
$$;
create function storage.filename(name text) returns text language plpgsql immutable as $$
declare
  parts text[] := string_to_array(name, '/');
begin
  return parts[cardinality(parts)];
end
$$;
create function storage.extension(name text) returns text language plpgsql immutable as $$
begin
  return reverse(split_part(reverse(storage.filename(name)), '.', 1));
end
$$;

-- What the Storage API is doing, for policies that allow only some of it
create function storage.operation() returns text language plpgsql stable as $$
begin
  return current_setting('storage.operation', true);
end
$$;
create function storage.allow_only_operation(expected_operation text) returns boolean
  language sql stable as $$
  select coalesce(nullif(expected_operation, '') is not null
    and regexp_replace(storage.operation(), '^storage\.', '') = regexp_replace(expected_operation, '^storage\.', ''),
    false)
$$;
create function storage.allow_any_operation(expected_operations text[]) returns boolean
  language sql stable as $$
  select coalesce(bool_or(storage.allow_only_operation(expected)), false) from unnest(expected_operations) expected
$$;
create function storage.can_insert_object(bucketid text, name text, owner uuid, metadata jsonb) returns void
  language plpgsql as $$
begin
  insert into storage.objects (bucket_id, name, owner, metadata) values (bucketid, name, owner, metadata);
  -- Only the attempt is wanted: it is undone, and the caller sees this state
  raise sqlstate 'PT200' using message = 'ROLLBACK';
end
$$;
create function storage.get_size_by_bucket() returns table (size bigint, bucket_id text)
  language plpgsql stable as $$
begin
  return query
    select sum((o.metadata ->> 'size')::bigint)::bigint, o.bucket_id from storage.objects o group by o.bucket_id;
end
$$;

create function storage.update_updated_at_column() returns trigger language plpgsql as $$
begin
  new.updated_at := now();
  return new;
end
$$;
create function storage.enforce_bucket_name_length() returns trigger language plpgsql as $$
begin
  if length(new.name) > 100 then
    raise exception 'bucket name "%" has % characters, and 100 are allowed', new.name, length(new.name);
  end if;
  return new;
end
$$;
-- Refuses on today's platform, where only the Storage API deletes. Older ages let a migration delete rows, and what they
-- have recorded has to be built again; here are no files that could be left behind.
create function storage.protect_delete() returns trigger language plpgsql as $$
begin
  return null;
end
$$;
create trigger update_objects_updated_at before update on storage.objects
  for each row execute function storage.update_updated_at_column();
create trigger enforce_bucket_name_length_trigger before insert or update of name on storage.buckets
  for each row execute function storage.enforce_bucket_name_length();
create trigger protect_buckets_delete before delete on storage.buckets
  for each statement execute function storage.protect_delete();
create trigger protect_objects_delete before delete on storage.objects
  for each statement execute function storage.protect_delete();

alter table storage.migrations enable row level security;
alter table storage.buckets enable row level security;
alter table storage.objects enable row level security;
alter table storage.s3_multipart_uploads enable row level security;
alter table storage.s3_multipart_uploads_parts enable row level security;
alter table storage.buckets_analytics enable row level security;
alter table storage.iceberg_namespaces enable row level security;
alter table storage.iceberg_tables enable row level security;
alter table storage.buckets_vectors enable row level security;
alter table storage.vector_indexes enable row level security;

grant all on storage.buckets, storage.objects to supabase_storage_admin, postgres with grant option;
grant all on storage.buckets, storage.objects, storage.buckets_analytics to anon, authenticated, service_role;
grant all on storage.s3_multipart_uploads, storage.s3_multipart_uploads_parts, storage.iceberg_namespaces,
  storage.iceberg_tables to service_role;
grant select on storage.s3_multipart_uploads, storage.s3_multipart_uploads_parts, storage.iceberg_namespaces,
  storage.iceberg_tables to anon, authenticated;
grant select on storage.buckets_vectors, storage.vector_indexes to anon, authenticated, service_role;

reset role;
