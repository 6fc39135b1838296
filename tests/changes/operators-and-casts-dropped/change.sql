drop view public.rels; alter table public.rel drop constraint same;
drop operator public.=~= (public.ver, public.ver); drop function public.ver_eq(public.ver, public.ver);
drop cast (text as public.ver);
create function public.ver_same(a public.ver, b public.ver) returns boolean language sql immutable as $$ select a is not distinct from b $$;
create operator public.=~= (leftarg = public.ver, rightarg = public.ver, function = public.ver_same, commutator = operator(public.=~=));
create cast (text as public.ver) with function public.ver_of(text) as implicit;
create view public.rels as select id, v operator(public.=~=) row(1, 2)::public.ver as is_one from public.rel;
