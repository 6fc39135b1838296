drop view public.items;
alter table public.item alter code type text;
drop domain public.code;
create domain public.code as text check (length(value) > 1);
alter table public.item alter code type public.code;
create view public.items as select id, code from public.item;
alter type public.state add value 'held' before 'done';
alter table public.item alter state set default 'held';
create index item_held on public.item (id) where state = 'held';
