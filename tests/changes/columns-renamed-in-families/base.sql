create table public.w (id int primary key, a int, b int, c text, d text not null, e date);
create table public.wk (x int) inherits (public.w);
create table public.wp (id int, day date, note text) partition by range (day);
create table public.wp1 partition of public.wp for values from ('2024-01-01') to ('2025-01-01');
