create schema app;
create table app.t (id serial primary key, a text);
create view app.v as select id from app.t;
create function app.f() returns int language sql security definer as $$ select 1 $$;
create type app.e as enum ('a');
create domain app.d as int;
create sequence app.s;
create materialized view app.m as select 1 as one;
create role own_er nologin; grant own_er to postgres; grant create, usage on schema app to own_er;
