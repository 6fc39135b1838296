create table public.sales (id int primary key, day date, amount int);
create materialized view public.daily as select day, sum(amount) as total from public.sales group by day;
create unique index daily_day on public.daily (day);
create index daily_total on public.daily (total desc);
create view public.best as select day, total from public.daily where total > 10;
create materialized view public.weekly as select date_trunc('week', day) as week, sum(total) as total from public.daily group by 1 with no data;
grant select on public.daily to anon;
comment on materialized view public.daily is 'per day';
comment on column public.daily.total is 'sum';
