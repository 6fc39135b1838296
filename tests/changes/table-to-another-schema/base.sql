create schema api;
create type public.hue as enum ('red', 'blue');
create table public.paint (id bigint generated always as identity primary key, hue public.hue default 'red');
create table public.coat (id int primary key, paint_id bigint references public.paint (id));
create view public.reds as select id from public.paint where hue = 'red';
create function public.mix(h public.hue) returns public.hue language sql as $$ select h $$;
