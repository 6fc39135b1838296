create table public.root (id int primary key, a text, b int);
create view public.v1 with (security_invoker = true) as select id, a, b from public.root;
create view public.v2 with (security_barrier = true) as select id, a from public.v1;
create view public.v3 as select count(*) as n, a from public.v2 group by a;
create function public.from_v3() returns setof public.v3 language sql stable as $$ select * from public.v3 $$;
create rule v2_insert as on insert to public.v2 do instead insert into public.root (id, a) values (new.id, new.a);
create function public.v1_write() returns trigger language plpgsql as $$ begin return new; end $$;
create trigger v1_write instead of update on public.v1 for each row execute function public.v1_write();
grant select on public.v3 to anon; comment on view public.v2 is 'two'; comment on column public.v3.n is 'how many';
