create table public.t1 (id int primary key, a int);
create table public.t2 (id int primary key, a int) partition by range (id);
create table public.t2a partition of public.t2 for values from (0) to (10);
create view public.tv as select id, a from public.t1;
create function public.f_old() returns trigger language plpgsql as $$ begin return new; end $$;
create trigger tr before insert on public.t1 for each row execute function public.f_old();
create trigger pt after insert on public.t2 for each row execute function public.f_old();
create trigger iv instead of insert on public.tv for each row execute function public.f_old();
create trigger named after update on public.t1 for each row execute function public.f_old();
