-- Written before the rules were read: what is hidden in other statements, and what the guides show.

-- Rows
-- finds: delete-all public.orders
with gone as (delete from orders returning *) select count(*) from gone;
-- finds: delete-all public.orders
with gone as (delete from orders returning id, total) insert into events (id) select id from gone;
-- finds: delete-all public.customers
create function app.wipe() returns void language sql as $$ delete from public.customers; $$;
select app.wipe();
-- finds: nothing
create function app.wipe() returns void language sql as $$ delete from public.customers; $$;
-- finds: truncate public.orders
create procedure app.fill() language plpgsql as $$ begin truncate table public.orders; end $$;
call app.fill();
-- finds: delete-all public.orders
do $$ declare r record; begin for r in select 1 loop delete from public.orders; end loop; end $$;
-- finds: truncate public.events
do $$ begin begin truncate events; exception when others then null; end; end $$;
-- finds: delete-all public.orders
do $$ begin if true then perform 1; else delete from orders; end if; end $$;
-- finds: update-all public.customers
create view app.people with (security_invoker = on) as select * from public.customers;
update app.people set email = null;
-- finds: nothing
create view app.people with (security_invoker = on) as select * from public.customers;
update app.people set email = null where id = 4;
-- finds: delete-all public.customers
create view app.people with (security_invoker = on) as select * from public.customers;
delete from app.people;
-- finds: nothing
create view app.people with (security_invoker = on) as select * from public.customers where id > 9;
delete from app.people;
-- finds: delete-all public.customers
create view app.people with (security_invoker = on) as select * from public.customers;
create view app.again with (security_invoker = on) as select id from app.people;
-- then
delete from app.again;
-- finds: merge-delete public.orders
merge into orders o using customers c on c.id = o.customer_id when not matched by source then delete;
-- finds: update-all public.orders
update orders set state = c.code from customers c;
-- finds: nothing
update orders set state = c.code from customers c where c.id = orders.customer_id;
-- finds: delete-all public.orders
delete from orders using customers;
-- finds: delete-all public.orders
delete from orders where 1 = 1 or id = 4;
-- finds: delete-all public.orders
delete from orders where id is not null or id is null;
-- finds: nothing
delete from orders where id = any (array[1, 2]);
-- finds: nothing
delete from orders o where not exists (select from customers c where c.id = o.customer_id);
-- finds: truncate public.customers
truncate only public.customers restart identity cascade;
-- finds: delete-all public.orders
create function app.tick() returns trigger language plpgsql as $$ begin delete from public.orders; return new; end $$;
create trigger tick after insert on public.events for each row execute function app.tick();
insert into public.events (id) values (1);
-- finds: nothing
create function app.tick() returns trigger language plpgsql as $$ begin delete from public.orders; return new; end $$;
create trigger tick after delete on public.events for each row execute function app.tick();
insert into public.events (id) values (1);
-- finds: nothing
create function app.stamp() returns trigger language plpgsql as $$ begin new.at := now(); return new; end $$;
create trigger stamp before insert or update on public.events for each row execute function app.stamp();
update public.events set at = at where id = 3;
-- finds: nothing
insert into orders (id, state) values (1, 'x') on conflict (id) do nothing;
-- finds: drop-column public.customers.email
do $$ begin alter table public.customers drop column if exists email; exception when undefined_table then null; end $$;
-- finds: drop-table public.orders
do $do$ begin execute $q$drop table if exists public.orders cascade$q$; end $do$;
-- finds: dynamic-sql format('drop table %I.%I cascade', r.schemaname, r.tablename)
do $$ declare r record; begin
  for r in select schemaname, tablename from pg_tables where schemaname = 'public' loop
    execute format('drop table %I.%I cascade', r.schemaname, r.tablename);
  end loop;
end $$;

