create table public.pa (id int, x text default 'a' not null, constraint x_ok check (x <> ''));
create table public.pb (id int, y int);
create table public.kid (z int) inherits (public.pa, public.pb);
create table public.lone (id int, x text default 'a' not null, constraint x_ok check (x <> ''));
