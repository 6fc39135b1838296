create index pt_id on only public.pt (id);
alter index public.pt_id attach partition public.pt_1_own;
create table public.pt_2 (d int not null, extra int, id int not null);
alter table public.pt_2 drop column extra;
create index pt_2_odd on public.pt_2 (id);
alter table public.pt attach partition public.pt_2 for values from (10) to (20);
