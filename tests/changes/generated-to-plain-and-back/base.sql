create table public.g (id int primary key, a int, b int generated always as (a * 2) stored, c int, d text default 'x');
create index g_b on public.g (b);
create view public.gv as select id, b, c from public.g;
