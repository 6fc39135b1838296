-- Data losses, and what looks like one. `-- finds:` begins a case, `-- then` its next file.

-- finds: drop-table public.orders
drop table orders;
-- finds: drop-table public.orders
drop table if exists public.orders cascade;
-- finds: nothing
drop table if exists public.gone cascade;
-- finds: drop-table public.orders; table-without-rls public.orders
drop table orders;
-- then
create table orders (id int);
-- finds: drop-table app.secrets
set search_path = app; drop table secrets;
-- finds: drop-table public.orders
do $$ begin if exists (select from pg_class where relname = 'orders') then drop table orders; end if; end $$;
-- finds: drop-table public.orders
do $$ begin execute 'drop table public.orders'; end $$;
-- finds: nothing
create table app.fresh (id int);
-- then
drop table app.fresh;
-- finds: drop-table public.orders
create table app.orders (id int);
-- then
drop table public.orders;
-- finds: nothing
create temporary table orders (id int);
drop table orders;
-- finds: drop-table public.orders
create temporary table orders (id int);
-- then
drop table orders;
-- finds: nothing
create temp table work on commit drop as select * from orders;
delete from work; truncate work; update work set state = 'x'; drop table work;
-- finds: rename public.orders; drop-table public.old_orders
alter table orders rename to old_orders;
-- then
drop table old_orders;
-- finds: rename public.orders; drop-table app.orders
alter table orders set schema app;
-- then
drop table app.orders;
-- finds: rename public.orders; table-without-rls public.orders; drop-table public.old_orders
alter table orders rename to old_orders;
create table orders (id int, customer_id bigint);
insert into orders select id, customer_id from old_orders;
drop table old_orders;
-- finds: nothing
drop schema if exists gone cascade;
-- finds: drop-schema schema app
drop schema app cascade;
-- finds: drop-schema schema app (note)
drop schema app;
-- finds: nothing
create schema fresh; create table fresh.t (a int);
-- then
drop schema fresh cascade;

-- Columns
-- finds: drop-column public.orders.state
alter table orders drop column state;
-- finds: drop-column public.orders.state; drop-column public.orders.total
alter table orders drop column state, drop column if exists total cascade;
-- finds: nothing
alter table orders drop column if exists gone;
-- finds: nothing
alter table orders add column fresh int;
-- then
update orders set fresh = 1;
alter table orders drop column fresh;
-- finds: drop-column public.orders.state; probable-rename public.orders.state
alter table orders drop column state;
alter table orders add column status text;
-- finds: rename public.orders.state; drop-column public.orders.status
alter table orders rename column state to status;
-- then
alter table orders drop column status;
-- finds: drop-column public.orders.id
alter table orders drop column id;
drop sequence if exists orders_id_seq;
-- finds: drop-table public.orders
drop table orders;
drop sequence if exists public.orders_id_seq;
-- finds: drop-column public.address.street
alter type address drop attribute street;
-- finds: drop-column public.orders.state
do $$ begin alter table orders drop column state; end $$;
-- finds: drop-column public.orders.state
create function app.step() returns void language plpgsql as $$ begin alter table public.orders drop column state; end $$;
select app.step();
-- finds: nothing
create function app.step() returns void language plpgsql as $$ begin alter table public.orders drop column state; end $$;

