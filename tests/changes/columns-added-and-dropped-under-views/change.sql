drop publication top_pub; drop trigger none on public.top; drop function public.b_of(public.top); drop materialized view public.mat; drop view public.of_all; drop view public.all_of;
alter table public.top drop column c, add column d text not null default 'd', add column e int generated always as identity;
create view public.all_of as select * from public.top;
create view public.of_all as select id, b, d from public.all_of;
create materialized view public.mat as select b, d, count(*) from public.top group by b, d;
create function public.b_of(t public.top) returns text language sql stable as $$ select t.b || t.d $$;
create publication top_pub for table public.top (id, d);
