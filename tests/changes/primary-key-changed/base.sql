create table public.org (id serial primary key, uid uuid not null default gen_random_uuid(), name text);
create table public.member (id int primary key, org_id int not null references public.org (id) on delete cascade);
create view public.orgs as select id, name, count(*) as n from public.org group by id;
