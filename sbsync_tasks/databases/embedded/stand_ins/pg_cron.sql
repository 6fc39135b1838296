-- pg_cron 1.6: jobs are kept, and nothing ever runs them.
-- Facts: the catalogs of Debian's postgresql-15-cron, and https://github.com/citusdata/pg_cron (README.md).
create schema cron;
create sequence cron.jobid_seq;
create table cron.job (
  jobid bigint primary key default pg_catalog.nextval('cron.jobid_seq'),
  schedule text not null,
  command text not null,
  nodename text not null default 'localhost',
  nodeport int not null default pg_catalog.inet_server_port(),
  database text not null default pg_catalog.current_database(),
  username text not null default current_user,
  active boolean not null default true,
  jobname text,
  constraint jobname_username_uniq unique (jobname, username)
);
alter table cron.job enable row level security;
create policy cron_job_policy on cron.job using (username = current_user);
create sequence cron.runid_seq;
create table cron.job_run_details (
  jobid bigint,
  runid bigint primary key default pg_catalog.nextval('cron.runid_seq'),
  job_pid integer,
  database text,
  username text,
  command text,
  status text,
  return_message text,
  start_time timestamptz,
  end_time timestamptz
);
alter table cron.job_run_details enable row level security;
create policy cron_job_run_details_policy on cron.job_run_details using (username = current_user);

create function cron.schedule_in_database(
  job_name text, schedule text, command text, database text, username text default null, active boolean default true
) returns bigint language plpgsql security definer set search_path = '' as $$
declare
  owner text := coalesce($5, session_user);
  id bigint;
begin
  if $2 !~ '^\s*(\d+ seconds?|@\w+|\S+(\s+\S+){4})\s*$' then
    raise exception 'invalid schedule: %', $2
      using hint = 'Use cron format (e.g. 5 4 * * *), or interval format ''[1-59] seconds''';
  end if;
  insert into cron.job (schedule, command, database, username, active, jobname)
    values ($2, $3, $4, owner, $6, $1)
    on conflict on constraint jobname_username_uniq do update
      set schedule = excluded.schedule, command = excluded.command, database = excluded.database,
        active = excluded.active
    returning jobid into id;
  return id;
end
$$;
create function cron.schedule(schedule text, command text) returns bigint
  language sql set search_path = '' as $$
  select cron.schedule_in_database(null, $1, $2, pg_catalog.current_database()::text)
$$;
create function cron.schedule(job_name text, schedule text, command text) returns bigint
  language sql set search_path = '' as $$
  select cron.schedule_in_database($1, $2, $3, pg_catalog.current_database()::text)
$$;
create function cron.unschedule(job_id bigint) returns boolean
  language plpgsql strict security definer set search_path = '' as $$
begin
  delete from cron.job where jobid = $1 and username = session_user;
  if not found then
    raise exception 'could not find valid entry for job ''%''', $1;
  end if;
  return true;
end
$$;
create function cron.unschedule(job_name text) returns boolean
  language plpgsql strict security definer set search_path = '' as $$
begin
  delete from cron.job where jobname = $1 and username = session_user;
  if not found then
    raise exception 'could not find valid entry for job ''%''', $1;
  end if;
  return true;
end
$$;
create function cron.alter_job(
  job_id bigint, schedule text default null, command text default null, database text default null,
  username text default null, active boolean default null
) returns void language plpgsql security definer set search_path = '' as $$
begin
  update cron.job j
    set schedule = coalesce($2, j.schedule), command = coalesce($3, j.command), database = coalesce($4, j.database),
      username = coalesce($5, j.username), active = coalesce($6, j.active)
    where j.jobid = $1 and j.username = session_user;
  if not found then
    raise exception 'Job % does not exist or you don''t own it', $1;
  end if;
end
$$;
create function cron.job_cache_invalidate() returns trigger language plpgsql set search_path = '' as $$
begin
  return null;
end
$$;
create trigger cron_job_cache_invalidate after insert or delete or update or truncate on cron.job
  for each statement execute function cron.job_cache_invalidate();

-- What the platform's event trigger gives on creation (supabase/postgres: issue_pg_cron_access)
grant usage on schema cron to postgres with grant option;
grant all on all functions in schema cron to postgres with grant option;
grant all on all tables in schema cron to postgres with grant option;
revoke all on table cron.job from postgres;
grant select on table cron.job to postgres with grant option;
grant all on all sequences in schema cron to postgres with grant option;

-- The platform puts it into pg_catalog, whatever schema was asked for (supautils.extensions_parameter_overrides)
update pg_catalog.pg_extension set extnamespace = 'pg_catalog'::regnamespace where extname = 'pg_cron';
delete from pg_catalog.pg_depend
  where classid = 'pg_catalog.pg_extension'::regclass and refclassid = 'pg_catalog.pg_namespace'::regclass
    and objid = (select oid from pg_catalog.pg_extension where extname = 'pg_cron');
