alter table public."Users" rename to users;
alter table public.users rename "userName" to username;
alter table public.users rename "ID" to id;
alter type public."Kind" rename to kind;
drop function public."getUser"(int);
create function public.getuser(uid int) returns text language sql stable as $$ select username from public.users where id = uid $$;
