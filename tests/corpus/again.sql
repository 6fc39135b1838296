-- Written after the rules were mended, to see what they say of what they were not mended for.

-- Rows
-- finds: delete-all public.customers
do $$ declare c cursor (lowest int) for select * from customers; r record; begin open c(1); fetch next from c into r; while found loop delete from customers where current of c; fetch next from c into r; end loop; end $$;
-- finds: update-all public.customers
do $$ declare p record; begin for p in (select * from public.customers) loop update public.customers as c set name = initcap(p.name), email = null where c.id = p.id; end loop; end $$;
-- finds: nothing
do $$ declare p record; begin for p in select id from customers where joined < now() - interval '5 years' order by id loop update customers set email = null where id = p.id; end loop; end $$;
-- finds: nothing
do $$ declare p record; n int; begin for p in select id from customers loop select count(*) into n from orders where customer_id = p.id; if n = 0 then delete from customers where id = p.id; end if; end loop; end $$;
-- finds: nothing
do $$ declare p record; begin for p in select id from customers loop perform 1 from orders where customer_id = p.id; if not found then delete from customers where id = p.id; end if; end loop; end $$;
-- finds: delete-all public.customers
do $$ declare p record; begin for p in select id from customers loop begin delete from customers where id = p.id; exception when foreign_key_violation then raise notice 'kept'; end; end loop; end $$;
-- finds: delete-all public.orders
do $$ declare n int; begin loop with batch as (select id from orders limit 500) delete from orders o using batch b where b.id = o.id; get diagnostics n = row_count; exit when n = 0; end loop; end $$;
-- finds: nothing
do $$ declare n int; begin loop with batch as (select id from orders where state = 'done' limit 500) delete from orders o using batch b where b.id = o.id; get diagnostics n = row_count; exit when n = 0; end loop; end $$;
-- finds: delete-all public.orders
with old as (select id from orders) delete from orders where id in (select id from old);
-- finds: nothing
with old as (select id from orders where total = 0) delete from orders where id in (select id from old);
-- finds: update-all public.orders
update orders set state = s.state from (select id, 'x' as state from orders) s where s.id = orders.id;
-- finds: nothing
update orders set total = s.total from (select customer_id, sum(total) as total from orders group by 1) s where s.customer_id = orders.customer_id and orders.state = 'sum';
-- finds: delete-all public.orders
delete from orders where id >= 0 or true;
-- finds: nothing
delete from orders where (id, state) in (select id, state from orders where total is null);
-- finds: nothing
delete from orders using (select max(id) as id from orders) m where m.id = orders.id;
-- finds: nothing
update orders child set state = parent.state from orders parent where parent.id = child.customer_id;
-- finds: delete-all public.orders
create procedure app.batch() language plpgsql as $$ declare r int; begin for r in select id from public.orders loop delete from public.orders where id = r; commit; end loop; end $$;
call app.batch();
-- finds: update-all public.customers
create function app.recalc(who bigint) returns void language sql as $$ update public.customers set balance = 0 where id = who $$;
do $$ declare r record; begin for r in select id from customers loop perform app.recalc(r.id); end loop; end $$;
-- finds: nothing
create function app.recalc(who bigint) returns void language sql as $$ update public.customers set balance = 0 where id = who $$;
do $$ declare r record; begin for r in select id from customers where balance is null loop perform app.recalc(r.id); end loop; end $$;
-- finds: truncate public.orders; dynamic-sql-function function app.t
create function app.t() returns int language plpgsql as $$ begin execute 'truncate public.orders'; return 1; end $$;
create view app.v with (security_invoker = on) as select app.t();
insert into events (id) select app.t();
-- finds: drop-table public.orders
do language plpgsql $x$ declare n name := 'orders'; begin execute concat('drop table if exists public.', n, ' cascade'); end $x$;
-- finds: drop-column public.customers.doc; drop-column public.customers.tags
do $$ declare c text; begin foreach c in array string_to_array('doc,tags', ',') loop execute format('alter table customers drop column %I', c); end loop; end $$;
-- finds: drop-table public.orders
do $$ begin for i in 1..1 loop if to_regclass('public.orders') is not null then execute 'drop table ' || 'public.' || quote_ident('orders'); end if; end loop; end $$;
-- finds: dynamic-sql (select 'truncate ' || string_agg(quote_ident(tablename), ', ') from pg_tables where schemaname = '…
do $$ begin execute (select 'truncate ' || string_agg(quote_ident(tablename), ', ') from pg_tables where schemaname = 'public'); end $$;
-- finds: nothing
do $$ declare s text; begin execute format('comment on table %I is %L', 'orders', s); execute 'analyze ' || s; end $$;

-- Exposure
-- finds: open-policy policy a on public.orders
do $$ begin if not exists (select from pg_policies where policyname = 'a') then create policy a on public.orders for all using (true); end if; end $$;
-- finds: grant public.orders; grant app.secrets
do $$ declare t text; begin foreach t in array '{public.orders,app.secrets}'::text[] loop execute 'grant select on ' || t || ' to anon, authenticated'; end loop; end $$;
-- finds: open-policy policy a on public.orders
create policy a on public.orders for delete to authenticated using (true or customer_id = 1);
-- finds: nothing
create policy a on public.orders for update to authenticated using ((select auth.uid()) is not null and customer_id = 1);
-- finds: open-policy policy a on public.orders
create policy a on public.orders for update to authenticated using (customer_id = 1) with check (true);
-- finds: definer-view view public.v
create or replace view public.v as select o.* from public.orders o join public.customers c on c.id = o.customer_id;
-- finds: table-without-rls public.m
create table public.m (like public.orders including all);
-- finds: nothing
create unlogged table public.m (id int);
alter table only public.m enable row level security, force row level security;
-- finds: grant all functions in schema public
grant execute on all functions in schema public to anon;
-- finds: grant storage.objects; managed-schema storage.objects
grant all on storage.objects to anon;
-- finds: grant-role role service_role
grant service_role to authenticated;
-- finds: secret database password
create extension if not exists dblink; select dblink_connect('postgresql://postgres:Zk81hs72hs@db.example.org:5432/postgres');

-- finds: drop-policy policy locked on public.orders
drop policy locked on orders;
-- finds: drop-policy policy mine on public.orders (note)
do $$ begin drop policy if exists mine on public.orders; end $$;
-- finds: dynamic-sql format('drop policy if exists %I on orders', r.policyname)
do $$ declare r record; begin for r in select policyname from pg_policies loop execute format('drop policy if exists %I on orders', r.policyname); end loop; end $$;
-- finds: nothing
create or replace function purge() returns void language sql set search_path = '' as ''; grant execute on function purge() to authenticated;
-- finds: grant function public.total
create or replace function total(bigint) returns numeric language sql as 'select 1.0'; grant execute on function total(bigint) to anon;

-- Locks
-- finds: blocking-index public.orders; unique-index public.events
create index on orders (state); create unique index if not exists e on only events (at);
-- finds: set-not-null public.orders.state; validated-constraint public.orders
alter table orders add constraint s check (state is not null), alter column state set not null;
-- finds: nothing
alter table orders validate constraint s;
-- finds: indexed-constraint public.events
alter table events add primary key (id);
-- finds: nothing
alter table events add constraint events_pkey primary key using index e;

-- Credentials
-- finds: secret vault secret
select vault.create_secret('kX93jdhw73-service', 'service_key');
-- finds: secret vault secret
do $$ begin perform vault.update_secret('5b1f5c0e-6f0c-4c2b-9d5e-0d5c9a1f2e3d'::uuid, 'kX93jdhw73-service'); end $$;
-- finds: nothing
select vault.create_secret('https://abcdefgh.supabase.co', 'project_url'), vault.create_secret('placeholder-replace-me', 'service_key'), vault.create_secret(current_setting('app.key'), 'k');
-- finds: secret service's key
select net.http_post(url := 'https://api.example.org', headers := '{"x-api-key": "sk_live_4eC39HqLyjWDarjtT1zdp7dc"}'::jsonb);
-- finds: secret service's key
insert into app.secrets values (1, 'ghp_16C7e42F292c6912E7710c838347Ae178B4a');
-- finds: nothing
insert into app.secrets values (1, 'sk_live_your_key_here_xxxxxxxx'), (2, 're_order'), (3, 'SG.name');
-- finds: nothing
select net.http_post(url := 'https://x.supabase.co/functions/v1/run', headers := '{"Authorization": "Bearer eyJhbGciOiAiSFMyNTYiLCAidHlwIjogIkpXVCJ9.eyJpc3MiOiAic3VwYWJhc2UiLCAicm9sZSI6ICJhbm9uIn0.c2lnbmF0dXJlLW9mLXRoaXM"}'::jsonb);

-- Functions and triggers that the database has
-- finds: delete-all public.orders
select app.forget(1);
-- finds: nothing
select app.spare();
-- finds: truncate public.events
do $$ begin call app.clean(); end $$;
-- finds: nothing
create or replace function app.forget(int) returns void language sql as 'select 1';
select app.forget(1);
-- finds: delete-all app.secrets
delete from public.profiles where id is null;
-- finds: rename public.profiles; delete-all app.secrets
alter table public.profiles rename to people;
delete from public.people where id is null;
-- finds: rename public.orders; delete-all public.customers
create function public.emptied() returns trigger language plpgsql as
  $$ begin delete from public.customers; return null; end $$;
create trigger emptied after insert on public.orders execute function public.emptied();
alter table public.orders rename to sales;
insert into public.sales (id) values (1);
-- finds: drop-trigger trigger swept on public.profiles (note)
drop trigger swept on public.profiles;
delete from public.profiles where id is null;
-- finds: nothing
update public.profiles set id = null where id is null;

-- Rights that the API makes no use of, as comparisons write them
-- finds: nothing
grant references on table "public"."orders" to "authenticated"; grant trigger, truncate on table "public"."orders" to "anon";
-- finds: grant public.orders
grant references on public.orders to anon; grant select on public.orders to anon;
