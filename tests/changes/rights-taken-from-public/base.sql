create table public.t1 (id int primary key); create table public.t2 (id int primary key);
create function public.f1() returns int language sql as $$ select 1 $$;
create sequence public.s1; create view public.v1 as select id from public.t1;
alter table public.t1 enable row level security; alter table public.t1 force row level security; create policy p on public.t1 using (true);
