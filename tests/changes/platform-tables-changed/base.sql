create table public.profile (id uuid primary key references auth.users (id), name text);
create function public.on_user() returns trigger language plpgsql security definer set search_path = '' as $$ begin insert into public.profile (id) values (new.id); return new; end $$;
create trigger on_user after insert on auth.users for each row execute function public.on_user();
create trigger on_gone after delete on auth.users for each row execute function public.on_user();
create policy "see all" on storage.objects for select using (true);
create policy "put" on storage.objects for insert to authenticated with check (bucket_id = 'a');
create policy "room" on realtime.messages for select to authenticated using (true);
alter publication supabase_realtime add table public.profile;
