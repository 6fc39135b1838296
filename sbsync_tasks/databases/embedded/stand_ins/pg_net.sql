-- pg_net 0.19: requests are queued, and nothing ever sends them.
-- Facts: https://github.com/supabase/pg_net (README.md, docs) and what the platform grants (supabase/postgres).
create schema net;
create type net.request_status as enum ('PENDING', 'SUCCESS', 'ERROR');
create domain net.http_method as text
  constraint http_method_check check (value ilike 'get' or value ilike 'post' or value ilike 'delete');
create table net.http_request_queue (
  id bigserial not null,
  method net.http_method not null,
  url text not null,
  headers jsonb,
  body bytea,
  timeout_milliseconds int not null
);
create table net._http_response (
  id bigint,
  status_code integer,
  content_type text,
  headers jsonb,
  content text,
  timed_out bool,
  error_msg text,
  created timestamptz not null default now()
);
create index on net._http_response (created);
create type net.http_response as (status_code integer, headers jsonb, body text);
create type net.http_response_result as (status net.request_status, message text, response net.http_response);

create function net._urlencode_string(string varchar) returns text language sql immutable strict as $$
  select string_agg(
    case when byte between 48 and 57 or byte between 65 and 90 or byte between 97 and 122 or byte in (45, 46, 95, 126)
      then chr(byte) else '%' || upper(lpad(to_hex(byte), 2, '0')) end, '' order by n)
  from (
    select n, get_byte(convert_to(string::text, 'UTF8'), n) as byte
    from generate_series(0, octet_length(string) - 1) n
  ) bytes
$$;
create function net._encode_url_with_params_array(url text, params_array text[]) returns text
  language sql immutable strict as $$
  select url || case when cardinality(params_array) = 0 then '' else '?' || array_to_string(params_array, '&') end
$$;
create function net.wake() returns void language sql as 'select';
create function net.worker_restart() returns bool language sql as 'select true';
create function net.check_worker_is_up() returns void language sql as 'select';
create function net.wait_until_running() returns void language sql as 'select';
create function net.http_get(
  url text, params jsonb default '{}', headers jsonb default '{}', timeout_milliseconds int default 5000
) returns bigint language sql strict security definer set search_path = '' as $$
  insert into net.http_request_queue (method, url, headers, timeout_milliseconds)
    values ('GET', $1, $3, $4) returning id
$$;
create function net.http_post(
  url text, body jsonb default '{}', params jsonb default '{}',
  headers jsonb default '{"Content-Type": "application/json"}', timeout_milliseconds int default 5000
) returns bigint language sql security definer set search_path = '' as $$
  insert into net.http_request_queue (method, url, headers, body, timeout_milliseconds)
    values ('POST', $1, $4, pg_catalog.convert_to($2::text, 'UTF8'), $5) returning id
$$;
create function net.http_delete(
  url text, params jsonb default '{}', headers jsonb default '{}', timeout_milliseconds int default 5000,
  body jsonb default null
) returns bigint language sql security definer set search_path = '' as $$
  insert into net.http_request_queue (method, url, headers, body, timeout_milliseconds)
    values ('DELETE', $1, $3, pg_catalog.convert_to($5::text, 'UTF8'), $4) returning id
$$;
create function net._await_response(request_id bigint) returns bool language sql strict as 'select false';
create function net._http_collect_response(request_id bigint, async bool default true)
  returns net.http_response_result language sql strict as $$
  select row('PENDING', 'request is pending processing', null)::net.http_response_result
$$;
create function net.http_collect_response(request_id bigint, async bool default true)
  returns net.http_response_result language sql strict as $$
  select net._http_collect_response($1, $2)
$$;

grant usage on schema net to supabase_functions_admin, postgres, anon, authenticated, service_role;
grant all on all tables in schema net to postgres;
grant all on all sequences in schema net to postgres;
