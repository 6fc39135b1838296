-- realtime: the table that policies are written for, and the functions that policies and triggers call.
-- Source: what supabase/realtime's migrations (lib/realtime/tenants/repo/migrations, to 2026-07) come to.
-- Left out: what only the Realtime server uses (realtime.subscription, apply_rls, list_changes, …) and the daily
-- partitions of realtime.messages, which the server makes.

set role supabase_realtime_admin;

create table realtime.messages (
  topic text not null, extension text not null, payload jsonb, event text,
  private boolean default false, updated_at timestamp default now() not null,
  inserted_at timestamp default now() not null, id uuid default gen_random_uuid() not null,
  binary_payload bytea,
  constraint messages_payload_exclusive check (payload is null or binary_payload is null) not valid,
  constraint messages_pkey primary key (id, inserted_at)
) partition by range (inserted_at);
create index messages_inserted_at_topic_index on realtime.messages (inserted_at desc, topic)
  where extension = 'broadcast' and private is true;
alter table realtime.messages enable row level security;
grant select, insert, update on realtime.messages to postgres, anon, authenticated, service_role;

create function realtime.topic() returns text language sql stable as $$
  select nullif(current_setting('realtime.topic', true), '')
$$;

-- A message that cannot be stored is reported and never stops the caller
create function realtime.send(payload jsonb, event text, topic text, private boolean default true) returns void
  language plpgsql as $$
declare
  new_id uuid := gen_random_uuid();
begin
  perform set_config('realtime.topic', topic, true);
  insert into realtime.messages (id, payload, event, topic, private, extension)
    values (new_id, jsonb_build_object('id', new_id) || payload, event, topic, private, 'broadcast');
exception
  when others then
    raise warning 'realtime.send: %', sqlerrm;
end
$$;
create function realtime.broadcast_changes(
  topic_name text, event_name text, operation text, table_name text, table_schema text,
  new record, old record, level text default 'ROW'
) returns void language plpgsql as $$
begin
  if level = 'STATEMENT' then
    raise exception 'realtime.broadcast_changes is for row triggers';
  end if;
  perform realtime.send(
    jsonb_build_object(
      'old_record', old, 'record', new, 'operation', operation, 'table', table_name, 'schema', table_schema
    ), event_name, topic_name
  );
end
$$;

reset role;
