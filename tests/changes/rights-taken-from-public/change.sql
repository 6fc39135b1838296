revoke all on public.t1, public.v1 from anon, authenticated; revoke all on public.t2 from public, anon;
grant select, insert on public.t2 to anon; grant update (id), references (id) on public.t1 to authenticated;
revoke all on function public.f1() from public, anon, authenticated, service_role; grant all on function public.f1() to service_role with grant option;
revoke all on sequence public.s1 from anon, authenticated; grant usage on sequence public.s1 to public;
drop policy p on public.t1; alter table public.t1 no force row level security; alter table public.t1 disable row level security; alter table public.t2 enable row level security;
revoke usage on schema public from anon; grant create on schema public to service_role;
revoke select on public.t2 from service_role, postgres;
