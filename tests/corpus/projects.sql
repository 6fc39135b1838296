-- Patterns of public projects' migrations, written anew.

-- Blocks that put SQL together
-- finds: nothing
do $$ declare t text; begin
  foreach t in array array['orders', 'customers'] loop
    execute format('alter table public.%I enable row level security', t);
    execute format('create policy %I on public.%I for select to authenticated using (customer_id = (select auth.uid()))', t || '_read', t);
  end loop;
end $$;
-- finds: open-policy policy orders_write on public.orders; open-policy policy events_write on public.events
do $$ declare t text; begin
  foreach t in array array['orders', 'events'] loop
    execute format('create policy %I on public.%I for all to authenticated using (true) with check (true)', t || '_write', t);
  end loop;
end $$;
-- finds: nothing
do $$ declare r record; begin
  for r in select tablename from pg_tables where schemaname = 'public' loop
    execute format('alter table public.%I enable row level security', r.tablename);
    execute format('revoke all on public.%I from anon', r.tablename);
  end loop;
end $$;
-- finds: nothing
do $$ declare r record; begin
  for r in select p.oid::regprocedure as f from pg_proc p where p.prosecdef loop
    execute format('alter function %s set search_path = %L', r.f, '');
    execute format('revoke execute on function %s from public, anon', r.f);
  end loop;
end $$;
-- finds: dynamic-sql format('grant execute on function %s to anon, authenticated', r.f)
do $$ declare r record; begin
  for r in select p.oid::regprocedure as f from pg_proc p loop execute format('grant execute on function %s to anon, authenticated', r.f); end loop;
end $$;
-- finds: nothing
do $$ declare r record; begin
  for r in select p.oid::regprocedure as f from pg_proc p loop execute format('grant execute on function %s to service_role', r.f); end loop;
end $$;
-- finds: dynamic-sql format('drop policy if exists %I on %I.%I', p.policyname, p.schemaname, p.tablename)
do $$ declare p record; begin
  for p in select * from pg_policies where schemaname = 'public' loop execute format('drop policy if exists %I on %I.%I', p.policyname, p.schemaname, p.tablename); end loop;
end $$;
-- finds: nothing
do $$ declare t text; begin
  for t in select table_name from information_schema.columns where column_name = 'updated_at' loop
    execute format('drop trigger if exists touch on public.%I', t);
    execute format('create trigger touch before update on public.%I for each row execute function app.touch()', t);
  end loop;
end $$;
-- finds: dynamic-sql format('alter table %s disable row level security', t)
do $$ declare t regclass; begin for t in select c.oid from pg_class c loop execute format('alter table %s disable row level security', t); end loop; end $$;
-- finds: dynamic-sql s
do $$ declare s text; begin for s in select definition from app.secrets loop execute s; end loop; end $$;
-- finds: nothing
do $$ declare n bigint; begin execute format('select count(*) from %I.%I', 'public', 'orders') into n; raise notice '%', n; end $$;
-- finds: rename public.customers.name
do $$ begin
  if exists (select from information_schema.columns where table_name = 'customers' and column_name = 'name') then
    alter table customers rename column name to full_name;
  end if;
end $$;
-- finds: nothing
do $$ begin
  if exists (select from pg_class where relname = 'clients') then alter table clients rename to people; end if;
end $$;
-- then
drop table if exists public.legacy cascade;
create table public.fresh (id int primary key);
alter table public.fresh enable row level security;
-- then
alter table public.fresh alter column id type bigint;
create index on public.fresh (id);
-- finds: nothing
create function app.moves() returns void language plpgsql as $$ begin alter table public.orders rename to old_orders; end $$;
-- then
drop table if exists public.never_there;
-- finds: nothing
do $$ begin create type public.kind as enum ('a', 'b'); exception when duplicate_object then null; end $$;
-- finds: nothing
do $$ begin
  if not exists (select from pg_constraint where conname = 'total_positive') then
    alter table orders add constraint total_positive check (total >= 0) not valid;
  end if;
end $$;
-- finds: nothing
do $$ begin alter publication supabase_realtime add table public.orders; exception when others then null; end $$;
-- finds: nothing
do $$ begin perform cron.unschedule('nightly'); exception when others then null; end $$;

