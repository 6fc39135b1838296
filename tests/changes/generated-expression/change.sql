alter table public.orders alter gross set expression as (public.tax(net));
alter table public.orders alter label set expression as (lower(note));
alter table public.orders add column later text generated always as ('x' || note) stored;
