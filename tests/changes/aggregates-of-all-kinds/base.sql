create function public.acc(s bigint, x int) returns bigint language sql immutable as $$ select s + x $$;
create function public.fin(s bigint) returns text language sql immutable as $$ select s::text $$;
create aggregate public.total(int) (sfunc = public.acc, stype = bigint, initcond = '0');
create view public.totals as select public.total(g) as t from generate_series(1, 3) g;
