grant select (a), insert (b) on public.gift to giver;
revoke all on public.gift from anon, authenticated, service_role;
grant select (a, b), update (b) on public.gift to authenticated;
revoke execute on function public.gf() from public, anon, authenticated, service_role;
grant trigger, references on public.gift to service_role;
