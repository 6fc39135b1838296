create table public.seed (id int primary key);
