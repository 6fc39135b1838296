create table public.pt (id int not null, d int not null) partition by range (d);
create table public.pt_1 partition of public.pt for values from (0) to (10);
create index pt_1_own on public.pt_1 (id);
