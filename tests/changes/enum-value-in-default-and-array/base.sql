create type public.state as enum ('new', 'done');
create table public.jobs (id int primary key, state public.state not null default 'new', seen public.state[] not null default '{}');
create function public.next(s public.state default 'new') returns public.state language sql immutable as $$ select 'done'::public.state $$;
