create table public.t (id int primary key, a text default 'x', b text);
create domain public.d as text;
create function public.f(a text default 'a') returns text language sql as $$ select a $$;
