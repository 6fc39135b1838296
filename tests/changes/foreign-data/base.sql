create foreign data wrapper fw options (a '1');
create server s1 foreign data wrapper fw options (host 'h');
create server s2 type 't' version '1' foreign data wrapper fw;
create foreign table public.f1 (id int) server s1 options (t 'x');
create user mapping for postgres server s1 options (u 'me');
