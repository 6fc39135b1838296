create table public.t (id int primary key);
create role worker nologin;
