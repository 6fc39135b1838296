drop view public.tv; drop index public.t_calc; alter table public.t drop constraint calc_ok; drop policy calc_p on public.t;
drop function public.calc(int, int);
create function public.calc(first int, second int default 5) returns int language sql immutable as $$ select first * 1 + second $$;
create view public.tv as select id, public.calc(a, 1) as c from public.t;
create index t_calc on public.t (public.calc(a, 2));
alter table public.t add constraint calc_ok check (public.calc(a, 3) > 0);
create policy calc_p on public.t using (public.calc(a, 4) > 0);
