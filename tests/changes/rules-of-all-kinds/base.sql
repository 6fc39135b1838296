create table public.r (id int primary key, v text);
create table public.r_log (id int, was text);
create rule r_upd as on update to public.r do also insert into public.r_log values (old.id, old.v);
create view public.rv as select id, v from public.r;
create rule rv_ins as on insert to public.rv do instead insert into public.r values (new.id, new.v);
