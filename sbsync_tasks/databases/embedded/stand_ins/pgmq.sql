-- pgmq 1.5: queues are kept in tables. Facts: https://pgmq.github.io/pgmq (SQL functions, types, the tables' columns).
create table meta (
  queue_name varchar unique not null,
  is_partitioned boolean not null,
  is_unlogged boolean not null,
  created_at timestamptz default now() not null
);
create type message_record as (
  msg_id bigint, read_ct integer, enqueued_at timestamptz, vt timestamptz, message jsonb, headers jsonb
);
create type queue_record as (
  queue_name varchar, is_partitioned boolean, is_unlogged boolean, created_at timestamptz
);
create type metrics_result as (
  queue_name text, queue_length bigint, newest_msg_age_sec int, oldest_msg_age_sec int, total_messages bigint,
  scrape_time timestamptz, queue_visible_length bigint
);
create function format_table_name(queue_name text, prefix text) returns text language plpgsql as $$
begin
  if queue_name ~ '\$|;|--|''' then
    raise exception 'queue name contains invalid characters: $, ;, --, or \''';
  end if;
  return lower(prefix || '_' || queue_name);
end
$$;
create function validate_queue_name(queue_name text) returns void language plpgsql as $$
begin
  if length(queue_name) > 47 then
    raise exception 'queue name is too long, maximum length is 47 characters';
  end if;
end
$$;
create function _make_queue(queue_name text, unlogged boolean, partitioned boolean) returns void language plpgsql as $$
declare
  q text := pgmq.format_table_name(queue_name, 'q');
  a text := pgmq.format_table_name(queue_name, 'a');
  kind text := case when unlogged then 'unlogged' else '' end;
begin
  perform pgmq.validate_queue_name(queue_name), pg_advisory_xact_lock(hashtext('pgmq.queue_' || queue_name));
  execute format(
    'create %s table if not exists pgmq.%I (msg_id bigint primary key generated always as identity,
      read_ct int default 0 not null, enqueued_at timestamptz default now() not null, vt timestamptz not null,
      message jsonb, headers jsonb)', kind, q);
  execute format(
    'create table if not exists pgmq.%I (msg_id bigint primary key, read_ct int default 0 not null,
      enqueued_at timestamptz default now() not null, archived_at timestamptz default now() not null,
      vt timestamptz not null, message jsonb, headers jsonb)', a);
  execute format('create index if not exists %I on pgmq.%I (vt)', q || '_vt_idx', q);
  execute format('create index if not exists %I on pgmq.%I (archived_at)', 'archived_at_idx_' || queue_name, a);
  insert into pgmq.meta (queue_name, is_partitioned, is_unlogged) values ($1, partitioned, unlogged)
    on conflict do nothing;
end
$$;
create function "create"(queue_name text) returns void language sql as 'select pgmq._make_queue($1, false, false)';
create function create_non_partitioned(queue_name text) returns void language sql as
  'select pgmq._make_queue($1, false, false)';
create function create_unlogged(queue_name text) returns void language sql as
  'select pgmq._make_queue($1, true, false)';
create function create_partitioned(
  queue_name text, partition_interval text default '10000', retention_interval text default '100000'
) returns void language sql as 'select pgmq._make_queue($1, false, true)';
create function drop_queue(queue_name text) returns boolean language plpgsql as $$
begin
  execute format('drop table if exists pgmq.%I', pgmq.format_table_name(queue_name, 'q'));
  execute format('drop table if exists pgmq.%I', pgmq.format_table_name(queue_name, 'a'));
  delete from pgmq.meta m where m.queue_name = $1;
  return found;
end
$$;
create function drop_queue(queue_name text, partitioned boolean) returns boolean language sql as
  'select pgmq.drop_queue($1)';
create function detach_archive(queue_name text) returns void language sql as 'select';
create function convert_archive_partitioned(
  table_name text, partition_interval text default '10000', retention_interval text default '100000',
  leading_partition int default 10
) returns void language sql as 'select';

-- Sending; each name has the variants that the documentation lists
create function send_batch(queue_name text, msgs jsonb[], headers jsonb[], delay timestamptz) returns setof bigint
  language plpgsql as $$
begin
  return query execute format(
    'insert into pgmq.%I (vt, message, headers)
      select $2, $1[n], $3[n] from generate_subscripts($1, 1) n returning msg_id',
    pgmq.format_table_name(queue_name, 'q')) using msgs, delay, headers;
end
$$;
create function send_batch(queue_name text, msgs jsonb[]) returns setof bigint language sql as
  'select * from pgmq.send_batch($1, $2, null, clock_timestamp())';
create function send_batch(queue_name text, msgs jsonb[], headers jsonb[]) returns setof bigint language sql as
  'select * from pgmq.send_batch($1, $2, $3, clock_timestamp())';
create function send_batch(queue_name text, msgs jsonb[], delay integer) returns setof bigint language sql as
  'select * from pgmq.send_batch($1, $2, null, clock_timestamp() + make_interval(secs => $3))';
create function send_batch(queue_name text, msgs jsonb[], delay timestamptz) returns setof bigint language sql as
  'select * from pgmq.send_batch($1, $2, null, $3)';
create function send_batch(queue_name text, msgs jsonb[], headers jsonb[], delay integer) returns setof bigint
  language sql as 'select * from pgmq.send_batch($1, $2, $3, clock_timestamp() + make_interval(secs => $4))';
