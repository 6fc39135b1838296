create table public.task (id serial primary key, title text not null unique);
create table public.step (id int primary key, task_id int references public.task (id));
create view public.titles as select title from public.task;
create index task_ix on public.task (title desc);
alter table public.task enable row level security;
create policy p on public.task using (true);
create function public.tasks() returns setof public.task language sql as $$ select * from public.task $$;
