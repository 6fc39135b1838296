create table public.big (id int primary key, body text, n int);
create table public.cache (k text primary key, v text);
create index big_body on public.big (body);
create statistics public.big_stats (ndistinct) on id, n from public.big;
create materialized view public.mv as select id from public.big;
