create table public.base (id int primary key, a text, b text, c text);
create view public.first as select id, a, b from public.base;
create view public.second with (security_invoker = true) as select id, b from public.first;
create view public.third as select count(*) as n from public.second;
grant select on public.first to anon; revoke all on public.second from anon, authenticated;
comment on column public.first.b is 'the b'; comment on view public.second is 'second';
create view public.checked as select id, a from public.base where a is not null with check option;
