create type public.pair as (a int, b int);
create function public.pair_lt(x public.pair, y public.pair) returns boolean language sql immutable as $$ select (x).a < (y).a $$;
create function public.pair_eq(x public.pair, y public.pair) returns boolean language sql immutable as $$ select (x).a = (y).a $$;
create function public.add(s int, x int) returns int language sql immutable as $$ select s + x $$;
create aggregate public.plus(int) (sfunc = public.add, stype = int, initcond = '0');
create view public.sums as select public.plus(g) from generate_series(1, 3) g;
create table public.pairs (id int primary key, p public.pair);
