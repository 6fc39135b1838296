-- A new name, which a comparison of two databases cannot tell from a loss and something new.

-- finds: drop-table public.orders; probable-rename public.orders; table-without-rls public.purchases
create table public.purchases (id int, customer_id bigint, total numeric, state text);
-- then
drop table public.orders;
-- finds: drop-table public.orders; probable-rename public.orders
drop table public.orders;
create table app.orders (state text, id int, customer_id bigint, total numeric);
-- finds: drop-table public.orders; probable-rename public.orders
drop table public.orders;
create table app.purchases (id int, customer_id bigint, total numeric, state text);
-- finds: drop-table public.orders
drop table public.orders;
create table app.purchases (id int, customer_id bigint, total numeric);
-- finds: drop-table public.orders; table-without-rls public.orders
drop table public.orders;
create table public.orders (id int, customer_id bigint, total numeric, state text);
