drop view public.third; drop view public.second; drop view public.first;
create view public.first with (security_invoker = on) as select id, c, a from public.base;
create view public.second as select id, a || c as b from public.first;
create view public.third as select count(*)::int as n, max(b) as last from public.second;
grant select (id) on public.first to anon; revoke all on public.second from anon;
create or replace view public.checked as select id, a from public.base where a is not null;
alter view public.checked set (security_barrier = true);
