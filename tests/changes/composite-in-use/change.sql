alter type public.point2 add attribute z int;
alter type public.line2 add attribute name text;
create or replace function public.len(l public.line2) returns int language sql immutable as $$ select coalesce(((l).b).z, 0) $$;
alter table public.shape alter p set default row(1, 2, 3)::public.point2;
create view public.deep as select id, (p).z as z from public.shape;
