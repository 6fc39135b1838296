drop table public.cart cascade;
create table public.cart (uid uuid primary key default gen_random_uuid(), a text not null default 'none', total numeric);
alter table public.cart_line drop column cart_id, add column cart_uid uuid references public.cart (uid);
create view public.carts as select uid, a from public.cart;
