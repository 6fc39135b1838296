create schema ext;
create extension citext schema public;
create table public.mails (id int primary key, m public.citext);
create function public.same(a public.citext) returns boolean language sql immutable as $$ select a = a $$;
create view public.mv as select m from public.mails;
