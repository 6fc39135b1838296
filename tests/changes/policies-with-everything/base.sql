create table public.team (id uuid primary key, owner uuid);
create table public.doc (id int primary key, team_id uuid references public.team (id), body text);
alter table public.doc enable row level security;
create function public.can(t uuid) returns boolean language sql stable security definer set search_path = '' as $$ select true $$;
create policy sel on public.doc for select to authenticated using (public.can(team_id));
create policy ins on public.doc for insert to authenticated with check (public.can(team_id));
