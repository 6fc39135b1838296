create table public.src (id int primary key, t text, u text);
create materialized view public.mv as select id, t, u, length(t) as n from public.src;
create unique index mv_id on public.mv (id);
create index mv_n on public.mv ((n + 1), t);
