create domain public.code as varchar(10) check (length(value) > 1);
create type public.state as enum ('new', 'done');
create table public.item (id int primary key, code public.code, state public.state default 'new');
create view public.items as select id, code from public.item;
