drop function public.from_v3(); drop view public.v3; drop view public.v2; drop view public.v1;
alter table public.root alter a type varchar(80), alter b type bigint;
create view public.v1 with (security_invoker = true) as select id, a, b from public.root where b is not null;
create view public.v2 with (security_barrier = true, security_invoker = on) as select id, a from public.v1 with local check option;
create view public.v3 as select count(*) as n, a from public.v2 group by a;
create function public.from_v3() returns setof public.v3 language sql stable as $$ select * from public.v3 $$;
create rule v2_insert as on insert to public.v2 do instead insert into public.root (id, a, b) values (new.id, new.a, 0);
create trigger v1_write instead of update on public.v1 for each row execute function public.v1_write();
grant select on public.v3 to anon; comment on view public.v2 is 'two'; comment on column public.v3.n is 'how many';
