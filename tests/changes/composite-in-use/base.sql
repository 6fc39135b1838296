create type public.point2 as (x int, y int);
create type public.line2 as (a public.point2, b public.point2);
create table public.shape (id int primary key, p public.point2 default row(1, 2)::public.point2, l public.line2[], check ((p).x > 0));
create index shape_x on public.shape (((p).x));
create function public.len(l public.line2) returns int language sql immutable as $$ select ((l).b).x - ((l).a).x $$;
create view public.shapes as select id, (p).y as y, public.len(l[1]) as len from public.shape;
