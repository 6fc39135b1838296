drop table public.top cascade;
drop type public.k cascade;
drop policy if exists p on public.sub;
drop function public.tr();
alter table public.sub add column note text;
