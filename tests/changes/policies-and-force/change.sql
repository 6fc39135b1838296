alter policy "read" on public.docs rename to "reads everything";
alter policy "write" on public.docs to authenticated, service_role with check (owner = auth.uid() and body <> E'a\r\nb');
drop policy "all" on public.docs;
create policy "all" on public.docs as restrictive for update to authenticated using (owner = auth.uid()) with check (body is not null);
drop policy "gone" on public.docs;
alter table public.docs force row level security;
comment on policy "reads everything" on public.docs is 'it''s public';
