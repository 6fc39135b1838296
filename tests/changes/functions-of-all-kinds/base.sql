create table public.src (id int primary key, n int);
create function public.plain(a int) returns int language sql as $$ select a $$;
create function public.named(a int, b text default 'x') returns text language sql as $$ select b $$;
create function public.outs(in a int, out b int, out c text) language sql as $$ select a, 'c' $$;
create function public.many(variadic a int[]) returns int language sql as $$ select 1 $$;
create function public.safe() returns int language sql stable security definer set search_path = '' as $$ select 1 $$;
create function public.atomic_one(i int) returns bigint language sql stable begin atomic select count(*) from public.src where n = i; end;
create function public.gives() returns setof public.src language sql as $$ select * from public.src $$;
create procedure public.does(a int) language plpgsql as $$ begin null; end $$;
