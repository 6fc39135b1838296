create table public.seen (id int primary key);
