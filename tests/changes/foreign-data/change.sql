alter foreign data wrapper fw options (set a '2', add b '3');
alter server s1 options (drop host);
alter server s2 version '2';
comment on server s2 is 'two'; comment on foreign data wrapper fw is 'wrap';
drop foreign table public.f1;
create foreign table public.f1 (id int, name text options (c 'n')) server s2 options (t 'x');
create server "S three" foreign data wrapper fw;
grant usage on foreign server s2 to authenticated; grant usage on foreign data wrapper fw to service_role;
grant select on public.f1 to anon;
