-- People and the teams they work in.

create table public.profiles (
  id uuid primary key references auth.users (id) on delete cascade,
  full_name text not null default '',
  created_at timestamptz not null default now()
);

create table public.teams (
  id bigint generated always as identity primary key,
  name text not null check (length(name) between 1 and 80),
  created_at timestamptz not null default now()
);

create type public.team_role as enum ('member', 'owner');

create table public.team_members (
  team_id bigint not null references public.teams (id) on delete cascade,
  user_id uuid not null references public.profiles (id) on delete cascade,
  role public.team_role not null default 'member',
  primary key (team_id, user_id)
);

create index team_members_user_id_idx on public.team_members (user_id);

-- Whoever signs up gets a profile.
create function public.create_profile() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  insert into public.profiles (id, full_name)
  values (new.id, coalesce(new.raw_user_meta_data ->> 'full_name', ''));
  return new;
end;
$$;

-- A trigger needs no grant; without this the function could be called as an API endpoint.
revoke execute on function public.create_profile() from public, anon, authenticated;

create trigger create_profile_after_signup
after insert on auth.users
for each row execute function public.create_profile();