-- Enum values
-- finds: nothing
alter type public.mood add value if not exists 'tired';
create or replace function public.notify() returns trigger language plpgsql set search_path = '' as $$ begin if new.mood = 'tired' then return null; end if; return new; end $$;
-- finds: enum-value-used 'tired'
alter type public.mood add value 'tired';
update customers set mood = 'tired' where id = 1;
-- finds: enum-value-used 'tired'
alter type public.mood add value 'tired';
create function public.who() returns setof bigint language sql as $$ select id from public.customers where mood = 'tired' $$;
-- finds: nothing
do $$ begin alter type public.mood add value 'tired'; exception when duplicate_object then null; end $$;
-- finds: enum-value-used 'c'
create type public.kind as enum ('a', 'b');
-- then
alter type public.kind add value 'c';
create table app.k (kind public.kind default 'c');
-- finds: nothing
create type public.kind as enum ('a', 'b');
alter type public.kind add value 'c';
create table app.k (kind public.kind default 'c');

-- Profiles, roles and rights
-- finds: nothing
create table public.user_roles (id bigint generated by default as identity primary key, user_id uuid references auth.users on delete cascade not null, role text not null, unique (user_id, role));
alter table public.user_roles enable row level security;
create function public.has_role(who uuid, what text) returns boolean language sql stable security definer set search_path = public as $$ select exists (select 1 from public.user_roles where user_id = who and role = what) $$;
create policy "Admins manage roles" on public.user_roles for all to authenticated using (public.has_role(auth.uid(), 'admin'));
-- finds: nothing
create or replace function public.handle_new_user() returns trigger language plpgsql security definer set search_path = '' as $$ begin insert into public.profiles (id) values (new.id); return new; end $$;
drop trigger if exists on_auth_user_created on auth.users;
create trigger on_auth_user_created after insert on auth.users for each row execute procedure public.handle_new_user();
revoke execute on function public.handle_new_user() from public, anon, authenticated;
-- finds: open-policy policy ins on public.orders
create policy ins on public.orders for insert to authenticated with check (true);
-- finds: nothing
create policy ins on public.orders for insert to service_role with check (true);
-- finds: open-policy policy ins on public.orders
create policy ins on public.orders for insert to anon with check (auth.role() = 'anon' or true);
-- finds: nothing
create policy ins on public.orders for insert with check (auth.role() = 'authenticated');
-- finds: open-policy policy upd on public.orders
create policy upd on public.orders for update to authenticated using ((select true));
-- finds: open-policy policy upd on public.orders
create policy upd on public.orders for update to authenticated using (id = id);
-- finds: nothing
create policy del on public.orders for delete using (false);
-- finds: nothing
create policy "Service role" on public.orders for all using (auth.jwt() ->> 'role' = 'service_role');
-- finds: nothing
create policy "Avatars" on storage.objects for select using (bucket_id = 'avatars');
create policy "Upload" on storage.objects for insert to authenticated with check (bucket_id = 'avatars' and (storage.foldername(name))[1] = (select auth.uid()::text));
-- finds: open-policy policy "All files" on storage.objects
create policy "All files" on storage.objects for all to authenticated using (1 = 1) with check (1 = 1);
-- finds: nothing
drop policy if exists "Read" on public.orders;
create policy "Read" on public.orders for select using (customer_id = 1);
-- finds: drop-policy policy "Read" on public.orders (note)
drop policy if exists "Read" on public.orders;
create policy "Read own" on public.orders for select using (customer_id = 1);
-- finds: grant public.orders
grant select, insert on table public.orders to authenticated;
-- finds: grant public.orders
grant all on public.orders to anon with grant option;
-- finds: nothing
grant execute on function public.total(bigint) to service_role;
-- finds: definer-view view public.mine
create view public.mine as select * from public.orders where customer_id = 1;
grant select on public.mine to anon, authenticated;
-- finds: nothing
create view public.mine with (security_invoker = true) as select * from public.orders;
grant select on public.mine to anon, authenticated;
-- finds: nothing
create view public.mine as select * from public.orders;
alter view public.mine set (security_invoker = on);
-- finds: nothing
create view public.mine as select * from public.orders;
revoke all on public.mine from anon, authenticated;
-- finds: definer-view view public.mine
create view public.mine as select * from public.orders;
revoke all on public.mine from anon;
-- finds: table-without-rls public.cache
create table public.cache as select * from public.orders where total > 0;
-- finds: nothing
create table public.cache as select * from public.orders where total > 0;
alter table public.cache enable row level security;
-- finds: table-without-rls public.audit
create table if not exists public.audit (id bigserial primary key, at timestamptz default now());
-- finds: nothing
create schema if not exists private;
create table private.audit (id bigserial primary key);
-- finds: table-without-rls public.heat
create materialized view public.heat as select customer_id, count(*) as n from public.orders group by 1;
create unique index on public.heat (customer_id);
-- finds: nothing
create materialized view public.heat as select customer_id, count(*) as n from public.orders group by 1;
revoke select on public.heat from anon, authenticated;
-- finds: table-without-rls public.logs_2026
create table public.logs (id int, at timestamptz) partition by range (at);
create table public.logs_2026 partition of public.logs for values from ('2026-01-01') to ('2027-01-01');
alter table public.logs enable row level security;
-- finds: open-policy policy w on public.orders
alter policy w on public.orders to anon using (true);
-- finds: disable-rls public.orders
alter table public.orders disable row level security;
-- finds: definer-search-path function public.wide
create function public.wide() returns setof public.orders language sql security definer as $$ select * from public.orders $$;
grant execute on function public.wide() to anon;
-- finds: public-bucket storage.buckets
insert into storage.buckets (id, name, public) values ('docs', 'docs', true) on conflict (id) do update set public = true;
-- finds: nothing
insert into storage.buckets (id, name, public) values ('docs', 'docs', true) on conflict do nothing;
-- finds: secret bearer token
select cron.schedule('nightly', '0 3 * * *', $$ select net.http_post(url := 'https://x.supabase.co/functions/v1/run', headers := '{"Authorization": "Bearer aGVsbG8gd29ybGQ2NjY3Nzc4ODg5"}'::jsonb) $$);
-- finds: nothing
select cron.schedule('nightly', '0 3 * * *', $$ delete from public.events where at < now() - interval '30 days' $$);
-- finds: nothing
select net.http_post(url := 'https://x.supabase.co/functions/v1/run', headers := jsonb_build_object('Authorization', 'Bearer ' || (select decrypted_secret from vault.decrypted_secrets where name = 'key')));
-- finds: secret Supabase secret key
insert into app.secrets (id, value) values (1, 'sb_secret_N7UND0UgjKTVK-Uodkm0Hg_xSvEMPvz');

