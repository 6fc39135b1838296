create table public.bill (id int primary key, state text not null default 'open', tags text[] default '{}', amount text);
create index bill_state on public.bill (state);
create view public.open_bills as select id, state from public.bill where state = 'open';
alter table public.bill add constraint known check (state in ('open', 'paid'));
