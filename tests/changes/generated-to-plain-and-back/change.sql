alter table public.g alter b drop expression;
drop view public.gv;
alter table public.g drop column c; alter table public.g add column c int generated always as (a + 1) stored;
alter table public.g alter d set default upper('y'), alter a set not null;
create view public.gv as select id, b, c from public.g;
