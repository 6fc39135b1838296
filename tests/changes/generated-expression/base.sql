create function public.tax(n numeric) returns numeric language sql immutable as $$ select n * 1.2 $$;
create table public.orders (id int primary key, net numeric, gross numeric generated always as (net * 1.2) stored, note text, label text generated always as (upper(note)) stored, last int);
create index orders_gross on public.orders (gross);
create view public.dear as select id, gross, label from public.orders where gross > 100;
create materialized view public.sums as select label, sum(gross) as total from public.orders group by label;
create unique index sums_label on public.sums (label);
