-- Rows that a block or function removes or changes one by one, in batches, or through what it calls.

-- finds: delete-all public.orders
do $$ declare c cursor for select id from orders; r record; begin
  open c;
  loop fetch c into r; exit when not found; delete from orders where current of c; end loop;
end $$;
-- finds: update-all public.orders
do $$ declare c cursor for select * from orders for update; begin
  for r in c loop update orders set state = upper(r.state) where current of c; end loop;
end $$;
-- finds: delete-all public.orders
do $$ declare c refcursor; r record; begin
  open c for select * from public.orders order by id;
  loop fetch c into r; exit when not found; delete from public.orders where current of c; end loop;
  close c;
end $$;
-- finds: nothing
do $$ declare c cursor for select id from orders where state = 'draft'; begin
  for r in c loop delete from orders where current of c; end loop;
end $$;
-- finds: nothing
do $$ declare c cursor for select * from orders; begin
  for r in c loop if r.state = 'draft' then delete from orders where current of c; end if; end loop;
end $$;
-- finds: delete-all public.orders
do $$ declare c cursor for select * from orders; n int := 0; begin
  for r in c loop n := n + 1; if n % 100 = 0 then raise notice '%', n; end if; delete from orders where current of c; end loop;
end $$;
-- finds: nothing
do $$ declare c cursor for select * from orders; begin
  for r in c loop continue when r.total > 0; delete from orders where current of c; end loop;
end $$;
-- finds: delete-all public.orders
do $$ declare r record; begin for r in select id from orders loop delete from orders where id = r.id; end loop; end $$;
-- finds: delete-all public.orders
do $$ declare r public.orders%rowtype; begin for r in select * from orders order by id loop delete from orders o where o.id = r.id; end loop; end $$;
-- finds: nothing
do $$ declare r record; begin for r in select id from orders where total is null loop delete from orders where id = r.id; end loop; end $$;
-- finds: nothing
do $$ declare r record; begin for r in select id from customers loop delete from orders where customer_id = r.id and state = 'draft'; end loop; end $$;
-- finds: nothing
do $$ declare r record; begin for r in select id, state from orders loop delete from orders where id = r.id and r.state = 'draft'; end loop; end $$;
-- finds: nothing
do $$ declare r record; begin for r in select id, row_number() over (partition by customer_id) as n from orders loop if r.n > 1 then delete from orders where id = r.id; end if; end loop; end $$;
-- finds: nothing
do $$ declare r record; begin for r in select customer_id, min(id) as kept from orders group by 1 having count(*) > 1 loop delete from orders where customer_id = r.customer_id and id <> r.kept; end loop; end $$;
-- finds: update-all public.customers
do $$ declare r record; begin for r in select id, email from customers loop update customers set email = lower(r.email) where id = r.id; end loop; end $$;
-- finds: nothing
do $$ declare r record; begin for r in select id, email from customers where email is not null loop update customers set email = lower(r.email) where id = r.id; end loop; end $$;
-- finds: nothing
alter table customers add column slug text;
do $$ declare r record; begin for r in select id, name from customers loop update customers set slug = lower(r.name) where id = r.id; end loop; end $$;
-- finds: update-all public.customers
do $$ declare r record; n int := 0; begin for r in select * from customers loop n := n + 1; update customers set code = lpad(n::text, 3, '0') where customers.id = r.id; end loop; end $$;
-- finds: nothing
do $$ declare r record; begin for r in select * from customers loop insert into orders (id, customer_id) values (r.age, r.id); end loop; end $$;
-- finds: delete-all public.orders
do $$ declare r record; begin for r in execute 'select id from public.orders' loop delete from orders where id = r.id; end loop; end $$;
-- finds: delete-all public.orders
do $$ declare x int; begin foreach x in array (select array_agg(id) from orders) loop delete from orders where id = x; end loop; end $$;
-- finds: delete-all public.orders
do $$ declare ids int[]; begin select array_agg(id) into ids from orders; delete from orders where id = any (ids); end $$;
-- finds: delete-all public.orders
do $$ declare ids int[] := array(select id from orders); x int; begin foreach x in array ids loop delete from orders where id = x; end loop; end $$;
-- finds: nothing
do $$ declare ids int[]; begin select array_agg(id) into ids from orders where total < 0; delete from orders where id = any (ids); end $$;
-- finds: nothing
do $$ declare x int; begin select id into x from orders limit 1; delete from orders where id = x; end $$;
-- finds: nothing
do $$ declare x int; begin select max(id) into x from orders; delete from orders where id = x; end $$;
-- finds: delete-all public.orders
do $$ begin while exists (select from orders) loop delete from orders where ctid in (select ctid from orders limit 1000); end loop; end $$;
-- finds: delete-all public.orders
do $$ declare n int; begin
  loop
    delete from orders where id in (select id from orders order by id limit 5000);
    get diagnostics n = row_count;
    exit when n = 0;
  end loop;
