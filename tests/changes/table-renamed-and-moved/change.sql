create schema sales;
alter table public.client rename to customer; alter table public.customer set schema sales; alter table sales.customer add column more int;
alter table public.invoice set schema shop;
alter schema store_old rename to store;
drop table public.left_over; create table public.right_over (a int, b text);
alter table public.parts_1 rename to parts_2024;
alter table public.parts rename to pieces;
drop table public.log_01;
create table public.log_03 partition of public.log for values from ('2024-03-01') to ('2024-04-01');