-- Types of columns
-- finds: widen-column-type public.customers.age
alter table customers alter column age type bigint;
-- finds: widen-column-type public.customers.age
alter table "public"."customers" alter column "age" type bigint using "age"::bigint;
-- finds: widen-column-type public.customers.age
alter table customers alter column age set data type numeric;
-- finds: widen-column-type public.customers.age
alter table customers alter column age type double precision;
-- finds: widen-column-type public.customers.name
alter table customers alter column name type varchar(80);
-- finds: widen-column-type public.customers.name
alter table customers alter column name type text using name::text;
-- finds: widen-column-type public.customers.name
alter table customers alter column name type character varying;
-- finds: widen-column-type public.customers.tags
alter table customers alter column tags type text[];
-- finds: widen-column-type public.customers.email
alter table customers alter column email type extensions.citext;
-- finds: widen-column-type public.customers.balance
alter table customers alter column balance type numeric(12, 2);
-- finds: widen-column-type public.customers.balance
alter table customers alter column balance type numeric(12, 4) using balance::numeric(12, 4);
-- finds: widen-column-type public.customers.balance
alter table customers alter column balance type numeric;
-- finds: widen-column-type public.customers.joined
alter table customers alter column joined type timestamptz;
-- finds: widen-column-type public.customers.born
alter table customers alter column born type timestamp with time zone;
-- finds: widen-column-type public.customers.ratio
alter table customers alter column ratio type float8;
-- finds: widen-column-type public.customers.code
alter table customers alter column code type char(5);
-- finds: widen-column-type public.customers.email
alter table customers alter column email type text collate "C";
-- finds: rename public.customers.age; widen-column-type public.customers.years
alter table customers rename column age to years;
-- then
alter table customers alter column years type bigint;
-- finds: rename public.customers; widen-column-type public.people.age
alter table customers rename to people;
-- then
alter table people alter column age type bigint;
-- finds: change-column-type public.customers.id
alter table customers alter column id type int;
-- finds: change-column-type public.customers.age
alter table customers alter column age type smallint using age::smallint;
-- finds: change-column-type public.customers.age
alter table customers alter column age type real;
-- finds: change-column-type public.customers.age
alter table customers alter column age type bigint using age * 10;
-- finds: change-column-type public.customers.age
alter table customers alter column age type numeric(5, 2);
-- finds: change-column-type public.customers.name
alter table customers alter column name type varchar(20);
-- finds: change-column-type public.customers.name
alter table customers alter column name type varchar(80) using left(name, 10);
-- finds: change-column-type public.customers.name
alter table customers alter column name type varchar(80) using name::varchar(10);
-- finds: change-column-type public.customers.email
alter table customers alter column email type varchar(255);
-- finds: change-column-type public.customers.balance
alter table customers alter column balance type numeric(8, 1);
-- finds: change-column-type public.customers.balance
alter table customers alter column balance type numeric(8, 4);
-- finds: change-column-type public.customers.balance
alter table customers alter column balance type integer;
-- finds: change-column-type public.customers.seen
alter table customers alter column seen type timestamp;
-- finds: change-column-type public.customers.joined
alter table customers alter column joined type date;
-- finds: change-column-type public.customers.doc
alter table customers alter column doc type jsonb using doc::jsonb;
-- finds: change-column-type public.customers.tags
alter table customers alter column tags type varchar(5)[];
-- finds: change-column-type public.customers.tags
alter table customers alter column tags type text using tags[1];
-- finds: change-column-type public.customers.email
alter table customers alter column email type int using 1;
-- finds: change-column-type public.customers.age; change-column-type public.customers.age
alter table customers alter column age type smallint;
-- then
alter table customers alter column age type smallint using 1;
-- finds: nothing
alter table customers add column fresh bigint;
-- then
alter table customers alter column fresh type int;

-- Types, domains, sequences, extensions
-- finds: drop-type type public.mood (note)
drop type mood;
-- finds: drop-type type public.mood
drop type mood cascade;
-- finds: nothing
drop type if exists gone cascade;
-- finds: drop-domain domain public.positive (note)
drop domain positive;
-- finds: drop-domain domain public.positive
drop domain positive cascade;
-- finds: nothing
create type fresh as enum ('a');
-- then
drop type fresh cascade;
-- finds: rename type public.mood; widen-column-type public.customers.mood; drop-type type public.mood_old (note)
alter type mood rename to mood_old;
create type mood as enum ('sad', 'glad', 'new');
alter table customers alter column mood type mood using mood::text::mood;
drop type mood_old;
-- finds: drop-sequence sequence public.counter
drop sequence counter;
-- finds: nothing
create sequence fresh_seq;
-- then
drop sequence fresh_seq;
-- finds: drop-extension extension pg_cron
drop extension pg_cron;
-- finds: drop-extension extension pg_trgm (note)
drop extension pg_trgm;
-- finds: drop-extension extension vector
drop extension if exists vector cascade;
-- finds: nothing
create extension if not exists hstore with schema extensions;
-- then
drop extension hstore;
-- finds: nothing
drop extension if exists postgis cascade;

