drop view public.sums;
drop aggregate public.plus(int);
create aggregate public.plus(int) (sfunc = public.add, stype = int, initcond = '10', parallel = safe);
create view public.sums as select public.plus(g) from generate_series(1, 3) g;
create operator public.<<< (leftarg = public.pair, rightarg = public.pair, function = public.pair_lt);
create operator public.=== (leftarg = public.pair, rightarg = public.pair, function = public.pair_eq, commutator = operator(public.===));
create view public.less as select x.id from public.pairs x, public.pairs y where x.p operator(public.<<<) y.p;
comment on operator public.<<< (public.pair, public.pair) is 'by a';
comment on aggregate public.plus(int) is 'from ten';
