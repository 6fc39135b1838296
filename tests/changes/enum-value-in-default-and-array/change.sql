alter type public.state add value 'started' before 'done';
alter type public.state add value 'failed';
alter table public.jobs alter state set default 'started', alter seen set default '{new,started}';
alter table public.jobs add constraint ended check (state <> 'failed' or cardinality(seen) > 0);
create index jobs_open on public.jobs (id) where state in ('new', 'started');
create or replace function public.next(s public.state default 'started') returns public.state language sql immutable as $$ select 'failed'::public.state $$;
