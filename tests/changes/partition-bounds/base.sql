create table public.m (id int not null, k text not null) partition by list (k);
create table public.m_a partition of public.m for values in ('a');
create table public.m_b partition of public.m for values in ('b');
create table public.r (id int not null, d date not null) partition by range (d);
create table public.r1 partition of public.r for values from ('2024-01-01') to ('2024-02-01');
create table public.r3 partition of public.r for values from ('2024-03-01') to ('2024-04-01');
create table public.r2 partition of public.r for values from ('2024-02-01') to ('2024-03-01');
alter table public.r add primary key (id, d);
create index m_k on public.m (k);
