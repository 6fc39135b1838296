-- Members see their teams' rows; owners manage the team. Everybody else sees nothing.

-- As its owner: a policy on team_members that reads team_members would never end.
create function public.my_role(team bigint) returns public.team_role
language sql stable security definer set search_path = ''
as $$
  select role from public.team_members
  where team_id = team and user_id = (select auth.uid());
$$;

revoke execute on function public.my_role(bigint) from public, anon;

alter table public.profiles enable row level security;
alter table public.teams enable row level security;
alter table public.team_members enable row level security;
alter table public.customers enable row level security;
alter table public.invoices enable row level security;
alter table public.invoice_lines enable row level security;

create policy "own profile" on public.profiles
for all to authenticated
using (id = (select auth.uid()))
with check (id = (select auth.uid()));

create policy "members see their teams" on public.teams
for select to authenticated
using (public.my_role(id) is not null);

create policy "owners change their teams" on public.teams
for update to authenticated
using (public.my_role(id) = 'owner')
with check (public.my_role(id) = 'owner');

create policy "members see each other" on public.team_members
for select to authenticated
using (public.my_role(team_id) is not null);

create policy "owners manage members" on public.team_members
for all to authenticated
using (public.my_role(team_id) = 'owner')
with check (public.my_role(team_id) = 'owner');

create policy "members manage customers" on public.customers
for all to authenticated
using (public.my_role(team_id) is not null)
with check (public.my_role(team_id) is not null);

create policy "members manage invoices" on public.invoices
for all to authenticated
using (public.my_role(team_id) is not null)
with check (public.my_role(team_id) is not null);

-- The policies of invoices decide: only visible invoices are found here.
create policy "members manage invoice lines" on public.invoice_lines
for all to authenticated
using (exists (select 1 from public.invoices where invoices.id = invoice_lines.invoice_id))
with check (exists (select 1 from public.invoices where invoices.id = invoice_lines.invoice_id));
