create table public.emp (id int primary key, boss int, name text, pay numeric, doc jsonb);
