-- http 1.6: every request fails; a database that is rebuilt from migrations sends nothing.
-- Facts: https://github.com/pramsey/pgsql-http (README.md).
create domain http_method as text;
create domain content_type as text constraint content_type_check check (value ~ '^\S+\/\S+');
create type http_header as (field varchar, value varchar);
create type http_response as (status integer, content_type varchar, headers http_header[], content varchar);
create type http_request as (
  method http_method, uri varchar, headers http_header[], content_type varchar, content varchar
);
create function http_set_curlopt(curlopt varchar, value varchar) returns boolean language sql as 'select true';
create function http_reset_curlopt() returns boolean language sql as 'select true';
create function http_list_curlopt() returns table (curlopt text, value text)
  language sql as 'select null::text, null::text where false';
create function http_header(field varchar, value varchar) returns http_header language sql as 'select $1, $2';
create function http(request @extschema@.http_request) returns http_response language plpgsql as $$
begin
  raise exception 'no request is sent from this database: the extension http is a stand-in here';
end
$$;
create function http_get(uri varchar) returns http_response language sql as $$
  select @extschema@.http(('GET', $1, null, null, null)::@extschema@.http_request)
$$;
create function http_get(uri varchar, data jsonb) returns http_response language sql as $$
  select @extschema@.http(('GET', $1, null, null, null)::@extschema@.http_request)
$$;
create function http_post(uri varchar, content varchar, content_type varchar) returns http_response language sql as $$
  select @extschema@.http(('POST', $1, null, $3, $2)::@extschema@.http_request)
$$;
create function http_post(uri varchar, data jsonb) returns http_response language sql as $$
  select @extschema@.http(('POST', $1, null, 'application/x-www-form-urlencoded', null)::@extschema@.http_request)
$$;
create function http_put(uri varchar, content varchar, content_type varchar) returns http_response language sql as $$
  select @extschema@.http(('PUT', $1, null, $3, $2)::@extschema@.http_request)
$$;
create function http_patch(uri varchar, content varchar, content_type varchar) returns http_response language sql as $$
  select @extschema@.http(('PATCH', $1, null, $3, $2)::@extschema@.http_request)
$$;
create function http_delete(uri varchar) returns http_response language sql as $$
  select @extschema@.http(('DELETE', $1, null, null, null)::@extschema@.http_request)
$$;
create function http_delete(uri varchar, content varchar, content_type varchar) returns http_response
  language sql as $$
  select @extschema@.http(('DELETE', $1, null, $3, $2)::@extschema@.http_request)
$$;
create function http_head(uri varchar) returns http_response language sql as $$
  select @extschema@.http(('HEAD', $1, null, null, null)::@extschema@.http_request)
$$;
create function urlencode(string bytea) returns text language sql immutable strict as $$
  select coalesce(string_agg(
    case when byte between 48 and 57 or byte between 65 and 90 or byte between 97 and 122 or byte in (45, 46, 95, 126)
      then chr(byte) else '%' || upper(lpad(to_hex(byte), 2, '0')) end, '' order by n), '')
  from (select n, get_byte($1, n) as byte from generate_series(0, octet_length($1) - 1) n) bytes
$$;
create function urlencode(string varchar) returns text language sql immutable strict as $$
  select @extschema@.urlencode(convert_to($1::text, 'UTF8'))
$$;
create function urlencode(data jsonb) returns text language sql immutable strict as $$
  select string_agg(@extschema@.urlencode(key::varchar) || '=' || @extschema@.urlencode(value::varchar), '&')
  from jsonb_each_text($1)
$$;
create function text_to_bytea(data text) returns bytea language sql immutable strict as $$
  select convert_to($1, 'UTF8')
$$;
create function bytea_to_text(data bytea) returns text language sql immutable strict as $$
  select convert_from($1, 'UTF8')
$$;
