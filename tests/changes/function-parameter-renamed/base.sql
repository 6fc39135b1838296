create table public.t (id int primary key, a int);
create function public.calc(x int, y int) returns int language sql immutable as $$ select x + y $$;
create view public.tv as select id, public.calc(a, 1) as c from public.t;
create index t_calc on public.t (public.calc(a, 2));
alter table public.t add constraint calc_ok check (public.calc(a, 3) > 0);
create policy calc_p on public.t using (public.calc(a, 4) > 0);
alter table public.t enable row level security;
