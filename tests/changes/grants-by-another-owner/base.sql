create role giver nologin; grant giver to postgres;
create table public.gift (id int primary key, a text, b text);
create function public.gf() returns int language sql as $$ select 1 $$;
grant select on public.gift to giver with grant option;
