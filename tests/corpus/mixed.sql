-- Of all sorts: labelled after the rules were mended, to see what they say of what they were not mended for.

-- finds: drop-column public.orders.state
ALTER TABLE IF EXISTS ONLY orders DROP COLUMN IF EXISTS "state" RESTRICT;
-- finds: drop-table public.orders; drop-table public.customers
drop table orders, customers;
-- finds: delete-all public.customers
do $$ declare r record; begin for r in select * from orders loop delete from customers; end loop; end $$;
-- finds: update-all public.orders
with x as (update orders set state = 'a' returning 1) select count(*) from x;
-- finds: delete-all public.orders
copy (delete from orders returning *) to stdout;
-- finds: delete-all public.orders
prepare w as delete from orders; execute w;
-- finds: delete-all public.orders
delete from only orders;
-- finds: update-all public.orders
update orders set (state, total) = ('a', 1);
-- finds: nothing
update orders set id = id;
-- finds: update-all public.customers
update customers set email = lower(email);
-- finds: drop-schema schema public
drop schema public cascade; create schema public;
grant usage on schema public to anon;
-- finds: delete-all auth.users
delete from auth.users;
-- finds: delete-all public.orders
delete from orders where 1 = 1 and true;
-- finds: widen-column-type public.address.street
alter type address alter attribute street type text;
-- finds: change-column-type public.address.street
alter type address alter attribute street type varchar(5);
-- finds: change-column-type public.customers.seen
alter table customers alter column seen type timestamptz(3);
-- finds: widen-column-type public.customers.id; widen-column-type public.customers.age
alter table customers alter column id type numeric(20), alter column age type int8;
-- finds: change-column-type public.customers.name
alter table customers alter column name type text using null;
-- finds: change-column-type public.customers.email
alter table customers alter column email type uuid using email::uuid;
-- finds: widen-column-type public.customers.name
alter table customers alter column name type varchar(40);
-- finds: widen-column-type public.customers.mood
alter table customers alter column mood type text;
-- finds: open-policy policy p on public.orders
create policy p on orders for all to public using (true);
-- finds: change-owner public.orders
alter table orders owner to anon;
-- finds: change-owner function public.total
alter function total(bigint) owner to authenticated;
-- finds: nothing
alter function total(bigint) owner to postgres;
-- finds: change-owner public.orders (note)
alter table orders owner to reporting;
-- finds: default-privileges default privileges
alter default privileges grant execute on functions to anon;
-- finds: grant all tables in schema public
grant all privileges on all tables in schema public to anon, authenticated;
-- finds: powerful-role role anon
alter role anon bypassrls;
-- finds: definer-view view public.u
create view u as select id, email from auth.users;
-- finds: foreign-schema schema public
import foreign schema remote from server s into public;
-- finds: nothing
import foreign schema remote from server s into app;
-- finds: disable-rls public.fresh
create table fresh (id int); alter table fresh enable row level security; alter table fresh disable row level security;
-- finds: nothing
create table fresh (id int); alter table fresh enable row level security, force row level security;
-- finds: open-policy policy p on public.fresh
create table fresh (id int); alter table fresh enable row level security;
create policy p on fresh for all using (true);
-- finds: drop-column public.customers.email; dynamic-sql-function function app.mig
create function app.mig() returns void language plpgsql as $f$ begin execute 'alter table public.customers drop column email'; end $f$;
do $$ begin perform app.mig(); end $$;
-- finds: rename public.orders
alter table orders set schema app;
-- finds: rename app.secrets
alter table app.secrets set schema public;
-- finds: drop-constraint public.orders.orders_pkey; indexed-constraint public.orders
alter table orders drop constraint orders_pkey; alter table orders add constraint orders_pk2 primary key (id);
-- finds: indexed-constraint public.orders
alter table orders drop constraint orders_pkey, add constraint orders_pkey primary key (id);
-- finds: nothing
create type t1 as (a int, b text); create domain d1 as int check (value > 0); drop type t1; drop domain d1;
-- finds: definer-view view public.active_customers
drop view active_customers;
-- then
create view public.active_customers as select * from customers;
-- finds: nothing
create table "Weird T" (id int); alter table public."Weird T" enable row level security; drop table "Weird T";
-- finds: truncate public.orders; explicit-transaction file
begin; truncate orders; commit;
-- finds: nothing
grant select (id) on customers to anon;
-- finds: nothing
create temp table t on commit drop as select 1 as a; update t set a = 2; delete from t;
-- finds: nothing
insert into orders (id) values (1); update orders set state = 'x' where id = 1; delete from orders where id = 1;
-- finds: nothing
alter publication supabase_realtime set table orders; alter publication supabase_realtime drop table customers;
-- finds: nothing
create or replace trigger stamp before update on orders for each row execute function app.stamp();
-- finds: drop-publication publication p
drop publication p;
-- finds: merge-delete public.orders
merge into orders o using customers c on o.customer_id = c.id when matched and c.email is null then delete when not matched then insert (id) values (1);
-- finds: nothing
select vault.create_secret('x', 'y'); select pg_notify('a', 'b'); select now();
-- finds: definer-search-path function app.f
create procedure app.f() language sql security definer as 'select 1';
-- finds: nothing
create schema if not exists api; grant usage on schema api to anon; create view api.v with (security_invoker=on) as select 1; grant select on api.v to anon;
-- finds: definer-view view api.v
create schema if not exists api; grant usage on schema api to anon; create view api.v as select 1 as a; grant select on api.v to anon;
-- finds: refresh public.totals
create or replace function app.r() returns void language sql as 'refresh materialized view public.totals'; select app.r();
-- finds: drop-table public.orders
create function app.a() returns void language sql as 'drop table public.orders'; create function app.b() returns void language sql as 'select app.a()'; select app.b();
-- finds: nothing
drop table if exists orders_tmp; create table orders_tmp (id int); alter table orders_tmp enable row level security; drop table orders_tmp;
