-- Who can read or write more than before, and what looks like it.

-- Tables
-- finds: table-without-rls public.fresh
create table fresh (id int);
-- finds: table-without-rls public.fresh
create table if not exists public.fresh (id int);
-- finds: nothing
create table if not exists public.orders (id int);
-- finds: nothing
create table fresh (id int);
-- then
alter table fresh enable row level security;
-- finds: nothing
create table fresh (id int);
do $$ begin alter table fresh enable row level security; end $$;
-- finds: table-without-rls public.fresh
do $$ begin create table fresh (id int); end $$;
-- finds: disable-rls public.fresh
create table fresh (id int);
alter table fresh enable row level security;
-- then
alter table fresh disable row level security;
-- finds: table-without-rls public.second
create table first (id int); create table second (id int);
alter table first enable row level security;
-- finds: nothing
create table first (id int);
alter table first enable row level security;
alter table first rename to second;
-- finds: table-without-rls public.first
create table first (id int);
alter table first enable row level security;
alter table first rename to second;
create table first (id int);
-- finds: nothing
create table first (id int);
alter table first enable row level security;
-- then
create table if not exists first (id int);
-- finds: nothing
create table "Order" (id serial);
alter table "Order" enable row level security;
grant all on sequence "Order_id_seq" to anon;
-- finds: table-without-rls public.second
create table first (id int);
alter table first rename to second;
-- finds: nothing
create table app.fresh (id int);
-- finds: rename app.secrets
alter table app.secrets rename to hidden;
-- finds: grant schema app; table-without-rls app.fresh
create table app.fresh (id int);
grant usage on schema app to anon;
grant select on app.fresh to anon;
-- finds: nothing
create table app.fresh (id int);
alter table app.fresh enable row level security;
grant select on app.fresh to authenticated;
-- finds: nothing
create table fresh (id int);
revoke all on fresh from anon, authenticated;
-- finds: table-without-rls public.fresh
create table fresh (id int);
revoke all on fresh from anon;
-- finds: table-without-rls public.fresh
create table fresh (id int);
revoke truncate, references on fresh from anon, authenticated;
-- finds: default-privileges default privileges in public (note)
alter default privileges in schema public revoke all on tables from anon, authenticated;
create table fresh (id int);
-- finds: table-without-rls public.fresh; default-privileges default privileges in public (note)
create table fresh (id int);
alter default privileges in schema public revoke all on tables from anon, authenticated;
-- finds: table-without-rls public.copied
create table copied as select * from orders;
-- finds: table-without-rls public.copied
select * into copied from orders;
-- finds: nothing
select * into temporary copied from orders;
-- finds: nothing
create unlogged table app.copied as table orders;
-- finds: table-without-rls public.remote2
create foreign table remote2 (id int) server s;
-- finds: table-without-rls public.sums
create materialized view sums as select state, sum(total) from orders group by state;
-- finds: nothing
create materialized view app.sums as select sum(total) from orders;
-- finds: nothing
create materialized view sums as select sum(total) from orders;
-- then
revoke all on sums from anon, authenticated;
-- finds: disable-rls public.orders
alter table orders disable row level security;
-- finds: nothing
alter table orders disable row level security;
insert into orders (id) values (1);
alter table orders enable row level security;
-- finds: disable-rls public.orders
do $$ begin alter table orders disable row level security; end $$;
-- finds: no-force-rls public.orders
alter table orders no force row level security;
-- finds: nothing
alter table orders force row level security;