-- Losses as they are written
-- finds: nothing
drop function if exists public.search(text) cascade;
-- finds: drop-function function public.total(int8)
drop function if exists public.total(bigint) cascade;
-- finds: nothing
drop function if exists public.total(bigint);
create function public.total(bigint) returns numeric language sql as 'select 1.0';
-- finds: drop-column public.orders.state; probable-rename public.orders.state
alter table orders add column status text;
update orders set status = state where status is null;
alter table orders drop column state;
-- finds: nothing
create table public.once (id int, a text);
alter table public.once enable row level security;
-- then
alter table public.once drop column a, add column b text;
-- finds: change-column-type public.orders.total
alter table orders alter column total type numeric(10, 2);
-- finds: change-column-type public.customers.mood
alter table customers alter column mood type public.feeling using mood::text::public.feeling;
-- finds: nothing
alter table orders alter column customer_id set default 1, alter column state drop default;
-- finds: set-not-null public.orders.state
update orders set state = 'open' where state is null;
alter table orders alter column state set not null;
-- finds: update-all public.orders
update orders set total = coalesce(total, 0), state = 'open';
-- finds: nothing
insert into customers (id, name) select 1, 'x' on conflict (id) do update set name = excluded.name;
-- finds: truncate public.events
truncate public.events restart identity;
insert into public.events (id) values (1);
-- finds: drop-table public.events
create table app.kept as select * from public.events;
drop table public.events;
alter table app.kept rename to events;
-- finds: drop-table public.orders; drop-table public.customers; explicit-transaction file
begin;
drop table if exists public.orders cascade;
drop table if exists public.customers cascade;
commit;
-- finds: detach-partition public.events
alter table events detach partition events_2025 concurrently;
-- finds: drop-extension extension pg_cron
drop extension if exists pg_cron cascade;
-- finds: nothing
drop view if exists public.active_customers cascade;
create view public.active_customers with (security_invoker = on) as select id from public.customers;
-- finds: not-alone CREATE INDEX
alter table orders alter column state set default 'x';
create index concurrently on orders (state);
-- finds: copy-stdin public.orders
copy public.orders (id) from stdin;
-- finds: nothing
comment on table public.orders is 'drop table public.orders';
set local lock_timeout = '2s';
select pg_catalog.set_config('search_path', '', false);
-- finds: table-rewrite public.orders.token
alter table orders add column token uuid not null default extensions.uuid_generate_v4();
-- finds: nothing
alter table orders add column made timestamptz not null default now(), add column flag boolean not null default false;
-- finds: required-column public.orders.owner
alter table orders add column owner uuid not null references auth.users (id);
-- finds: table-rewrite public.orders.label
alter table orders add column label text generated always as (state || '!') stored;
-- finds: validated-constraint public.orders
alter table orders add column kind text check (kind in ('a', 'b'));
-- finds: validated-constraint public.orders
alter table orders add column owner uuid default '11111111-1111-1111-1111-111111111111' references auth.users (id);
-- finds: indexed-constraint public.orders
alter table orders add column slug text unique;
-- finds: nothing
alter table orders add column owner uuid references auth.users (id) on delete set null;