-- Objects
-- finds: drop-table public.customers; drop-table public.orders; drop-table public.events
drop table customers, orders, events cascade;
-- finds: drop-column public.customers.doc; table-rewrite public.customers.doc
alter table customers drop column doc, add column doc jsonb generated always as ('{}'::jsonb) stored;
-- finds: drop-column public.customers.mood; drop-type type public.mood (note)
alter table customers drop column mood; drop type mood;
-- finds: drop-type type public.mood
drop type public.mood cascade;
-- finds: change-column-type public.customers.email
alter table customers alter column email type varchar(20) using left(email, 20);
-- finds: nothing
create table app.a (id int primary key, note text);
-- then
alter table app.a drop column note; delete from app.a; truncate app.a cascade;
-- then
drop table app.a cascade;
-- finds: nothing
create unlogged table app.scratch as select * from public.orders;
-- then
drop table app.scratch;
-- finds: rename public.customers; drop-column public.clients.email
alter table customers rename to clients;
-- then
alter table public.clients drop column email;
-- finds: drop-schema schema app
do $$ begin drop schema if exists app cascade; end $$;

-- Exposure
-- finds: definer-search-path function public.all_customers
create or replace function public.all_customers() returns setof public.customers language sql security definer as $$ select * from public.customers $$;
-- finds: nothing
create or replace function public.mine() returns setof public.customers language sql stable security definer set search_path = '' as $$ select * from public.customers where id = 1 $$;
-- finds: nothing
create function public.invoked() returns int language sql security invoker as $$ select 1 $$;
-- finds: definer-view view public.everybody
create or replace view public.everybody as select id, email from auth.users;
-- finds: definer-view view public.everybody
create view public.everybody with (security_invoker = false) as select id from public.customers;
-- finds: definer-view view public.everybody
create view public.everybody with (security_barrier) as select id from public.customers;
-- finds: nothing
create view public.everybody with (security_invoker, security_barrier) as select id from public.customers;
-- finds: table-without-rls public.stats
create materialized view public.stats as select customer_id, sum(total) from public.orders group by 1;
-- finds: nothing
create materialized view app.stats as select customer_id, sum(total) from public.orders group by 1;
-- finds: table-without-rls public.copy
select * into public.copy from public.customers;
-- finds: table-without-rls public.far
create foreign table public.far (id int) server s;
-- finds: foreign-schema schema public
import foreign schema x limit to (far) from server s into public;
-- finds: public-bucket storage.buckets
insert into storage.buckets (id, name, public) values ('invoices', 'invoices', true) on conflict (id) do update set public = excluded.public;
-- finds: nothing
insert into storage.buckets (id, name, public) values ('invoices', 'invoices', false) on conflict (id) do update set public = excluded.public;
-- finds: nothing
insert into storage.buckets (id, name, public) values ('avatars', 'avatars', true) on conflict (id) do update set name = excluded.name;
-- finds: public-bucket storage.buckets
update storage.buckets set public = true where id = 'invoices';
-- finds: nothing
insert into storage.buckets (id, name, public, file_size_limit) values ('private', 'private', false, 1048576);
-- finds: open-policy policy anything on storage.objects
create policy anything on storage.objects for all to public using (true) with check (true);
-- finds: open-policy policy up on storage.objects
create policy up on storage.objects for insert with check (true);
-- finds: open-policy policy up on storage.objects
create policy up on storage.objects for delete to anon using (bucket_id is not null or true);
-- finds: open-policy policy w on public.customers
create policy w on public.customers for update to authenticated using (true);
-- finds: nothing
create policy r on public.customers for select to anon, authenticated using (true);
-- finds: disable-rls public.orders
do $$ begin alter table public.orders disable row level security; end $$;
-- finds: disable-rls public.customers
do $$ declare t text; begin execute 'alter table public.customers disable row level security'; end $$;
-- finds: default-privileges default privileges in extensions
alter default privileges for role postgres in schema extensions grant all on tables to anon;
-- finds: nothing
alter default privileges for role postgres in schema extensions grant select on tables to anon;
-- finds: default-privileges default privileges in app
alter default privileges in schema app grant select on tables to anon, authenticated;
-- finds: grant all functions in schema app
grant execute on all functions in schema app to anon;
-- finds: grant public.orders
grant select (id, total) on public.orders to anon;
-- finds: grant app.secrets
grant select on app.secrets to authenticated;
-- finds: nothing
grant select on app.secrets to service_role;
-- finds: grant-role role postgres
grant postgres to authenticated;
-- finds: drop-policy policy own on public.orders (note)
do $$ begin drop policy if exists own on public.orders; end $$;

