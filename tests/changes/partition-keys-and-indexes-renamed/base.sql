create table public.pr (id int not null, d int not null, v text) partition by range (d);
create table public.pr_1 partition of public.pr for values from (0) to (10) partition by list (v);
create table public.pr_1_a partition of public.pr_1 for values in ('a');
create table public.pr_2 partition of public.pr for values from (10) to (20);
create index pr_v on public.pr (v);
create index pr_id on public.pr (id);
alter table public.pr add constraint pr_key unique (id, d, v);
