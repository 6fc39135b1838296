create table public.told (id int not null, day date not null, v int) partition by range (day);
create table public.told_24 partition of public.told for values from ('2024-01-01') to ('2025-01-01');
alter table public.told add constraint told_key primary key (id, day);
create foreign data wrapper telling;
create role teller nologin;
create materialized view public.tellings as select v::text as t from public.told;
