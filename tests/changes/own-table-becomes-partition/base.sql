create table public.year (id bigint not null, day date not null, v text) partition by range (day);
create table public.year_23 (id bigint not null, day date not null, v text);
create table public.big (id bigint primary key, n int);
create table public.part_with_key (id bigint primary key, n int);
create index big_n on public.big (n);
create view public.bigs as select * from public.big;