-- Views
-- finds: definer-view view public.v
create view v as select * from orders;
-- finds: definer-view view public.active_customers
create or replace view active_customers as select * from customers;
-- finds: nothing
create view v with (security_invoker = true) as select * from orders;
-- finds: nothing
create view "public"."v" with ("security_invoker"='on') as select * from orders;
-- finds: nothing
create view v as select * from orders;
-- then
alter view v set (security_invoker = on);
-- finds: nothing
create view app.v as select * from public.orders;
-- finds: definer-view view app.v
create view app.v as select * from public.orders;
-- then
grant select on app.v to authenticated;
-- finds: nothing
create view v as select * from orders;
revoke all on v from anon, authenticated;
-- finds: nothing
create temporary view v as select * from orders;
-- finds: definer-view view public.active_customers
alter view active_customers set (security_invoker = false);
-- finds: definer-view view public.active_customers
alter view active_customers reset (security_invoker);
-- finds: nothing
alter view active_customers set (security_invoker = true);
-- finds: nothing
drop view active_customers;
create view active_customers with (security_invoker) as select * from customers;
-- finds: nothing
create view v as select * from orders;
-- then
create or replace view v with (security_invoker = true) as select * from orders;
-- finds: definer-view view public.active_customers
drop view active_customers;
create view active_customers as select * from customers;

-- Policies
-- finds: drop-policy policy own on public.orders (note)
drop policy own on orders;
-- finds: nothing
drop policy if exists own on orders;
create policy own on orders using ((select auth.uid()) = customer_id::text::uuid);
-- finds: nothing
drop policy "own" on orders;
-- then
create policy "own" on public.orders for select to authenticated using (true);
-- finds: open-policy policy own on public.orders
drop policy own on orders;
-- then
create policy own on orders using (true);
-- finds: drop-policy policy own on public.orders (note)
drop policy own on orders;
-- then
create policy own on customers for select using (id = 1);
-- finds: nothing
drop policy if exists own on gone;
-- finds: open-policy policy p on public.orders
create policy p on orders for all using (true) with check (true);
-- finds: open-policy policy p on public.orders
create policy p on orders for insert to anon with check (true);
-- finds: open-policy policy p on public.orders
create policy p on orders for delete to authenticated using (true);
-- finds: open-policy policy p on public.orders
create policy p on orders for update to authenticated using (customer_id = 1) with check (1 = 1);
-- finds: open-policy policy p on public.orders
create policy p on orders for update using (true or customer_id = 1);
-- finds: nothing
create policy p on orders for all to service_role using (true);
-- finds: nothing
create policy p on orders as restrictive for all using (true);
-- finds: nothing
create policy p on orders for insert to authenticated with check (auth.uid() is not null);
-- finds: open-policy policy own on public.orders
alter policy own on orders using (true);
-- finds: open-policy policy own on public.orders
alter policy own on orders with check (true);
-- finds: nothing
alter policy own on orders to authenticated;
-- finds: nothing
alter policy own on orders using (customer_id is not null and auth.uid() is not null);
-- finds: open-policy policy p on storage.objects
create policy p on storage.objects for all using (true);
-- finds: open-policy policy p on public.orders
do $$ begin if not exists (select from pg_policies where policyname = 'p') then
  create policy p on orders for all using (true); end if; end $$;

