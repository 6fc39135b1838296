create table public.big (id int primary key, a text, b int) with (fillfactor = 50, autovacuum_enabled = false, toast.autovacuum_enabled = false);
create unlogged table public.fast (id serial primary key, a text);
create table public.slow (id serial primary key, a text);
create index big_a on public.big (a) with (fillfactor = 40);
alter table public.big alter a set storage external, alter a set compression pglz, alter b set statistics 300, alter b set (n_distinct = 5), cluster on big_pkey, replica identity full;
create view public.v with (security_barrier = true, security_invoker = true) as select id from public.big;
create statistics public.st on a, b from public.big; alter statistics public.st set statistics 50;
