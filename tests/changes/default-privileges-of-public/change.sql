alter default privileges in schema public revoke all on tables from anon, authenticated;
alter default privileges in schema public revoke execute on functions from anon;
create table public.hidden (id serial primary key);
create function public.hid() returns int language sql as $$ select 1 $$;
