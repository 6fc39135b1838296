create type public.inner_t as (a int, b text);
create type public.outer_t as (i public.inner_t, many public.inner_t[], n numeric(5, 2));
create table public.holder (id int primary key, i public.inner_t, l public.inner_t[]);
create function public.get(o public.outer_t) returns public.inner_t language sql immutable as $$ select (o).i $$;
create view public.hv as select id, (i).b as b from public.holder;
create domain public.checked as public.inner_t check ((value).a > 0);
