alter default privileges in schema app revoke select on tables from anon;
alter default privileges in schema app grant insert, update on tables to authenticated with grant option;
alter default privileges in schema app grant usage on sequences to anon;
alter default privileges in schema app grant usage on types to authenticated;
alter default privileges revoke usage on types from public;
alter default privileges grant execute on functions to public;
create table app.after (id serial primary key);
create function app.fn() returns int language sql as $$ select 1 $$;
create type app.ty as enum ('x');
