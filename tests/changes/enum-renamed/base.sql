create type public.mood as enum ('a', 'b');
create table public.item (id int primary key, m public.mood default 'a', ms public.mood[]);
create view public.items as select id, m from public.item where m = 'a';
create function public.one(m public.mood) returns public.mood language sql as $$ select m $$;
create index im on public.item (m) where m > 'a';
