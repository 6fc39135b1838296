create table public.docs (id int primary key, owner uuid, body text);
alter table public.docs enable row level security;
create policy "read" on public.docs for select to anon, authenticated using (true);
create policy "write" on public.docs for insert to authenticated with check (owner = auth.uid());
create policy "all" on public.docs as permissive for all to public using (owner = auth.uid());
create policy "gone" on public.docs for delete using (false);
