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

-- Of parts of a table, whose new name is none of the table's.

-- finds: rename public.orders.orders_pkey
alter table orders rename constraint orders_pkey to pk;
-- finds: nothing
create table fresh (id int constraint pk primary key); alter table fresh enable row level security;
alter table fresh rename constraint pk to fresh_pkey;
-- finds: table-without-rls public.fresh
create table fresh (id int constraint pk primary key); alter table fresh rename constraint pk to fresh_pkey;
-- finds: rename public.orders.orders_pkey; drop-table public.orders
alter table orders rename constraint orders_pkey to customers; drop table orders;
-- finds: rename policy own on public.orders; rename trigger stamp on public.orders; rename rule kept on public.orders
alter policy own on orders rename to mine; alter trigger stamp on orders rename to b; alter rule kept on orders rename to k;
-- finds: nothing
create table fresh (id int); alter table fresh enable row level security;
create trigger a before update on fresh execute function app.swept(); alter trigger a on fresh rename to b;
drop trigger b on fresh;
-- finds: rename public.address.street; drop-column public.address.road
alter type address rename attribute street to road; alter type address drop attribute road;
-- finds: rename public.positive.above
alter domain positive rename constraint above to over_zero;
