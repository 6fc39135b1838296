alter table public.t alter a set default E'a\r\nb';
alter table public.t add constraint c check (b <> E'c\r\nd');
alter domain public.d set default E'\r';
create view public.v as select E'one\r\ntwo' as t, id from public.t;
create index i on public.t ((b || E'\r\n'));
create or replace function public.f(a text default E'a\r\nb') returns text language sql as E'\r\n select a -- x\r\n';
create type public.e as enum ('plain');
comment on table public.t is E'one\r\ntwo';
