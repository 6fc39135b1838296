alter role worker set statement_timeout = '5s';
alter role worker login;
create role second nologin inherit; grant worker to second; grant select on public.t to second with grant option;
grant worker to postgres;
create table public.w (id int primary key); grant all on public.w to worker;