end $$;
-- finds: nothing
do $$ declare n int; begin
  loop
    delete from orders where id in (select id from orders where state = 'old' limit 5000);
    get diagnostics n = row_count;
    exit when n = 0;
  end loop;
end $$;
-- finds: nothing
delete from orders where ctid in (select ctid from orders limit 10);
-- finds: delete-all public.orders
delete from orders where id in (select id from orders);
-- finds: delete-all public.orders
delete from orders where ctid = any (array(select ctid from orders));
-- finds: nothing
delete from orders where id in (select min(id) from orders group by customer_id);
-- finds: nothing
delete from orders where customer_id in (select id from customers);
-- finds: nothing
delete from orders where id not in (select id from orders where total > 0);
-- finds: delete-all public.orders
delete from orders o using orders p where p.id = o.id;
-- finds: nothing
delete from orders a using orders b where a.id > b.id and a.state = b.state;
-- finds: delete-all public.orders
with doomed as (select id from orders) delete from orders using doomed where doomed.id = orders.id;
-- finds: nothing
with doomed as (select id from orders where state = 'x') delete from orders using doomed where doomed.id = orders.id;
-- finds: delete-all public.orders
delete from orders where exists (select from customers);
-- finds: nothing
delete from orders where exists (select from customers where customers.id = orders.customer_id);
-- finds: nothing
delete from orders where not exists (select from customers where id = customer_id);
-- finds: delete-all public.orders
create function app.wipe() returns void language sql begin atomic delete from public.orders; end;
select app.wipe();
-- finds: nothing
create function app.wipe() returns void language sql begin atomic delete from public.orders; end;
-- finds: nothing
create function app.wipe() returns void language sql begin atomic delete from public.orders where id = 1; end;
select app.wipe();
-- finds: truncate public.events
create function app.inner() returns int language plpgsql as $$ begin truncate public.events; return 1; end $$;
create function app.outer() returns int language sql return app.inner();
select app.outer();
-- finds: merge-delete public.orders
do $$ begin merge into orders o using customers c on c.id = o.customer_id when matched then delete; end $$;
-- finds: delete-all public.orders
create function app.a() returns void language plpgsql as $$ begin perform app.b(); end $$;
create function app.b() returns void language plpgsql as $$ begin delete from public.orders; end $$;
-- then
select app.a();
-- finds: delete-all public.orders
create function app.gone(int) returns void language sql as $$ delete from public.orders where id = $1 $$;
select app.gone(id) from orders;
-- finds: delete-all public.orders
create function app.gone(doomed int) returns void language plpgsql as $$ begin delete from public.orders where id = doomed; end $$;
do $$ begin perform app.gone(o.id) from orders o; end $$;
-- finds: nothing
create function app.gone(doomed int) returns void language plpgsql as $$ begin delete from public.orders where id = doomed; end $$;
select app.gone(7);
-- finds: nothing
create function app.gone(doomed int) returns void language plpgsql as $$ begin delete from public.orders where id = doomed; end $$;
select app.gone(id) from orders where state = 'test';
-- finds: truncate public.orders
do $$ begin if (select count(*) from customers) = 0 then truncate orders; end if; end $$;
-- finds: delete-all public.events
create function app.log() returns trigger language plpgsql as $$ begin delete from public.events; return null; end $$;
create trigger log after update on public.orders for each statement execute function app.log();
update orders set state = 'b' where state = 'a';
-- finds: truncate public.orders; truncate public.events
do $$ declare t text; begin foreach t in array array['orders', 'events'] loop execute format('truncate table public.%I', t); end loop; end $$;
-- finds: drop-table public.orders; drop-table public.events
do $$ declare t text; begin foreach t in array '{orders,events}'::text[] loop execute 'drop table if exists ' || quote_ident(t); end loop; end $$;
-- finds: drop-column public.orders.state; drop-column public.customers.code
do $$ declare r record; begin
  for r in select * from (values ('orders', 'state'), ('customers', 'code')) as v (tab, col) loop
    execute format('alter table public.%I drop column if exists %I', r.tab, r.col);
  end loop;
end $$;
-- finds: delete-all public.orders
do $$ declare t constant text := 'orders'; begin execute 'delete from public.' || t; end $$;
-- finds: delete-all public.orders; delete-all public.events
do $$ declare t text; begin for t in select unnest(array['orders', 'events']) loop execute format('delete from %I.%s', 'public', t); end loop; end $$;
-- finds: dynamic-sql format('delete from public.%I', r.tablename)
do $$ declare r record; begin for r in select tablename from pg_tables where schemaname = 'public' loop execute format('delete from public.%I', r.tablename); end loop; end $$;
-- finds: nothing
do $$ declare r record; begin for r in select tablename from pg_tables where schemaname = 'public' loop execute format('delete from public.%I where id = 0', r.tablename); end loop; end $$;
-- finds: truncate public.orders; truncate public.events
do $$ declare all_of_them constant text[] := array['orders', 'events']; t text; begin foreach t in array all_of_them loop execute 'truncate ' || t; end loop; end $$;