-- Rows
-- finds: truncate public.orders
truncate orders;
-- finds: truncate public.orders; truncate public.events
truncate table orders, events restart identity cascade;
-- finds: delete-all public.orders
delete from orders;
-- finds: delete-all public.orders
delete from orders where true;
-- finds: delete-all public.orders
delete from orders where id is not null;
-- finds: nothing
delete from orders where state = 'void';
-- finds: nothing
delete from orders using customers c where c.id = customer_id and c.email is null;
-- finds: delete-all public.orders
with moved as (delete from orders returning *) insert into archive select * from moved;
-- finds: nothing
with moved as (delete from orders where state = 'old' returning *) insert into archive select * from moved;
-- finds: table-without-rls public.archive; delete-all public.orders
create table archive as with moved as (delete from orders returning *) select * from moved;
-- finds: delete-all public.orders
do $$ declare n int; begin with d as (delete from orders returning 1) select count(*) into n from d; end $$;
-- finds: update-all public.orders
update orders set state = 'open';
-- finds: update-all public.orders
update orders set state = 'open' from customers;
-- finds: nothing
update orders set state = 'open' where state is null;
-- finds: nothing
update orders set state = coalesce(state, 'open');
-- finds: update-all public.orders
update orders set state = coalesce(total::text, 'open');
-- finds: nothing
alter table orders add column note text;
-- then
update orders set note = state;
-- finds: update-all public.orders
alter table orders add column note text;
-- then
update orders set note = state, state = null;
-- finds: nothing
insert into orders (id, state) values (1, 'a') on conflict (id) do update set state = excluded.state;
-- finds: nothing
insert into orders select * from app.secrets on conflict do nothing;
-- finds: merge-delete public.orders
merge into orders o using customers c on o.customer_id = c.id when matched then delete;
-- finds: nothing
merge into orders o using customers c on o.customer_id = c.id when matched then update set state = 'x';
-- finds: delete-all public.orders
create function app.wipe() returns void language sql as 'delete from public.orders';
select app.wipe();
-- finds: nothing
create function app.wipe() returns boolean language sql as 'delete from public.orders returning true';
create policy p on orders for select to authenticated using (app.wipe());
-- finds: delete-all public.orders
create procedure app.wipe() language plpgsql as $$ begin delete from public.orders; end $$;
call app.wipe();
-- finds: nothing
create function app.wipe() returns trigger language plpgsql as $$ begin delete from public.orders; return null; end $$;
create trigger wipe after insert on customers for each statement execute function app.wipe();
-- finds: nothing
prepare wipe as select * from orders;
-- finds: nothing
create rule keep as on delete to app.secrets do instead delete from orders;

-- Partitions
-- finds: detach-partition public.events
alter table events detach partition events_2025;
-- finds: drop-table public.events_2025
drop table events_2025;
-- finds: table-without-rls public.events_2026
create table events_2026 partition of events for values from ('2026-01-01') to ('2027-01-01');
-- finds: nothing
create table app.events_2026 (like events including all);
-- then
alter table events attach partition app.events_2026 for values from ('2026-01-01') to ('2027-01-01');
-- then
alter table events detach partition app.events_2026;

-- Others
-- finds: drop-owned owned by reporting
drop owned by reporting;
-- finds: drop-subscription subscription s
drop subscription s;
-- finds: drop-view view public.active_customers (note)
drop view active_customers;
-- finds: drop-materialized-view materialized view public.totals (note)
drop materialized view totals;
-- finds: drop-index index public.orders_state (note)
drop index orders_state cascade;
-- finds: drop-trigger trigger stamp on public.orders (note)
drop trigger stamp on orders cascade;
-- finds: drop-function function public.total(int8) (note)
drop function total(bigint);
-- finds: drop-foreign-table foreign table public.remote (note)
drop foreign table remote;
-- finds: drop-foreign-server foreign server s (note)
drop server s cascade;
-- finds: unlogged public.orders
alter table orders set unlogged;
-- finds: copy-stdin public.orders
copy orders from stdin;