-- Rights
-- finds: grant public.orders
grant select on orders to anon;
-- finds: grant public.orders
grant select (id, state), update (state) on orders to authenticated;
-- finds: nothing
grant all on orders to service_role;
-- finds: nothing
grant select on orders to reporting;
-- finds: grant function public.total
grant execute on function total(bigint) to public;
-- finds: grant schema app
grant usage on schema app to anon, authenticated;
-- finds: nothing
grant usage on schema app to service_role;
-- finds: nothing
grant usage on schema public to postgres, anon, authenticated, service_role;
-- finds: grant schema public
grant create on schema public to authenticated;
-- finds: grant all tables in schema app
grant select on all tables in schema app to authenticated;
-- finds: nothing
create schema api;
grant usage on schema api to anon, authenticated;
grant all on all tables in schema api to anon, authenticated;
-- finds: table-without-rls api.t
create schema api;
create table api.t (id int);
grant all on all tables in schema api to anon, authenticated;
-- finds: grant public.orders
do $$ begin execute 'grant select on public.orders to anon'; end $$;
-- finds: nothing
create function fresh() returns int language sql as 'select 1';
grant execute on function fresh() to anon;
-- finds: nothing
revoke all on orders from anon;
-- finds: revoke public.customers
revoke all on customers from anon;
-- finds: nothing
grant all on customers to anon, authenticated, service_role;
-- finds: nothing
revoke all on customers from anon; grant select, insert, maintain on customers to anon;
-- finds: grant public.orders
revoke all on orders from anon; grant select on orders to anon;
-- finds: nothing
grant execute on function purge() to anon;
-- finds: default-privileges default privileges in app
alter default privileges in schema app grant select on tables to anon;
-- finds: nothing
alter default privileges in schema app grant all on tables to service_role;
-- finds: nothing
alter default privileges for role postgres in schema public grant all on tables to postgres, anon, authenticated, service_role;
-- finds: default-privileges default privileges in app; table-without-rls app.t
alter default privileges in schema app grant all on tables to authenticated;
-- then
create table app.t (id int);
-- finds: grant-role role reporting
grant reporting to authenticated;
-- finds: nothing
grant reporting to postgres;
-- finds: powerful-role role app
create role app login bypassrls;
-- finds: nothing
create role app nologin noinherit;
-- finds: powerful-role role reporting
alter role reporting with createrole;
-- finds: secret role password
create role app login password 'kX93jdhw73';
-- finds: secret role password
create user mapping for postgres server s options (user 'a', password 'kX93jdhw73');
-- finds: secret foreign server's secret
create server s foreign data wrapper w options (api_url 'https://api.example.org', api_key 'kX93jdhw73');
-- finds: secret foreign server's secret
alter server s options (set "aws_secret_access_key" 'kX93jdhw73');
-- finds: nothing
create server s foreign data wrapper w options (api_key_id '5b1f5c0e-6f0c-4c2b-9d5e-0d5c9a1f2e3d', vault_access_key_id 'x1');
-- finds: nothing
alter foreign table public.ft options (add object 'tokens', rowid_column 'id');
-- finds: secret JSON Web Token of service_role
select 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJyb2xlIjoic2VydmljZV9yb2xlIn0.c2lnbmF0dXJlLW9mLXRoaXM';

-- Functions with their owner's rights
-- finds: definer-search-path function public.f
create function f() returns int language sql security definer as 'select 1';
-- finds: nothing
create function f() returns int language sql security definer set search_path = '' as 'select 1';
-- finds: nothing
create function f() returns int language sql security definer set search_path to 'public', 'pg_temp' as 'select 1';
-- finds: nothing
create function f() returns int language sql security definer as 'select 1';
-- then
alter function f() set search_path = '';
-- finds: definer-search-path function public.f
create function f() returns int language sql security definer as 'select 1';
create function f(int) returns int language sql security definer as 'select 1';
-- then
create or replace function f(int) returns int language sql security definer set search_path = '' as 'select 1';
-- finds: nothing
create function f(a int, out b int) language sql security definer as 'select 1';
drop function f(int);
-- finds: definer-search-path function public.total
alter function total(bigint) security definer;
-- finds: nothing
alter function total(bigint) security definer set search_path = '';
-- finds: nothing
alter function total(bigint) security invoker;
-- finds: definer-search-path function public.f; dynamic-sql-function function public.f
create function f(q text) returns void language plpgsql security definer as $$ begin execute q; end $$;

-- Storage
-- finds: public-bucket storage.buckets
update storage.buckets set public = true where id = 'invoices';
-- finds: nothing
update storage.buckets set public = false where id = 'invoices';
-- finds: delete-all storage.objects
delete from storage.objects;
-- finds: disable-rls storage.objects; managed-schema storage.objects
alter table storage.objects disable row level security;
-- finds: managed-schema auth.users; grant auth.users
grant select on auth.users to authenticated;
