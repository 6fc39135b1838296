create type public.price as range (subtype = numeric, multirange_type_name = public.prices);
alter table public.use add column p public.price, add column ps public.prices, add exclude using gist (n with &&);
create function public.cost(p public.prices) returns numeric language sql as $$ select 1.0 $$;
comment on type public.price is 'range';
revoke usage on type public.price from public;
