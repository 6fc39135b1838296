create type public.ver as (major int, minor int);
create function public.ver_of(t text) returns public.ver language sql immutable as $$ select row(1, 2)::public.ver $$;
create function public.ver_eq(a public.ver, b public.ver) returns boolean language sql immutable as $$ select (a).major = (b).major $$;
create cast (text as public.ver) with function public.ver_of(text) as assignment;
create operator public.=~= (leftarg = public.ver, rightarg = public.ver, function = public.ver_eq);
create table public.rel (id int primary key, v public.ver, constraint same check (v operator(public.=~=) v));
create view public.rels as select id, v operator(public.=~=) row(1, 2)::public.ver as is_one from public.rel;
