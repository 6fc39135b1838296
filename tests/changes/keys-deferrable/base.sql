create table public.a (id int primary key, x int, y int, constraint xy unique (x, y));
create table public.b (id int primary key, a_id int constraint b_a references public.a (id), x int, y int);
create table public.c (id int, b_id int references public.b (id) on delete cascade);