-- Documented
-- finds: nothing
create table public.members (
  id uuid not null references auth.users on delete cascade,
  first_name text,
  last_name text,
  primary key (id)
);
alter table public.members enable row level security;
create policy "Members are viewable by everyone." on public.members for select using (true);
create policy "Members insert their own." on public.members for insert with check ((select auth.uid()) = id);
create policy "Members update their own." on public.members for update using ((select auth.uid()) = id);
create function public.add_member() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  insert into public.members (id, first_name) values (new.id, new.raw_user_meta_data ->> 'first_name');
  return new;
end;
$$;
create trigger on_member_created after insert on auth.users for each row execute procedure public.add_member();
-- finds: nothing
create policy "Avatar images are publicly accessible." on storage.objects for select using (bucket_id = 'avatars');
create policy "Anyone can upload an avatar." on storage.objects for insert with check (bucket_id = 'avatars');
create policy "Own folder" on storage.objects for update to authenticated using ((storage.foldername(name))[1] = (select auth.uid()::text));
-- finds: nothing
alter publication supabase_realtime add table public.orders;
-- then
alter publication supabase_realtime drop table public.orders;
-- finds: nothing
create table public.todos (id bigint generated by default as identity primary key, user_id uuid references auth.users not null default auth.uid(), task text check (char_length(task) > 3));
alter table public.todos enable row level security;
create policy "Individuals manage their todos." on public.todos for all using ((select auth.uid()) = user_id) with check ((select auth.uid()) = user_id);
create index on public.todos (user_id);
alter publication supabase_realtime add table public.todos;
-- finds: nothing
create policy "room readers" on realtime.messages for select to authenticated using (exists (select 1 from public.profiles where id = (select auth.uid()) and realtime.topic() like 'room:%'));
-- finds: nothing
select cron.schedule('nightly', '0 3 * * *', $$ delete from public.orders where state = 'gone' $$);
-- finds: nothing
create extension if not exists moddatetime schema extensions;
create trigger handle_updated_at before update on public.orders for each row execute procedure extensions.moddatetime(updated_at);
-- finds: nothing
create or replace function public.count_orders() returns bigint language sql stable set search_path = '' as $$ select count(*) from public.orders $$;
revoke execute on function public.count_orders() from public, anon;
grant execute on function public.count_orders() to authenticated;
-- finds: nothing
insert into storage.buckets (id, name) values ('avatars', 'avatars') on conflict do nothing;
comment on table public.orders is 'All orders.';