create function send(queue_name text, msg jsonb, headers jsonb, delay timestamptz) returns setof bigint language sql as
  'select * from pgmq.send_batch($1, array[$2], array[$3], $4)';
create function send(queue_name text, msg jsonb) returns setof bigint language sql as
  'select * from pgmq.send($1, $2, null, clock_timestamp())';
create function send(queue_name text, msg jsonb, headers jsonb) returns setof bigint language sql as
  'select * from pgmq.send($1, $2, $3, clock_timestamp())';
create function send(queue_name text, msg jsonb, delay integer) returns setof bigint language sql as
  'select * from pgmq.send($1, $2, null, clock_timestamp() + make_interval(secs => $3))';
create function send(queue_name text, msg jsonb, delay timestamptz) returns setof bigint language sql as
  'select * from pgmq.send($1, $2, null, $3)';
create function send(queue_name text, msg jsonb, headers jsonb, delay integer) returns setof bigint language sql as
  'select * from pgmq.send($1, $2, $3, clock_timestamp() + make_interval(secs => $4))';

create function read(queue_name text, vt integer, qty integer, conditional jsonb default '{}')
  returns setof pgmq.message_record language plpgsql as $$
begin
  return query execute format(
    'with next as (
      select msg_id from pgmq.%1$I where vt <= clock_timestamp() and message @> $3 order by msg_id limit $1
        for update skip locked
    )
    update pgmq.%1$I m set vt = clock_timestamp() + make_interval(secs => $2), read_ct = read_ct + 1
    from next where m.msg_id = next.msg_id
    returning m.msg_id, m.read_ct, m.enqueued_at, m.vt, m.message, m.headers',
    pgmq.format_table_name(queue_name, 'q')) using qty, vt, conditional;
end
$$;
create function read_with_poll(
  queue_name text, vt integer, qty integer, max_poll_seconds integer default 5, poll_interval_ms integer default 100,
  conditional jsonb default '{}'
) returns setof pgmq.message_record language sql as 'select * from pgmq.read($1, $2, $3, $6)';
create function pop(queue_name text) returns setof pgmq.message_record language plpgsql as $$
begin
  return query execute format(
    'delete from pgmq.%1$I where msg_id = (
      select msg_id from pgmq.%1$I where vt <= clock_timestamp() order by msg_id limit 1 for update skip locked
    ) returning msg_id, read_ct, enqueued_at, vt, message, headers', pgmq.format_table_name(queue_name, 'q'));
end
$$;
create function delete(queue_name text, msg_ids bigint[]) returns setof bigint language plpgsql as $$
begin
  return query execute format('delete from pgmq.%I where msg_id = any ($1) returning msg_id',
    pgmq.format_table_name(queue_name, 'q')) using msg_ids;
end
$$;
create function delete(queue_name text, msg_id bigint) returns boolean language sql as
  'select exists (select from pgmq.delete($1, array[$2]))';
create function archive(queue_name text, msg_ids bigint[]) returns setof bigint language plpgsql as $$
begin
  return query execute format(
    'with gone as (
      delete from pgmq.%I where msg_id = any ($1) returning msg_id, vt, read_ct, enqueued_at, message, headers
    )
    insert into pgmq.%I (msg_id, vt, read_ct, enqueued_at, message, headers) select * from gone returning msg_id',
    pgmq.format_table_name(queue_name, 'q'), pgmq.format_table_name(queue_name, 'a')) using msg_ids;
end
$$;
create function archive(queue_name text, msg_id bigint) returns boolean language sql as
  'select exists (select from pgmq.archive($1, array[$2]))';
create function purge_queue(queue_name text) returns bigint language plpgsql as $$
declare
  purged bigint;
begin
  execute format('delete from pgmq.%I', pgmq.format_table_name(queue_name, 'q'));
  get diagnostics purged = row_count;
  return purged;
end
$$;
create function set_vt(queue_name text, msg_id bigint, vt integer) returns setof pgmq.message_record
  language plpgsql as $$
begin
  return query execute format(
    'update pgmq.%I set vt = clock_timestamp() + make_interval(secs => $2) where msg_id = $1
    returning msg_id, read_ct, enqueued_at, vt, message, headers', pgmq.format_table_name(queue_name, 'q'))
    using msg_id, vt;
end
$$;
create function list_queues() returns setof pgmq.queue_record language sql as
  'select queue_name, is_partitioned, is_unlogged, created_at from pgmq.meta';
create function metrics(queue_name text) returns pgmq.metrics_result language plpgsql as $$
declare
  result pgmq.metrics_result;
begin
  execute format(
    'select $1, count(*), extract(epoch from now() - max(enqueued_at))::int,
      extract(epoch from now() - min(enqueued_at))::int, coalesce(max(msg_id), 0), now(),
      count(*) filter (where vt <= now()) from pgmq.%I', pgmq.format_table_name(queue_name, 'q'))
    into result using queue_name;
  return result;
end
$$;
create function metrics_all() returns setof pgmq.metrics_result language sql as
  'select (pgmq.metrics(queue_name)).* from pgmq.meta';
grant usage on schema pgmq to postgres with grant option;
grant all on all tables in schema pgmq to postgres with grant option;
grant create on schema pgmq to postgres;
