create schema old_one;
create table old_one.t (id int primary key, n int);
create function old_one.f() returns int language sql as $$ select 1 $$;
create schema gone;
create table gone.g (id serial primary key, f int default old_one.f());
create type gone.k as enum ('a');
create view public.across as select g.id, t.n from gone.g join old_one.t on t.id = g.id;