-- More of them
-- finds: drop-table app.secrets
select set_config('search_path', 'app', false); drop table secrets;
-- finds: drop-table app.secrets
select pg_catalog.set_config('search_path', 'app, public', true); drop table secrets;
-- finds: drop-table app.secrets
set local search_path to app, public; drop table secrets;
-- finds: drop-table app.secrets
do $$ begin set search_path = app; drop table secrets; end $$;
-- finds: public-bucket storage.buckets; update-all storage.buckets
update storage.buckets set (name, public) = ('a', true);
-- finds: update-all storage.buckets
update storage.buckets set public = false;
-- finds: delete-all public.orders
delete from only orders;
-- finds: nothing
update orders set state = state;
-- finds: update-all public.customers
update only customers set email = lower(email);
-- finds: drop-table public.orders
drop table if exists public.orders, public.gone;
-- finds: truncate public.events_2025
truncate events_2025;
-- finds: drop-table public.orders
create table if not exists public.orders (id int);
drop table orders;
-- finds: drop-schema schema app
create schema if not exists app; drop schema app cascade;
-- finds: drop-table public.orders
drop table "public"."orders";
-- finds: nothing
drop table public."Orders";
-- finds: drop-column public.orders.state
alter table if exists orders drop column if exists state;
-- finds: drop-table public.orders; table-without-rls public.orders
create table orders_new as select * from orders; drop table orders; alter table orders_new rename to orders;
-- finds: definer-search-path function public.total
alter function public.total(bigint) security definer;
-- finds: powerful-role role anon
alter role anon bypassrls;
-- finds: definer-view view public.active_customers
create or replace view public.active_customers as select * from auth.users;
-- finds: nothing
alter table orders force row level security;
-- finds: nothing
create policy p on orders for select using (auth.role() = 'authenticated');
-- finds: open-policy policy p on public.orders
create policy p on orders for all to authenticated using (not false);
-- finds: open-policy policy p on public.orders
create policy p on orders for delete to authenticated using (coalesce(true, false));
-- finds: open-policy policy p on public.orders
create policy p on orders for update using (1 in (1, 2));
-- finds: nothing
create policy p on orders as restrictive for all using (true);
-- finds: nothing
create policy p on orders for all to service_role using (true) with check (true);
-- finds: grant all tables in schema app; grant schema app
grant usage on schema app to anon; grant select on all tables in schema app to anon;
-- finds: delete-all public.orders
explain analyze delete from orders;
-- finds: delete-all public.orders
prepare d as delete from orders; execute d;
-- finds: delete-all public.orders
create table app.gone as with d as (delete from orders returning *) select * from d;
-- finds: drop-table public.orders; explicit-transaction file
begin; drop table orders; commit;
-- finds: delete-all public.orders
do $$ begin delete from orders where true; exception when others then raise; end $$;
-- finds: nothing
insert into orders (id) select 1 on conflict (id) do update set state = 'x';
-- finds: truncate public.orders; dynamic-sql-function function public.clear
create function public.clear() returns void language plpgsql as $$ begin execute 'truncate public.orders'; end $$;
select public.clear();
-- finds: truncate public.orders
create function public.clear() returns int language sql as $$ truncate public.orders; select 1; $$;
do $$ begin perform public.clear(); end $$;
-- finds: truncate public.orders
create function public.clear() returns int language sql as $$ truncate public.orders; select 1; $$;
insert into events (id) values (public.clear());
-- finds: truncate public.orders
create function public.clear() returns int language sql as $$ truncate public.orders; select 1; $$;
create function public.outer() returns int language sql as $$ select public.clear() $$;
select public.outer();
-- finds: truncate public.orders
create procedure public.clear() language sql begin atomic truncate public.orders; end;
call public.clear();
-- finds: nothing
alter table orders replica identity full;
-- finds: nothing
alter publication supabase_realtime set table orders;
-- finds: lock public.orders
lock table orders in access exclusive mode;
-- finds: disable-rls public.orders
alter table only public.orders disable row level security, add column x int;
-- finds: table-without-rls public.part
create table public.part partition of public.events for values from ('2030-01-01') to ('2031-01-01');
-- finds: table-without-rls public.kids
create table public.kids () inherits (public.orders);
-- finds: nothing
create table public.safe (id int); do $$ begin alter table public.safe enable row level security; end $$;
-- finds: nothing
create view api.v as select 1;
-- finds: grant app.secrets
do $$ begin grant select on app.secrets to anon; end $$;
-- finds: grant app.secrets
do $$ begin execute 'grant all on app.secrets to public'; end $$;
-- finds: rename policy own on public.orders; drop-policy policy mine on public.orders (note)
alter policy own on public.orders rename to mine; drop policy mine on public.orders;
-- finds: rename policy locked on public.orders; drop-policy policy mine on public.orders
alter policy locked on public.orders rename to mine; drop policy mine on public.orders;
